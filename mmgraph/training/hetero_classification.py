"""The task of classifying nodes of one type in a graph of several types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.hetero_graph import HeteroGraph
from mmgraph.inspection import Capture
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.classification import NodeClassification
from mmgraph.training.task import Task

if TYPE_CHECKING:
    from mmgraph.graph.networks.relational_gnn import RelationalGNN
    from mmgraph.graph.sparse_features import Features


class HeteroClassification(NodeClassification):
    """Classify nodes of some types; those of the others help, and are given classes too.

    Args:
        model: features by type, graph → logits by type.
        features: what each node of a type with features brings.
        graph: the nodes of all types and their relations.
        labels: class of every node of all types, in the order of the graph; −1 where there is none.
        splits: which of all nodes belong to "train", "validation" and "test".
        class_names: a name per class.
        items: what the nodes of all types are.
        constants: snapshots that never change, such as the graph.

    Shapes:
        features (n_t, in_channels[t]) each, labels (num_nodes,) int64, splits (num_nodes,) bool each.

    Raises:
        InputError: a part has nodes without a class, or labels, parts and graph do not fit.
    """

    def __init__(
        self,
        model: RelationalGNN,
        features: Mapping[str, Features],
        graph: HeteroGraph,
        labels: Tensor,
        splits: Mapping[str, Tensor],
        *,
        class_names: Sequence[str],
        items: ItemSet,
        constants: Sequence[Snapshot] = (),
    ) -> None:
        if labels.shape != (graph.num_nodes,):
            raise InputError(
                f"Expected one label per node of all types, ({graph.num_nodes},), but got {tuple(labels.shape)}."
            )
        super().__init__(
            model,
            torch.empty(0),
            graph,
            labels,
            splits,
            class_names=class_names,
            items=items,
            capture=Capture(model.gnn),
            constants=constants,
        )
        for split, mask in splits.items():
            if bool((labels[mask] < 0).any()):
                raise InputError(f"Expected a class for every node of the {split} part, but some have none.")
        self.model: RelationalGNN = model
        self._inputs = dict(features)

    def adopt(self, model: torch.nn.Module) -> None:
        """No: each type of node has features of its own."""
        Task.adopt(self, model)

    def to(self, device: torch.device) -> None:
        """Move model, features, graph and labels to a device."""
        super().to(device)
        self._inputs = {node_type: x.to(device) for node_type, x in self._inputs.items()}

    def outputs(self, split: str) -> tuple[Tensor, Tensor]:
        """Logits and labels of a part of the nodes."""
        mask = self._splits[split]
        return self._graph.join(self.model(self._inputs, self._graph))[mask], self._labels[mask]

    def explain(self, item: int) -> list[Snapshot]:
        """The edges that the class given to a node hangs on; the features of the types have nothing in common."""
        from mmgraph.inspection.explanation import explain  # torch_geometric.explain takes a second to import

        with torch.no_grad():
            projected = self._graph.join(self.model.inputs(self._inputs))
        relation = {"edge_attr": self._graph.relation}
        found = explain(self.model.gnn, projected, self._graph.adjacency, item, edge_inputs=relation)
        return [replace(found, feature_weight=found.feature_weight[:, :0]).snapshot("items")]

    def probe_inputs(self) -> tuple[Any, ...]:
        """What the convolutions are looked at with: the nodes of all types, projected."""
        with torch.no_grad():
            projected = self._graph.join(self.model.inputs(self._inputs))
        return projected, self._graph.adjacency, None, self._graph.relation
