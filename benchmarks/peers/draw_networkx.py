"""Lay a graph out with networkx and draw it with matplotlib; prints one line of JSON.

    FOLDER/networkx/bin/python draw_networkx.py EDGES.npy NODES METHOD ITERATIONS

METHOD is `force` (Fruchterman and Reingold) or `energy`, the two of networkx.spring_layout.
"""

from __future__ import annotations

import json
import sys
import time

import matplotlib as mpl
import networkx as nx
import numpy as np

mpl.use("agg")
from matplotlib import pyplot as plt

FRAMES = 3


def main() -> None:
    edges, nodes, method = np.load(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    graph = nx.Graph()
    graph.add_nodes_from(range(nodes))
    graph.add_edges_from(edges.T.tolist())
    wall, began = time.perf_counter(), time.process_time()
    places = nx.spring_layout(graph, seed=0, method=method, iterations=int(sys.argv[4]))
    found = {"layout": time.process_time() - began, "wall": time.perf_counter() - wall}
    figure = plt.figure(figsize=(12, 8), dpi=100)
    axes = figure.add_subplot()
    began = time.process_time()
    nx.draw_networkx(graph, places, ax=axes, with_labels=False, node_size=6, width=0.3)
    figure.canvas.draw()
    found["draw"] = time.process_time() - began
    times = []
    for _ in range(FRAMES):
        low, high = axes.get_xlim()
        axes.set_xlim(low + 0.01, high + 0.01)
        began = time.process_time()
        figure.canvas.draw()
        times.append(time.process_time() - began)
    found["pan"] = float(np.median(times))
    found["near"] = nearness(np.array([places[node] for node in range(nodes)]), edges)
    print(json.dumps(found))


def nearness(places: np.ndarray, edges: np.ndarray) -> float:
    """Mean length of an edge as a share of the mean distance of two nodes."""
    rng = np.random.default_rng(0)
    one, two = rng.integers(0, len(places), (2, 100_000))
    lengths = np.linalg.norm(places[edges[0]] - places[edges[1]], axis=1)
    return float(lengths.mean() / np.linalg.norm(places[one] - places[two], axis=1).mean())


if __name__ == "__main__":
    main()
