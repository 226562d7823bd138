"""An undirected graph whose nodes carry one label or any number of them: what the readers of networks give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch_geometric.data import Data


def labelled_graph(
    source: NDArray[np.int64], target: NDArray[np.int64], labels: NDArray[np.bool_] | NDArray[np.int64]
) -> Data:
    """Both directions of every edge, once each, sorted by target then source, with the labels of every node.

    Args:
        source: one end of each edge.
        target: the other end.
        labels: which node has which label, or the class of each.

    Shapes:
        source, target: (E,) from 0 to N - 1.
        labels: (N, L) or (N,), given out as `y`.
        edge_index: (2, E') int64; a self-loop counts once.
    """
    import torch
    from torch_geometric.data import Data

    nodes = len(labels)
    edges = np.unique(np.concatenate([target * nodes + source, source * nodes + target]))
    return Data(
        edge_index=torch.from_numpy(np.stack([edges % nodes, edges // nodes])),
        y=torch.from_numpy(labels),
        num_nodes=nodes,
    )
