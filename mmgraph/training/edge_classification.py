"""The task of sorting the edges of one graph into classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.inspection import Capture
from mmgraph.inspection.capture import prediction_draft
from mmgraph.inspection.draft import Limits
from mmgraph.inspection.recorder import embedding_draft
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.classification import Classification, scores

if TYPE_CHECKING:
    from mmgraph.graph import SparseFeatures
    from mmgraph.graph.networks.edge_classifier import EdgeClassifier


class EdgeClassification(Classification):
    """Sort edges into classes, all at once; of some the class is known, to learn from.

    All edges are in the graph that messages go along: that two nodes are joined is known of every edge, its class
    is not.

    Args:
        model: features, graph, pairs and what the edges bring → logits.
        features: what each node brings, dense or sparse.
        graph: `edge_index` or `Adjacency`.
        pairs: the edges to classify, by their ends.
        labels: class of every pair.
        splits: which pairs belong to "train", "validation" and "test".
        class_names: a name per class.
        items: what the pairs are.
        edge_attr: what each pair brings; None for nothing.

    Shapes:
        features (num_nodes, in_channels), pairs (2, n), labels (n,) int64, splits (n,) bool each, edge_attr
        (n, edge_channels).

    Raises:
        InputError: pairs, labels, parts and features of edges do not fit.
    """

    def __init__(
        self,
        model: EdgeClassifier,
        features: Tensor | SparseFeatures,
        graph: Any,
        pairs: Tensor,
        labels: Tensor,
        splits: Mapping[str, Tensor],
        *,
        class_names: Sequence[str],
        items: ItemSet,
        edge_attr: Tensor | None = None,
    ) -> None:
        super().__init__(model, class_names, items, Capture(model.encoder, kinds=("attention",), items=None))
        count = len(labels)
        rows = count if edge_attr is None else len(edge_attr)
        if pairs.shape != (2, count) or rows != count:
            raise InputError(
                f"Expected as many pairs and features of edges as labels, {count}, but got pairs of shape "
                f"{tuple(pairs.shape)} and {rows} rows of features."
            )
        for split, mask in splits.items():
            if mask.dtype != torch.bool or mask.shape != (count,) or not bool(mask.any()):
                raise InputError(
                    f"The {split} part is a boolean mask over {count} edges with at least one True, "
                    f"not {mask.dtype} of shape {tuple(mask.shape)} with {int(mask.sum())} set."
                )
        self.model: EdgeClassifier = model
        self._features, self._graph = features, graph
        self._pairs, self._labels, self._edge_attr = pairs, labels, edge_attr
        self._splits = dict(splits)

    def to(self, device: torch.device) -> None:
        """Move model, features, graph, pairs and labels to a device."""
        self.model.to(device)
        self._features, self._graph = self._features.to(device), self._graph.to(device)
        self._pairs, self._labels = self._pairs.to(device), self._labels.to(device)
        self._edge_attr = None if self._edge_attr is None else self._edge_attr.to(device)
        self._splits = {split: mask.to(device) for split, mask in self._splits.items()}

    def batches(self, epoch: int, start: int = 0) -> Iterator[None]:
        """The one batch there is: the graph."""
        yield None

    def loss(self, batch: None) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Cross-entropy and accuracy of the training edges."""
        return scores(*self.outputs("train"))

    def outputs(self, split: str) -> tuple[Tensor, Tensor]:
        """Logits and labels of a part of the edges."""
        mask = self._splits[split]
        edge_attr = None if self._edge_attr is None else self._edge_attr[mask]
        logits = self.model(self._features, self._graph, self._pairs[:, mask], edge_attr)
        return logits, self._labels[mask]

    def probe_inputs(self) -> tuple[Any, ...]:
        """What the encoder is looked at with: the whole graph."""
        return self._features, self._graph

    def probe(self) -> list[Snapshot]:
        """What is made of every edge, and what it is taken for; beside it what all classifications show."""
        was_training = self.model.training
        self.model.eval()
        with torch.no_grad():
            given = self._features, self._graph, self._pairs, self._edge_attr
            hidden, logits = self.model.embed(*given), self.model(*given)
        self.model.train(was_training)
        limits, snapshots = Limits(), super().probe()
        for draft in (
            embedding_draft("decoder", hidden, len(hidden), limits),
            prediction_draft(logits, limits),
        ):
            if draft is not None:
                draft.items = self._items.name
                snapshots.append(draft.snapshot())
        return snapshots

    def constants(self) -> list[Snapshot]:
        """The graph, whose edges are the items."""
        pairs, count = self._pairs.cpu().numpy().astype(np.int32), len(self._labels)
        return [Snapshot("graph", "graph", pairs, extras={"rows": np.arange(count, dtype=np.int64)})]

    def explain(self, item: int) -> list[Snapshot]:
        """The edges, and the features of nodes, that the class given to an edge hangs on."""
        from mmgraph.inspection.explanation import explain  # torch_geometric.explain takes a second to import

        if not 0 <= item < len(self._labels):
            raise InputError(f"Expected an edge from 0 to {len(self._labels) - 1}, but got {item}.")
        source, target = self._pairs[:, item].tolist()
        brings = {} if self._edge_attr is None else {"edge_attr": self._edge_attr[item : item + 1]}
        found = explain(self.model, self._features, self._graph, (source, target), inputs=brings)
        return [replace(found, answer=self.class_names[found.target]).snapshot()]
