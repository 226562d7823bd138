"""The task of classifying nodes that were not in the graph when the network learned."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.sparse_features import SparseFeatures
from mmgraph.training.classification import NodeClassification
from mmgraph.training.task import Task


class InductiveClassification(NodeClassification):
    """Learn on a graph without the nodes of validation and test, then meet them.

    Each part has a graph of its own, cut out of the whole one: to learn, the nodes of neither validation nor test,
    with the edges between them; for validation, those of test are still missing; for test, all nodes are there.
    Nodes in no part belong to all three graphs. So neither weights nor the choice of the best ones can depend on
    features or edges of test nodes.

    Args, shapes and errors as of `NodeClassification`; the graph is an `edge_index` or an `Adjacency`, and the
    parts have no node in common.

    Source: Hamilton, Ying and Leskovec, Inductive Representation Learning on Large Graphs, NeurIPS 2017.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        features: Tensor | SparseFeatures,
        graph: Adjacency | Tensor,
        labels: Tensor,
        splits: dict[str, Tensor],
        **rest: Any,
    ) -> None:
        super().__init__(model, features, graph, labels, splits, **rest)
        if bool((torch.stack(list(splits.values())).sum(0) > 1).any()):
            raise InputError("Expected parts without a node in common, but some node is in several of them.")
        adjacency = Adjacency.of(graph, len(features))
        unseen = {"train": splits["validation"] | splits["test"], "validation": splits["test"]}
        self._views = {
            split: _View(features, adjacency, torch.nonzero(~nodes).flatten(), splits[split])
            for split, nodes in unseen.items()
        }

    def adopt(self, model: torch.nn.Module) -> None:
        """No: its parts have graphs of their own."""
        Task.adopt(self, model)

    def to(self, device: torch.device) -> None:
        """Move model, features, graphs and labels to a device."""
        super().to(device)
        for view in self._views.values():
            view.to(device)

    def outputs(self, split: str) -> tuple[Tensor, Tensor]:
        """Logits and labels of a part of the nodes, in the graph that there is at its time."""
        if split not in self._views:
            return super().outputs(split)
        view = self._views[split]
        return self.model(view.features, view.graph)[view.mask], self._labels[self._splits[split]]


class _View:
    """Some nodes of a graph, and which of them are asked for."""

    def __init__(
        self, features: Tensor | SparseFeatures, graph: Adjacency, nodes: Tensor, asked: Tensor
    ) -> None:
        self.features = features.rows(nodes) if isinstance(features, SparseFeatures) else features[nodes]
        self.graph = graph.subgraph(nodes)
        self.mask = asked[nodes]

    def to(self, device: torch.device) -> None:
        self.features, self.graph = self.features.to(device), self.graph.to(device)
        self.mask = self.mask.to(device)
