from __future__ import annotations

from typing import Any

import pytest
import torch

from mmgraph.datasets.graphs import GraphDataset
from mmgraph.errors import InputError

GOOD: dict[str, Any] = {
    "name": "toy",
    "x": torch.ones(5, 2),
    "edge_index": torch.tensor([[1, 0, 3], [0, 1, 2]]),
    "node_starts": torch.tensor([0, 2, 2, 5]),
    "labels": torch.tensor([0, 1, 0]),
    "class_names": ("a", "b"),
}


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
def test_a_graph_without_nodes_is_a_graph() -> None:
    graphs = GraphDataset(**GOOD)
    assert (len(graphs), graphs.num_classes, graphs.num_features) == (3, 2, 2)
    assert [data.num_nodes for data in graphs] == [2, 0, 3]
    assert [data.edge_index.tolist() for data in graphs] == [[[1, 0], [0, 1]], [[], []], [[1], [0]]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x": torch.ones(5)}, "x \\(nodes, features\\)"),
        ({"edge_index": torch.ones(2, 3)}, "float32"),
        ({"labels": torch.tensor([0, 1])}, "labels"),
        ({"node_starts": torch.tensor([0, 3, 2, 5])}, "must rise from 0 to the 5 nodes"),
        ({"node_starts": torch.tensor([0, 2, 2, 4])}, "must rise from 0 to the 5 nodes"),
        ({"edge_index": torch.tensor([[5], [0]])}, "join nodes 0 to 4"),
        ({"edge_index": torch.tensor([[1], [2]])}, "stay inside a graph"),
        ({"edge_index": torch.tensor([[3, 0], [2, 1]])}, "order of graphs"),
        ({"labels": torch.tensor([0, 2, 0])}, "labels of 'toy' must lie in 0 to 1"),
    ],
)
def test_parts_that_do_not_fit(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        GraphDataset(**{**GOOD, **change})
