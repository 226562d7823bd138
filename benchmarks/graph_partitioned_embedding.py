"""Peak memory and time of embeddings in partitions on disk, beside the same training in memory.

    python benchmarks/graph_partitioned_embedding.py [--nodes 100000] [--dimensions 128] [--partitions 2 4 16]

A graph of 5 random edges per node, one walk of 10 nodes from each. Every training runs in a process of its own, once
for the vectors and once with 2 dimensions: the difference in peak resident memory is what the vectors take.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from mmgraph.graph import Adjacency, DeepWalk, PartitionedEmbedding


def train(nodes: int, dimensions: int, partitions: int) -> tuple[int, float]:
    """Peak resident bytes, and seconds on a processor."""
    ends = np.random.default_rng(0).integers(0, nodes, (2, 5 * nodes))
    graph = Adjacency.from_edge_index(torch.from_numpy(np.concatenate([ends, ends[::-1]], 1)), nodes)
    walks = DeepWalk(dimensions, walks_per_node=1, walk_length=10, window=5)
    began = time.process_time()
    if partitions == 0:
        walks.fit(graph)
    else:
        with tempfile.TemporaryDirectory() as folder:
            PartitionedEmbedding(walks, partitions, folder).fit(graph)
    seconds = time.process_time() - began
    # Not ru_maxrss, into which Linux counts the process that this one was started from.
    peak = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
    return int(peak) * 1024, seconds


def in_a_process(*options: int) -> tuple[float, float]:
    arguments = [sys.executable, __file__, "--child", *map(str, options)]
    printed = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout.split()
    return float(printed[0]), float(printed[1])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nodes", type=int, default=100_000)
    parser.add_argument("--dimensions", type=int, default=128)
    parser.add_argument("--partitions", type=int, nargs="+", default=[2, 4, 16])
    parser.add_argument("--child", type=int, nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(*train(*arguments.child))
        return
    nodes, dimensions = arguments.nodes, arguments.dimensions
    all_vectors = 8 * nodes * dimensions / 1e6
    print(f"load {os.getloadavg()[0]:.1f}; {nodes:,} nodes × {dimensions}, x and y: {all_vectors:.0f} MB")
    print(f"{'':<16}{'peak MB':>10}{'of which vectors':>18}{'CPU s':>10}")
    for partitions in (0, *arguments.partitions):
        in_a_process(1000, 2, partitions)  # compiles, where that has not been done
        peak, seconds = in_a_process(nodes, dimensions, partitions)
        rest, _ = in_a_process(nodes, 2, partitions)
        name = f"{partitions} partitions" if partitions else "in memory"
        print(f"{name:<16}{peak / 1e6:>10.0f}{(peak - rest) / 1e6:>18.0f}{seconds:>10.1f}", flush=True)


if __name__ == "__main__":
    main()
