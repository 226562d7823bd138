"""The task of classifying nodes of a graph that does not go through the network at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.networks.gnn import GNN
from mmgraph.graph.sampling.clusters import ClusterBatches
from mmgraph.graph.sampling.inference import hops_of, infer
from mmgraph.graph.sampling.loader import NeighborLoader, NodeBatch
from mmgraph.training.classification import NodeClassification, scores


class BatchedNodeClassification(NodeClassification):
    """Learn from sampled neighbourhoods or clusters; evaluate with all neighbours, layer by layer in batches.

    Networks that look at the whole graph in one of their layers are evaluated on it at once.

    Args:
        loader: what gives the batches; its graph and features stay where they are.

    Other arguments, shapes and errors as of `NodeClassification`.
    """

    model: GNN

    def __init__(self, *args: Any, loader: NeighborLoader | ClusterBatches, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self._loader, self._device = loader, torch.device("cpu")
        self.batches_per_epoch = len(loader)

    def to(self, device: torch.device) -> None:
        """Move model, labels and what the probe reads to a device."""
        super().to(device)
        self._device = device

    def batches(self, epoch: int, start: int = 0) -> Iterator[NodeBatch]:  # type: ignore[override]
        """The batches of the loader, on the device."""
        return (batch.to(self._device) for batch in self._loader.batches(epoch, start))

    def loss(self, batch: NodeBatch) -> tuple[Tensor, Mapping[str, Tensor]]:  # type: ignore[override]
        """Cross-entropy and accuracy of the training nodes of a batch.

        Raises:
            InputError: the batch has none.
        """
        counts = self._splits["train"][batch.targets]
        # GPU synchronisation.
        if not bool(counts.any()):
            raise InputError("A batch holds no node of the training part: choose larger batches.")
        logits = self.model(batch.x, batch.adjacency)[: batch.num_targets]
        return scores(logits[counts], self._labels[batch.targets][counts])

    def outputs(self, split: str) -> tuple[Tensor, Tensor]:
        """Logits and labels of a part of the nodes, from all of their neighbours."""
        if hops_of(self.model) is None:
            return super().outputs(split)
        loader = self._loader
        logits = infer(self.model, loader.features, loader.graph, device=self._device).to(self._device)
        mask = self._splits[split]
        return logits[mask], self._labels[mask]
