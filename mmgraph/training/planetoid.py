"""The task of Planetoid: vectors of nodes that predict both their context and, from few labels, their class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mmgraph.graph.embeddings.planetoid_training import PIECES, PlanetoidTraining
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.classification import confusion
from mmgraph.training.node_embedding import NodeEmbedding


class PlanetoidEmbedding(NodeEmbedding):
    """Contexts alone in the first epochs, then contexts and one step down the gradient on the labels in each.

    Args:
        training: the network and its steps.
        labels: of all nodes.
        splits: masks of the parts.
        items, constants: as for NodeEmbedding.

    Shapes:
        labels (N,), masks (N,) bool.
    """

    monitor = "validation/accuracy"

    def __init__(
        self,
        training: PlanetoidTraining,
        labels: NDArray[np.int64],
        splits: Mapping[str, NDArray[np.bool_]],
        items: ItemSet,
        constants: Sequence[Snapshot] = (),
    ) -> None:
        super().__init__(self._score, items, constants)
        self.model = training.network
        self._training, self._network = training, training.network
        self._labels = torch.from_numpy(labels)
        self._splits = {name: torch.from_numpy(np.flatnonzero(mask)) for name, mask in splits.items()}
        self._context_loss = 0.0

    def batches(self, epoch: int, start: int = 0) -> Iterator[int]:
        """The number of the one step of an epoch."""
        yield epoch

    def own_step(self, batch: int, learning_rate: float) -> Mapping[str, float] | None:
        """Learn from contexts; the first epochs are nothing but that."""
        self._context_loss = self._training.learn_contexts(batch)
        return {"context_loss": self._context_loss} if batch < PIECES else None

    def loss(self, batch: int) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Cross-entropy of the training nodes."""
        return self._training.label_loss(), {"context_loss": torch.tensor(self._context_loss)}

    def parameter_groups(self, weight_decay: float) -> list[dict[str, object]]:
        """Layers, and vectors, which labels move slowly and nothing decays."""
        return self._training.parameter_groups(weight_decay)

    def embedding(self) -> NDArray[np.float32]:
        """The vectors as they are, (N, d)."""
        return self._network.vectors()

    def probe(self) -> list[Snapshot]:
        """Vectors, predictions, and the confusion of validation nodes."""
        logits = self._all_logits()
        held = self._splits["validation"]
        counts = confusion(logits[held].argmax(1), self._labels[held], logits.shape[1])
        notes = {"classes": list(self._items.class_names)}
        return [
            *super().probe(),
            Snapshot("prediction", "output", logits.softmax(1).numpy(), items=self._items.name),
            Snapshot("matrix", "confusion/validation", counts.numpy(), notes=notes),
        ]

    def _score(self, embedding: NDArray[np.float32], split: str) -> dict[str, float]:
        nodes = self._splits[split]
        logits, labels = self._all_logits()[nodes], self._labels[nodes]
        return {
            f"{split}/loss": float(F.cross_entropy(logits, labels)),
            f"{split}/accuracy": float((logits.argmax(1) == labels).float().mean()),
        }

    def _all_logits(self) -> Tensor:
        self._network.eval()
        with torch.no_grad():
            logits: Tensor = self._network(self._network.features)
        return logits
