"""Graphs: a compressed adjacency, propagation over it, convolutions and the network built from them.

Names are imported when they are first used, so `import mmgraph.graph` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmgraph.graph.adjacency import Adjacency
    from mmgraph.graph.aggregation import aggregate, propagate_max
    from mmgraph.graph.gat_conv import GATConv
    from mmgraph.graph.gcn_conv import GCNConv
    from mmgraph.graph.gnn import GNN
    from mmgraph.graph.nearest_neighbours import knn_graph
    from mmgraph.graph.propagation import propagate, segment_softmax
    from mmgraph.graph.sparse_features import SparseFeatures
    from mmgraph.graph.walks.sampling import random_walks

__all__ = [
    "GNN",
    "Adjacency",
    "GATConv",
    "GCNConv",
    "SparseFeatures",
    "aggregate",
    "knn_graph",
    "propagate",
    "propagate_max",
    "random_walks",
    "segment_softmax",
]

# No module may share the name of a function in it: importing the module would rebind the package's attribute.
_HOME = {
    "Adjacency": "adjacency",
    "GATConv": "gat_conv",
    "GCNConv": "gcn_conv",
    "GNN": "gnn",
    "SparseFeatures": "sparse_features",
    "aggregate": "aggregation",
    "knn_graph": "nearest_neighbours",
    "propagate": "propagation",
    "propagate_max": "aggregation",
    "random_walks": "walks.sampling",
    "segment_softmax": "propagation",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
