"""Time one embedding of a graph and say what it took, for graph_embeddings.py.

Runs in the peers' environments, so it needs NumPy alone.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

SETTINGS = {"dimensions": 128, "walk_length": 80, "window": 10, "negatives": 5}


def peak() -> float:
    """The largest memory this process has had, in MB; Linux counts that of the parent into ru_maxrss."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(
    warm_up: Callable[[], object],
    prepare: Callable[[Path, int, int], Callable[[], tuple[np.ndarray, int]]],
) -> None:
    """Arguments: the folder with graph.npz and walks.npy, where vectors go, how many threads and walks per node.

    Args:
        warm_up: embeds next to nothing, so that all that has to be loaded or compiled is; its memory is what does not
            depend on the graph.
        prepare: takes folder, threads and walks per node and returns what is timed, which returns vectors in the
            order of nodes and the number of tokens it has seen.
    """
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    threads, walks_per_node = map(int, sys.argv[3:])
    warm_up()
    before = peak()
    embed = prepare(folder, threads, walks_per_node)
    wall, processor = time.perf_counter(), time.process_time()
    vectors, tokens = embed()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    took = {"tokens": tokens, "wall": wall, "processor": processor, "peak": peak(), "runtime": before}
    np.save(out, vectors)
    print(json.dumps(took))
