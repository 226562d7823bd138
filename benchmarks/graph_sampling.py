"""Processor time of one sampled batch, beside the same work in plain torch.

    python benchmarks/graph_sampling.py [--rounds 21]

Fan-out 15 and 10 without replacement, 1,024 seeds, a power-law graph of 169k nodes and 2.3 M directed edges; alone,
and with 128 features per node gathered. Blocks of 8 batches take turns; each figure is the median over rounds of the
seconds that this process spent on processors, torch set to one thread. PyTorch Geometric's NeighborLoader raises
ImportError without pyg-lib or torch-sparse, so the peer is torch: all edges of the frontier get a random number and the
smallest of each row stay; new nodes are numbered with `unique` and a search, or through a table of all nodes.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import numpy as np
import torch
from graph_walks import power_law
from torch import Tensor

from mmgraph.graph import Adjacency, NeighborSampler

NODES, EDGES, CHANNELS, BATCH = 169_000, 1_166_000, 128, 1024
BLOCK = 8
FAN_OUT = (15, 10)


def drawn(graph: Adjacency, frontier: Tensor, fan_out: int) -> tuple[Tensor, Tensor]:
    """Sources and rows of edges into the frontier: each edge gets a random number, the smallest of a row stay."""
    first, degree = graph.rowptr[frontier], graph.rowptr[frontier + 1] - graph.rowptr[frontier]
    row = torch.repeat_interleave(degree)
    within = torch.arange(len(row)) - (degree.cumsum(0) - degree)[row]
    kept = torch.argsort(row + torch.rand(len(row), dtype=torch.float64))[within < fan_out]
    return graph.col[first[row[kept]] + within[kept]], row[kept]


def by_unique(graph: Adjacency, seeds: Tensor, number_of: Tensor) -> tuple[Tensor, Tensor]:
    """Nodes, seeds first, and edges among their numbers, which `unique` gives."""
    nodes, frontier, ends = seeds, seeds, []
    for fan_out in FAN_OUT:
        source, row = drawn(graph, frontier, fan_out)
        ends.append(torch.stack([source, frontier[row]]))
        frontier = source.unique()
        frontier = frontier[~torch.isin(frontier, nodes)]
        nodes = torch.cat([nodes, frontier])
    edges = torch.cat(ends, 1)
    place = nodes.argsort()
    return nodes, place[torch.searchsorted(nodes[place], edges)]


def by_table(graph: Adjacency, seeds: Tensor, number_of: Tensor) -> tuple[Tensor, Tensor]:
    """The same with a table of all nodes, which is −1 before and after."""
    nodes, frontier, edges = seeds, seeds, []
    number_of[seeds] = torch.arange(len(seeds))
    for fan_out in FAN_OUT:
        source, row = drawn(graph, frontier, fan_out)
        new = source[number_of[source] < 0].unique()
        number_of[new] = torch.arange(len(nodes), len(nodes) + len(new))
        edges.append(torch.stack([number_of[source], number_of[frontier[row]]]))
        nodes, frontier = torch.cat([nodes, new]), new
    number_of[nodes] = -1
    return nodes, torch.cat(edges, 1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    graph = power_law(NODES, EDGES)
    x = torch.randn(NODES, CHANNELS, generator=torch.Generator().manual_seed(0))
    order = torch.randperm(NODES, generator=torch.Generator().manual_seed(1))
    number_of = torch.full((NODES,), -1)
    sampler = NeighborSampler(graph, FAN_OUT)
    ways: dict[str, Callable[[Tensor, int], Tensor]] = {
        "ours": lambda seeds, position: sampler.sample(seeds, position=position).nodes,
        "unique": lambda seeds, position: by_unique(graph, seeds, number_of)[0],
        "table": lambda seeds, position: by_table(graph, seeds, number_of)[0],
    }
    print(
        f"{graph}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; ms of processor time per batch"
    )
    print(
        f"{'work':<16}"
        + "".join(f"{name:>9}" for name in ways)
        + "   ours is faster than: unique, table   must"
    )
    for features, must in ((False, 20), (True, 4)):
        spent: list[list[float]] = []
        for turn in range(arguments.rounds + 1):
            spent.append([])
            for sample in ways.values():
                before = time.process_time()
                for position in range(turn * BLOCK, (turn + 1) * BLOCK):
                    nodes = sample(order[position * BATCH : (position + 1) * BATCH], position)
                    if features:
                        x.index_select(0, nodes)
                spent[-1].append((time.process_time() - before) / BLOCK * 1e3)
        times = np.array(spent[1:])
        ratios = np.median(times[:, 1:] / times[:, :1], axis=0)
        work = "with features" if features else "sampling only"
        figures = "".join(f"{value:>9.2f}" for value in np.median(times, axis=0))
        verdict = "reached" if ratios[0] >= must else "MISSED"
        print(f"{work:<16}{figures}{ratios[0]:>26.1f}{ratios[1]:>7.1f}{must:>7} {verdict}")


if __name__ == "__main__":
    main()
