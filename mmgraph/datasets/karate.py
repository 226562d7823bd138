"""Zachary's karate club: who met whom outside the club, and which of two clubs each member chose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mmgraph.datasets.labelled_graph import labelled_graph

if TYPE_CHECKING:
    from torch_geometric.data import Data


def read_karate(class_names: tuple[str, ...]) -> Data:
    """The club as networkx has it.

    Shapes:
        edge_index: (2, 156) int64, both directions of each edge; edge_weight: (156,) float32, in how many places two
            members met.
        y: (34,) int64.

    Source: Zachary, "An information flow model for conflict and fission in small groups", 1977.
    """
    import networkx
    import torch

    graph = networkx.karate_club_graph()
    ends = np.array(list(graph.edges), np.int64).T
    clubs = np.array([class_names.index(graph.nodes[node]["club"]) for node in range(len(graph))], np.int64)
    data = labelled_graph(ends[0], ends[1], clubs)
    data.edge_weight = torch.tensor(
        [float(graph.edges[u, v]["weight"]) for u, v in data.edge_index.T.tolist()]
    )
    return data
