"""The task of sorting whole graphs into classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.graph import GraphBatch, GraphStack
from mmgraph.inspection import Capture
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.classification import Classification, scores

EVALUATION_GRAPHS = 512
"""Graphs that are looked at in one forward pass without gradients."""


class GraphClassification(Classification):
    """Classify whole graphs, in random batches.

    After every epoch the graphs of "test" are looked at too and recorded as fold/loss and fold/accuracy, for
    protocols that average such curves over the folds of a cross-validation. Nothing is decided by them: what is
    best is decided by "validation", and where there is none, the last weights are tested.

    Args:
        model: (features, graph, batch) → logits (graphs, classes).
        features: of the nodes of all graphs.
        stack: the graphs.
        labels: class of each graph.
        splits: which graphs belong to "train", "test" and, if to any, "validation".
        class_names: a name per class.
        items: what the graphs are.
        capture: what to look at, given all graphs.
        attention: what sees the attention between nodes, and the graphs in which it is looked at; None for nothing.
        batch_size: graphs in a batch.
        iterations: batches in an epoch, each drawn anew without repetition; None goes over every graph once.
        seed: of the batches.

    Shapes:
        features (nodes, channels), labels (graphs,) int64, splits (graphs,) bool each.

    Raises:
        InputError: parts do not fit together, or a split is empty.
    """

    def __init__(
        self,
        model: nn.Module,
        features: Tensor,
        stack: GraphStack,
        labels: Tensor,
        splits: Mapping[str, Tensor],
        *,
        class_names: Sequence[str],
        items: ItemSet,
        capture: Capture,
        attention: tuple[Capture, Tensor] | None = None,
        batch_size: int = 32,
        iterations: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(model, class_names, items, capture)
        if len(features) != stack.adjacency.num_nodes or len(labels) != len(stack):
            raise InputError(
                f"Expected features of {stack.adjacency.num_nodes} nodes and labels of {len(stack)} graphs, but got "
                f"{len(features)} and {len(labels)}."
            )
        for split, mask in splits.items():
            if mask.dtype != torch.bool or mask.shape != labels.shape or not bool(mask.any()):
                raise InputError(
                    f"The {split} part is a boolean mask over {len(labels)} graphs with at least one True, "
                    f"not {mask.dtype} of shape {tuple(mask.shape)} with {int(mask.sum())} set."
                )
        self._features, self._stack, self._labels = features, stack, labels
        self._members = {split: mask.nonzero().flatten() for split, mask in splits.items()}
        self._attention, self._seed = attention, seed
        self._batch_size, self._iterations = batch_size, iterations
        self._prepared: dict[str, list[tuple[tuple[Any, ...], Tensor]]] = {}
        self._as_edges = False
        whole = -(-len(self._members["train"]) // batch_size)
        self.batches_per_epoch = whole if iterations is None else iterations

    def to(self, device: torch.device) -> None:
        """Move model, features, graphs and labels to a device."""
        self.model.to(device)
        self._features, self._labels = self._features.to(device), self._labels.to(device)
        self._stack = self._stack.to(device)
        self._members = {split: graphs.to(device) for split, graphs in self._members.items()}
        self._prepared.clear()

    def adopt(self, model: nn.Module) -> None:
        """Try somebody's own model: (features (nodes, channels), `edge_index`, graph of each node) → logits."""
        self._adopt(model, Capture(model, kinds=("embedding", "prediction"), items=None))
        self._attention, self._as_edges = None, True  # as every other library hands them over
        self._prepared.clear()

    def batches(self, epoch: int, start: int = 0) -> Iterator[Tensor]:
        """Numbers of the graphs in each batch; they depend on the seed and the epoch alone."""
        members = self._members["train"]
        generator = torch.Generator().manual_seed((self._seed * 1_000_003 + epoch) % 2**63)
        size = self._batch_size
        if self._iterations is None:
            order = torch.randperm(len(members), generator=generator)
            rows = list(order.split(size))
        else:
            rows = [torch.randperm(len(members), generator=generator)[:size] for _ in range(self._iterations)]
        for chosen in rows[start:]:
            yield members[chosen.to(members.device)]

    def loss(self, batch: Tensor) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Cross-entropy and accuracy of a batch."""
        return scores(self.model(*self._inputs(self._stack.select(batch))), self._labels[batch])

    def evaluate(self, split: str = "validation") -> dict[str, float]:
        """Loss and accuracy on a part of the graphs; beside those on validation, those on the fold held out."""
        if split != "validation":
            return super().evaluate(split)
        held_out = super().evaluate("test")
        found = {name.replace("test/", "fold/"): value for name, value in held_out.items()}
        return super().evaluate("validation") | found if "validation" in self._members else found

    def outputs(self, split: str) -> tuple[Tensor, Tensor]:
        """Logits and labels of a part of the graphs."""
        if split not in self._prepared:
            self._prepared[split] = [
                (self._inputs(self._stack.select(part)), self._labels[part])
                for part in self._members[split].split(EVALUATION_GRAPHS)
            ]
        parts = self._prepared[split]
        return torch.cat([self.model(*inputs) for inputs, _ in parts]), torch.cat([y for _, y in parts])

    def probe(self) -> list[Snapshot]:
        """All graphs as items, and who attends to whom inside of a few."""
        graphs = len(self._stack)
        found = [
            replace(snapshot, items=self._items.name)
            if snapshot.axes[0] == "items" and len(snapshot.array) == graphs
            else snapshot
            for snapshot in super().probe()
        ]
        return found if self._attention is None else found + self._attention_maps(*self._attention)

    def probe_inputs(self) -> tuple[Any, ...]:
        """All graphs."""
        if "all" not in self._prepared:
            chosen = torch.arange(len(self._stack), device=self._labels.device)
            self._prepared["all"] = [(self._inputs(self._stack.select(chosen)), self._labels)]
        return self._prepared["all"][0][0]

    def _attention_maps(self, capture: Capture, chosen: Tensor) -> list[Snapshot]:
        """One map of targets (rows) and sources for each graph and head, zero beyond the nodes of smaller graphs."""
        graphs = self._stack.select(chosen.to(self._labels.device))
        graph_of = graphs.batch.cpu().numpy()
        sizes = np.bincount(graph_of, minlength=len(chosen))
        starts, largest = np.cumsum(sizes) - sizes, int(sizes.max())
        snapshots = []
        for seen in capture.capture(*self._inputs(graphs)):
            source, target = seen.extras["edge_index"]
            graph = graph_of[target]
            maps = np.zeros((len(chosen), largest, largest, len(seen.array)), dtype=np.float32)
            np.add.at(maps, (graph, target - starts[graph], source - starts[graph]), seen.array.T)
            snapshots.append(
                Snapshot(
                    "attention",
                    seen.layer,
                    np.ascontiguousarray(maps.transpose(0, 3, 1, 2)),
                    items=self._items.name,
                    extras={"rows": chosen.cpu().numpy()},
                )
            )
        return snapshots

    def _inputs(self, graphs: GraphBatch) -> tuple[Any, ...]:
        graph = graphs.graph.edge_index if self._as_edges else graphs.graph
        return self._features[graphs.nodes], graph, graphs.batch
