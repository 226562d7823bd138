"""Steps of random walks per second of processor time, beside those of other libraries.

    python benchmarks/graph_walks.py [--peers FOLDER] [--graphs blogcatalog power-law large] [--weighted] [--rounds 5]

Walks of 80 nodes from up to 20,000 of the nodes, in one thread. With a folder of environments as benchmarks/peers
describes, every peer runs in a process of its own and takes turns with ours; each figure is the median over rounds of
steps per second that a process spent on a processor. A peer that fails says why and is left out. Without the folder
ours are printed beside the issue's figures for the best peer, marked as quoted.

BlogCatalog needs $MMGRAPH_DATA; the power-law graphs are drawn with a fixed seed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import scipy.io
import torch

from mmgraph.graph import Adjacency
from mmgraph.graph.walks.sampling import fill_walks
from mmgraph.graph.walks.walk_graph import WalkGraph

LENGTH = 80
BLOCK = 4096
STARTS = 20_000
GRAPHS = {
    "blogcatalog": "BlogCatalog",
    "power-law": "100k nodes, 1 M edges",
    "large": "1 M nodes, 10 M edges",
}
PEERS = ("pecanpy", "fastnode2vec", "grape", "csrgraph")


@dataclass(frozen=True)
class Case:
    title: str
    p: float
    q: float
    quoted: dict[str, float]
    """Million steps per second of processor time of the best peer, per graph."""
    factor: dict[str, int]
    """How many times the best peer ours must reach."""


CASES = (
    Case(
        "uniform",
        1,
        1,
        {"blogcatalog": 27, "power-law": 8, "large": 8},
        {"blogcatalog": 10, "power-law": 10, "large": 15},
    ),
    Case("p = .25, q = 4", 0.25, 4, {"blogcatalog": 1.3, "power-law": 1.9}, dict.fromkeys(GRAPHS, 6)),
    Case("p = 4, q = .25", 4, 0.25, {"blogcatalog": 9, "power-law": 4.5}, dict.fromkeys(GRAPHS, 4)),
)


def power_law(num_nodes: int, num_edges: int) -> Adjacency:
    """Ends of undirected edges drawn with probability ∝ rank^(−1/2), so that degrees fall like degree^(−3)."""
    rng = np.random.default_rng(0)
    share = np.cumsum(np.arange(1, num_nodes + 1) ** -0.5)
    name = rng.permutation(num_nodes)
    ends = name[np.searchsorted(share, rng.random((2, num_edges)) * share[-1])]
    source, target = np.concatenate([ends, ends[::-1]], 1)
    # Equal edges would add up to weights.
    simple = np.unique(source * num_nodes + target)
    return Adjacency.from_edge_index(torch.from_numpy(np.stack(np.divmod(simple, num_nodes))), num_nodes)


def load(name: str) -> Adjacency:
    if name == "blogcatalog":
        stored = scipy.io.loadmat(Path(os.environ["MMGRAPH_DATA"]) / "blogcatalog" / "blogcatalog.mat")
        return Adjacency.from_scipy(stored["network"].astype(bool))
    return power_law(100_000, 1_000_000) if name == "power-law" else power_law(1_000_000, 10_000_000)


def with_weights(graph: Adjacency) -> Adjacency:
    """The same edges with weights from 1/2 to 2 that are the same both ways."""
    source, target = graph.edge_index
    mixed = ((source + target) * 0x9E3779B1 ^ (source * target)) % 1021
    return Adjacency.from_edge_index(graph.edge_index, graph.num_nodes, 0.5 + 1.5 * mixed.double() / 1021)


class Ours:
    """Walks in this process."""

    def __init__(self, graph: Adjacency) -> None:
        self.graph = WalkGraph.of(graph)
        self.nodes = min(self.graph.num_nodes, STARTS)
        self.out = np.zeros((BLOCK, LENGTH), np.int32)

    def speed(self, case: Case, walks: int = 200_000) -> float:
        spent, steps = 0.0, 0
        for first in range(0, walks, BLOCK):
            number = np.arange(first, min(first + BLOCK, walks))
            out = self.out[: len(number)]
            before = time.thread_time()
            fill_walks(self.graph, number % self.nodes, number, case.p, case.q, 0, out)
            spent += time.thread_time() - before
            steps += int((out[:, 1:] >= 0).sum())
        return steps / spent / 1e6


class Peer:
    """Walks in a process of a peer's environment."""

    def __init__(self, name: str, environments: Path, graph: Path) -> None:
        runner = Path(__file__).parent / "peers" / f"walks_{name}.py"
        one = dict.fromkeys(
            ("NUMBA_NUM_THREADS", "RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"
        )
        self.process = subprocess.Popen(
            [environments / name / "bin" / "python", runner, graph],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **one},
        )
        self._answer()

    def speed(self, case: Case) -> float:
        assert self.process.stdin is not None
        request = {"length": LENGTH, "p": case.p, "q": case.q, "starts": STARTS}
        print(json.dumps(request), file=self.process.stdin, flush=True)
        reply = self._answer()
        return reply["steps"] / reply["seconds"] / 1e6

    def _answer(self) -> dict[str, float]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise OSError(f"ended with {self.process.wait()}")
        return json.loads(line)

    def close(self) -> None:
        self.process.terminate()
        self.process.communicate()


def started(
    environments: Path, names: list[str], graph: Adjacency, folder: str
) -> Iterator[tuple[str, Peer]]:
    file = Path(folder) / "graph.npz"
    weight = {} if graph.value is None else {"weight": graph.value.numpy()}
    np.savez(file, rowptr=graph.rowptr.numpy(), col=graph.col.numpy(), **weight)
    for name in names:
        try:
            yield name, Peer(name, environments, file)
        except OSError as error:
            print(f"  {name} is left out: {error}")


def compare(name: str, arguments: argparse.Namespace) -> None:
    weighted, environments = arguments.weighted, arguments.peers
    graph = with_weights(load(name)) if weighted else load(name)
    walkers: dict[str, Ours | Peer] = {"ours": Ours(graph)}
    with tempfile.TemporaryDirectory() as folder:
        walkers.update(started(environments, arguments.among, graph, folder) if environments else ())
    del graph
    found: dict[tuple[str, str], list[float]] = {}
    for turn in range(arguments.rounds + 1):
        for case in CASES:
            for who, walker in walkers.items():
                speed = walker.speed(case)
                if turn > 0:  # compiles
                    found.setdefault((case.title, who), []).append(speed)
    for case in CASES:
        speeds = found[case.title, "ours"]
        ours = median(speeds)
        line = f"{GRAPHS[name]:<23}{'weighted, ' if weighted else ''}{case.title:<16}".ljust(50)
        line += f"{ours:>7.1f} ({min(speeds):.1f} – {max(speeds):.1f})".ljust(26)
        peers = {who: median(found[case.title, who]) for who in walkers if who != "ours"}
        if not peers and name in case.quoted and not weighted:
            peers = {"quoted": case.quoted[name]}
        if peers:
            best = max(peers.values())
            must = case.factor[name]
            line += " ".join(f"{who} {speed:.3g}" for who, speed in peers.items()).ljust(62)
            line += f"{ours / best:>6.1f}"
            if not weighted:
                line += f"  must {must}: {'reached' if ours >= must * best else 'MISSED'}"
        print(line, flush=True)
    for walker in walkers.values():
        if isinstance(walker, Peer):
            walker.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", type=Path, help="folder of the peers' environments")
    parser.add_argument("--among", nargs="*", choices=PEERS, default=list(PEERS), help="only these peers")
    parser.add_argument("--graphs", nargs="*", choices=list(GRAPHS), default=["blogcatalog", "power-law"])
    parser.add_argument("--weighted", action="store_true", help="the same graphs with weights")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; million steps per CPU-second")
    for name in arguments.graphs:
        if name == "blogcatalog" and "MMGRAPH_DATA" not in os.environ:
            print("BlogCatalog is left out: set MMGRAPH_DATA.")
            continue
        compare(name, arguments)
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
