"""Steps of random walks per second of processor time, beside what other libraries reach.

    python benchmarks/graph_walks.py [--large] [--rounds 7]

Ten walks of 80 nodes from every node, at most from 20,000 of them, in one thread. Cases take turns, and each figure
is the median over rounds of steps per second that this thread spent on a processor. The peers' figures are quoted:
the best of PecanPy, fastnode2vec, grape and csrgraph on two cores of such a machine; they are not run here.
BlogCatalog needs $MMGRAPH_DATA; the power-law graphs are drawn with a fixed seed.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.io
import torch

from mmgraph.graph import Adjacency
from mmgraph.graph.walks.sampling import fill_walks
from mmgraph.graph.walks.walk_graph import WalkGraph

LENGTH = 80
BLOCK = 4096
STARTS = 20_000


@dataclass(frozen=True)
class Case:
    title: str
    p: float
    q: float
    peer: float | None
    """Million steps per second of processor time, quoted."""
    factor: float
    """How many times the peer ours must reach."""


UNIFORM = (27.0, 8.0, 8.0)
NEAR = (1.3, 1.9, None)
FAR = (9.0, 4.5, None)


def cases(graph: int) -> list[Case]:
    """The cases of BlogCatalog (0), the power-law graph (1) and the large one (2)."""
    return [
        Case("uniform", 1, 1, UNIFORM[graph], 15 if graph == 2 else 10),
        Case("node2vec p = .25, q = 4", 0.25, 4, NEAR[graph], 6),
        Case("node2vec p = 4, q = .25", 4, 0.25, FAR[graph], 4),
    ]


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


def graphs(large: bool) -> Iterator[tuple[int, str, Adjacency]]:
    folder = os.environ.get("MMGRAPH_DATA")
    if folder:
        network = scipy.io.loadmat(Path(folder) / "blogcatalog" / "blogcatalog.mat")["network"]
        yield 0, "BlogCatalog", Adjacency.from_scipy(network.astype(bool))
    else:
        print("BlogCatalog is left out: set MMGRAPH_DATA.")
    yield 1, "100k nodes, 1 M edges", power_law(100_000, 1_000_000)
    if large:
        yield 2, "1 M nodes, 10 M edges", power_law(1_000_000, 10_000_000)


def steps_per_second(graph: WalkGraph, case: Case, nodes: int, out: np.ndarray) -> float:
    """Million steps per second of processor time, over 10 walks from each of the first nodes."""
    spent = 0.0
    total = 10 * nodes
    for first in range(0, total, BLOCK):
        number = np.arange(first, min(first + BLOCK, total))
        walks = out[: len(number)]
        before = time.thread_time()
        fill_walks(graph, number % nodes, number, case.p, case.q, 0, walks)
        spent += time.thread_time() - before
    return total * (LENGTH - 1) / spent / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--large", action="store_true", help="also 1 M nodes and 10 M edges (3 GB)")
    arguments = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; million steps per CPU-second")
    print(
        f"{'graph':<24}{'walks':<26}{'ours':>8}{'  (lowest – highest)':<20}{'peer, quoted':>13}{'ratio':>8}  must"
    )
    out = np.zeros((BLOCK, LENGTH), np.int32)
    for kind, name, adjacency in graphs(arguments.large):
        graph = WalkGraph.of(adjacency)
        nodes = min(graph.num_nodes, STARTS)
        for case in cases(kind):
            steps_per_second(graph, case, min(nodes, 64), out)
        found: dict[str, list[float]] = {case.title: [] for case in cases(kind)}
        for _ in range(arguments.rounds):
            for case in cases(kind):
                found[case.title].append(steps_per_second(graph, case, nodes, out))
        for case in cases(kind):
            speeds = sorted(found[case.title])
            ours = float(np.median(speeds))
            line = f"{name:<24}{case.title:<26}{ours:>8.1f}  ({speeds[0]:.1f} – {speeds[-1]:.1f})".ljust(78)
            if case.peer is None:
                print(f"{line}{'—':>13}")
                continue
            verdict = "reached" if ours >= case.factor * case.peer else "MISSED"
            print(
                f"{line}{case.peer:>13.1f}{ours / case.peer:>8.1f}  {case.factor:.0f} {verdict}", flush=True
            )
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
