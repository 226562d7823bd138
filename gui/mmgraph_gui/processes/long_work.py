"""Long computations in a process of its own, which works off requests from its input.

Started as `python -m mmgraph_gui.processes.long_work`.

Each request names a task, which says how far it is now and then and ends with {"done": true}. Nothing here knows Qt.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from mmgraph.errors import MMGraphError
from mmgraph_gui.processes.messages import Array, Message, receive, send

REPORT_SECONDS = 0.1

Task = Callable[[Mapping[str, Any], Mapping[str, Array]], Iterator[Message]]


def lay_out(facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> Iterator[Message]:
    """t-SNE or UMAP, see `mmgraph.analysis.stable_layout`: each iteration."""
    from mmgraph.analysis.stable_layout import stable_layout

    for now in stable_layout(
        arrays["vectors"],
        facts["method"],
        dimensions=facts["dimensions"],
        earlier_vectors=arrays.get("earlier_vectors"),
        earlier_places=arrays.get("earlier_places"),
    ):
        said = {"iteration": now.iteration, "iterations": now.iterations, "laid_out": now.laid_out}
        yield Message(said, {"places": now.places})


def find_clusters(facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> Iterator[Message]:
    """k-means or HDBSCAN of scikit-learn; −1 for vectors in no cluster."""
    from mmgraph.analysis.projection import finite_rows

    vectors = arrays["vectors"].astype(np.float64)
    finite = finite_rows(vectors)
    codes = np.full(len(vectors), -1, dtype=np.int64)
    some = vectors[finite]
    if facts["method"] == "k-means":
        from sklearn.cluster import KMeans

        count = min(int(facts["count"]), len(np.unique(some, axis=0)))
        if count:
            codes[finite] = KMeans(count, n_init=4, random_state=0).fit_predict(some)
    elif len(some) > facts["smallest"]:
        from sklearn.cluster import HDBSCAN

        codes[finite] = HDBSCAN(min_cluster_size=int(facts["smallest"]), copy=True).fit_predict(some)
    yield Message({}, {"codes": codes})


def find_communities(facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> Iterator[Message]:
    """Communities of a graph by the method of Louvain, largest first."""
    import networkx as nx

    graph = nx.Graph()
    graph.add_nodes_from(range(facts["nodes"]))
    graph.add_edges_from(arrays["edges"].T.tolist())
    found = sorted(
        nx.community.louvain_communities(graph, seed=0), key=lambda nodes: (-len(nodes), min(nodes))
    )
    codes = np.full(facts["nodes"], -1, dtype=np.int64)
    for code, nodes in enumerate(found):
        codes[list(nodes)] = code
    yield Message({}, {"codes": codes})


def lay_out_graph(facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> Iterator[Message]:
    """Springs, see `mmgraph.analysis.force_layout`: each iteration; without iterations the spectrum alone."""
    from mmgraph.analysis import force_layout, spectral_layout

    edges, nodes, seed, iterations = arrays["edges"], facts["nodes"], facts["seed"], facts["iterations"]
    if not iterations:
        places = spectral_layout(edges, nodes, seed=seed).astype(np.float32)
        yield Message({"iteration": 0}, {"places": places})
        return
    for number, places in enumerate(force_layout(edges, nodes, iterations=iterations, seed=seed), 1):
        yield Message({"iteration": number}, {"places": places})


TASKS: dict[str, Task] = {
    "layout": lay_out,
    "graph": lay_out_graph,
    "clusters": find_clusters,
    "communities": find_communities,
}


def main() -> None:
    """Work off requests until the input ends."""
    requests = sys.stdin.buffer
    # What libraries print must not get between the messages.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while (request := receive(requests)) is not None:
        last, result = 0.0, None
        try:
            for later in TASKS[request.facts["task"]](request.facts, request.arrays):
                if result is not None and time.monotonic() - last > REPORT_SECONDS:
                    last = time.monotonic()
                    send(replies, result)
                result = later
            facts, arrays = result or Message({}, {})
            send(replies, Message({**facts, "done": True}, arrays))
        except MMGraphError as error:
            send(replies, Message({"error": str(error)}, {}))
        except BrokenPipeError:
            return


if __name__ == "__main__":
    main()
