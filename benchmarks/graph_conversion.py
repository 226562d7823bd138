"""Seconds from a networkx graph to arrays, and from files to a graph, beside torch_geometric and networkx.

    python benchmarks/graph_conversion.py [--rounds 5] [--without-peers]

50,000 nodes and 500,000 directed edges: a networkx graph with a weight and an attribute per edge and ids that are
text, and edge lists of it. Medians of seconds of processor time in one process; what takes longer than 5 seconds is
run once. Kernels are compiled before.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import networkx
import numpy as np

from mmgraph.graph import Adjacency, read_graph, write_graph

NODES, EDGES = 50_000, 500_000


def graph() -> networkx.DiGraph:
    rng = np.random.default_rng(0)
    ends = np.unique(rng.integers(0, NODES, (EDGES * 2, 2)), axis=0)
    ends = rng.permutation(ends)[:EDGES]
    made = networkx.DiGraph()
    made.add_nodes_from((f"n{i}", {"age": i % 90}) for i in range(NODES))
    made.add_edges_from(
        (f"n{s}", f"n{t}", {"weight": w, "year": y})
        for (s, t), w, y in zip(
            ends.tolist(), rng.random(EDGES).tolist(), rng.integers(1900, 2020, EDGES).tolist(), strict=True
        )
    )
    return made


def seconds(work: Callable[[], object], rounds: int) -> float:
    found = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
        if found[-1] > 5:
            break
    return statistics.median(found)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-peers", action="store_true")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", category=DeprecationWarning)

    made = graph()
    print(f"load {os.getloadavg()[0]:.1f}; {NODES:,} nodes, {EDGES:,} edges; seconds of processor time")
    ours = seconds(lambda: Adjacency.from_networkx(made), arguments.rounds)
    print(
        f"{'from networkx':<32}{'ours':<24}{ours:>8.3f}   must be < 2: {'reached' if ours < 2 else 'MISSED'}"
    )
    both = made.to_undirected()
    doubled = seconds(lambda: Adjacency.from_networkx(both), arguments.rounds)
    print(f"{'from networkx, undirected':<32}{'ours':<24}{doubled:>8.3f}")
    back = Adjacency.from_networkx(made)
    print(f"{'to networkx':<32}{'ours':<24}{seconds(back.to_networkx, arguments.rounds):>8.3f}")
    if not arguments.without_peers:
        from torch_geometric.utils import from_networkx

        theirs = seconds(lambda: from_networkx(made), arguments.rounds)
        print(
            f"{'from networkx':<32}{'torch_geometric':<24}{theirs:>8.3f}   ours is {theirs / ours:.0f} × faster"
        )
    with tempfile.TemporaryDirectory() as folder:
        files(back, Path(folder), arguments.rounds, not arguments.without_peers)


def files(named: Adjacency, folder: Path, rounds: int, peers: bool) -> None:
    """Edge lists with and without weights, of numbers and of names."""
    numbered = Adjacency(named.pattern, named.value)
    for title, made, read in (
        ("numbers", numbered.with_value(None), lambda path: networkx.read_edgelist(path, nodetype=int)),
        ("numbers and weights", numbered, lambda path: networkx.read_weighted_edgelist(path, nodetype=int)),
        ("names and weights", named, lambda path: networkx.read_weighted_edgelist(path, delimiter="\t")),
    ):
        path = folder / f"{title}.txt"
        write_graph(made, path)
        read_graph(path)
        ours = seconds(partial(read_graph, path), rounds)
        line = f"{'edge list: ' + title:<32}"
        print(f"{line}{'ours':<24}{ours:>8.3f}   must be < 1: {'reached' if ours < 1 else 'MISSED'}")
        if peers:
            theirs = seconds(partial(read, path), rounds)
            print(f"{line}{'networkx':<24}{theirs:>8.3f}   ours is {theirs / ours:.0f} × faster")


if __name__ == "__main__":
    main()
