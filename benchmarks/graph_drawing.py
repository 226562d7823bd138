"""How long graphs take to be laid out and drawn, beside networkx (spring_layout, and drawing by matplotlib).

    python benchmarks/graph_drawing.py --peers FOLDER [--nodes 1000 5000 20000] [--steps 50] [--patience 600]

Five edges a node to near ones along a ring, the same for both; processor seconds, each alone in its process. networkx
has two ways: forces, and the energy it takes by itself for 500 nodes and more, 50 steps each by default. Ours makes 150
steps. `near` is how long edges are beside the distance of any two nodes: the lower, the more of the graph one sees.
What takes longer than --patience by the clock is ended and said; fewer --steps of networkx show what one costs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

PEER = Path(__file__).parent / "peers" / "draw_networkx.py"
STEPS = 150


def ring(nodes: int) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(0)
    at = np.repeat(np.arange(nodes), 5)
    return np.stack([at, (at + rng.integers(1, 60, len(at))) % nodes])


def ours(edges: np.ndarray[Any, Any], nodes: int) -> dict[str, float]:
    """The layout as the app makes it, and the picture of all nodes and edges at 1200 × 800 as its views make it."""
    from mmgraph.analysis import PointGrid, force_layout, raster_edges, raster_points, tint

    wall, began = time.perf_counter(), time.process_time()
    *_, places = force_layout(edges, nodes, iterations=STEPS, seed=0)
    found = {"layout": time.process_time() - began, "wall": time.perf_counter() - wall}
    low, high = places.min(axis=0), places.max(axis=0)
    pixels = ((places - low) / (high - low).max() * 780 + 10).astype(np.float64)
    colours = np.zeros((nodes, 3), dtype=np.uint8)
    times = []
    for _ in range(5):
        pixels = pixels + 1.0
        began = time.process_time()
        coverage = raster_edges(pixels, edges, (800, 1200))
        if coverage is not None:
            tint(coverage, (90, 90, 90))
        raster_points(PointGrid(pixels.astype(np.float32)), colours, (800, 1200), radius=2)
        times.append(time.process_time() - began)
    found["draw"], found["pan"] = times[0], float(np.median(times[1:]))
    rng = np.random.default_rng(0)
    one, two = rng.integers(0, nodes, (2, 100_000))
    lengths = np.linalg.norm(places[edges[0]] - places[edges[1]], axis=1)
    found["near"] = float(lengths.mean() / np.linalg.norm(places[one] - places[two], axis=1).mean())
    return found


def theirs(
    python: Path, edges: np.ndarray[Any, Any], nodes: int, method: str, steps: int, patience: float
) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "edges.npy"
        np.save(path, edges)
        command = [python, PEER, path, str(nodes), method, str(steps)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=patience, check=True)
        except subprocess.TimeoutExpired:
            return {"trouble": f"ended after {patience:g} s"}
        except subprocess.CalledProcessError as error:
            return {"trouble": (error.stderr or f"ended with code {error.returncode}").splitlines()[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=Path, required=True, help="folder of the peers' environments")
    parser.add_argument("--nodes", type=int, nargs="*", default=[1000, 5000, 20_000])
    parser.add_argument("--steps", type=int, default=50, help="steps of networkx")
    parser.add_argument("--patience", type=float, default=600.0, help="seconds to wait for one layout")
    parser.add_argument("--ours", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ours:
        print(json.dumps(ours(ring(given.ours), given.ours)))
        return
    print(f"{'nodes':>8}  {'':<18}{'layout':>11}{'a step':>12}{'first picture':>15}{'next':>11}{'near':>8}")
    for nodes in given.nodes:
        edges = ring(nodes)
        command = [sys.executable, __file__, "--peers", "-", "--ours", str(nodes)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        show(nodes, "mmgraph", json.loads(done.stdout.splitlines()[-1]), STEPS)
        for method in ("force", "energy"):
            python = given.peers / "networkx" / "bin" / "python"
            found = theirs(python, edges, nodes, method, given.steps, given.patience)
            show(nodes, f"networkx {method}", found, given.steps)


def show(nodes: int, name: str, found: dict[str, Any], steps: int) -> None:
    if "trouble" in found:
        print(f"{nodes:>8,}  {name:<18}{steps} steps: {found['trouble']}", flush=True)
        return
    layout = f"{found['layout']:9.1f} s{1000 * found['layout'] / steps:9.0f} ms"
    pictures = f"{1000 * found['draw']:12.0f} ms{1000 * found['pan']:8.0f} ms"
    print(f"{nodes:>8,}  {name:<18}{layout}{pictures}{found['near']:8.3f}", flush=True)


if __name__ == "__main__":
    main()
