"""Walk with a peer whenever graph_walks.py asks over standard input, and answer how fast it was.

Runs in the peers' environments, so it needs NumPy alone.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

SECONDS = 0.5
"""Processor time of a measurement, at least."""


@dataclass(frozen=True)
class Graph:
    """Compressed rows of a simple graph; node i has the edges rowptr[i] … rowptr[i + 1] − 1."""

    rowptr: np.ndarray
    col: np.ndarray
    weight: np.ndarray | None


def answer(prepare: Callable[[Graph], Callable[[np.ndarray, int, float, float], int]]) -> None:
    """Read a graph, then answer requests: one line of JSON each, until there are no more.

    Args:
        prepare: turns a graph into a function of start nodes, length, p and q that walks and returns how many
            steps it took.
    """
    with np.load(sys.argv[1]) as stored:
        graph = Graph(stored["rowptr"], stored["col"], stored.get("weight"))
    walk = prepare(graph)
    nodes = np.arange(len(graph.rowptr) - 1)
    print("{}", flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        length, p, q = request["length"], request["p"], request["q"]
        walk(nodes[:8], length, p, q)
        number = 32
        while True:
            start = np.resize(nodes[: request["starts"]], number)
            began = time.process_time()
            steps = walk(start, length, p, q)
            seconds = time.process_time() - began
            if seconds >= SECONDS:
                break
            number *= 8 if seconds < SECONDS / 16 else 2
        print(json.dumps({"steps": steps, "seconds": seconds}), flush=True)
