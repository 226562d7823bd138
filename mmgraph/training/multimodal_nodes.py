"""Tasks on graphs whose nodes carry several modalities: classes, retrieval by a metric loss, and links."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mmgraph.errors import InputError
from mmgraph.fusion.multimodal_gnn import MultimodalGNN
from mmgraph.graph import Adjacency, LinkSplit, NegativeSampler, NeighborSampler
from mmgraph.inspection import Capture
from mmgraph.metric import MetricLoss, retrieval_scores
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.classification import Classification, scores
from mmgraph.training.link_prediction import ranking_scores


@dataclass(frozen=True)
class ModalNodes:
    """What the nodes of a graph carry.

    Args:
        inputs: rows of each modality; at nodes without it they may hold anything.
        present: which nodes have a modality; all of them where it is not named.
        graph: over the nodes.

    Shapes:
        inputs (nodes, …) each, present (nodes,) bool each.
    """

    inputs: Mapping[str, Tensor]
    present: Mapping[str, Tensor]
    graph: Adjacency

    def __post_init__(self) -> None:
        lengths = {name: len(rows) for name, rows in (*self.inputs.items(), *self.present.items())}
        if set(lengths.values()) != {self.graph.num_nodes}:
            raise InputError(
                f"Expected a row for each of {self.graph.num_nodes} nodes in every modality, but got {lengths}."
            )

    def to(self, device: torch.device) -> ModalNodes:
        """The same on another device."""
        return ModalNodes(
            {name: rows.to(device) for name, rows in self.inputs.items()},
            {name: mask.to(device) for name, mask in self.present.items()},
            self.graph.to(device),
        )

    def arguments(self, graph: Adjacency | None = None, nodes: Tensor | None = None) -> tuple[Any, ...]:
        """What the model is called with: all nodes, or some of them with a part of the graph."""
        if graph is None or nodes is None:
            return self.inputs, self.graph, self.present
        return (
            {name: rows[nodes] for name, rows in self.inputs.items()},
            graph,
            {name: mask[nodes] for name, mask in self.present.items()},
        )


@dataclass(frozen=True)
class Sampling:
    """How neighbourhoods are drawn: one fan-out per layer, and seeds in a batch."""

    fan_out: tuple[int, ...]
    batch_size: int


class MultimodalNodes(Classification):
    """Say of which class nodes are.

    Args:
        model: what the nodes carry, and their graph, to one row per node.
        nodes: the graph and what its nodes carry.
        labels: class of every node.
        splits: which nodes belong to "train", "validation" and "test".
        class_names: a name per class.
        items: what the nodes are.
        capture: what to look at, given what the model is given.
        sampling: batches of sampled neighbourhoods, read by the encoders end to end; None for the whole graph.
        constants: snapshots that never change, such as the graph.
        seed: of the batches.

    Shapes:
        labels (nodes,) int64, splits (nodes,) bool each.

    Raises:
        InputError: a part has no node.
    """

    model: MultimodalGNN

    def __init__(
        self,
        model: MultimodalGNN,
        nodes: ModalNodes,
        labels: Tensor,
        splits: Mapping[str, Tensor],
        *,
        class_names: Sequence[str],
        items: ItemSet,
        capture: Capture,
        sampling: Sampling | None = None,
        constants: Sequence[Snapshot] = (),
        seed: int = 0,
    ) -> None:
        super().__init__(model, class_names, items, capture)
        for part, mask in splits.items():
            if mask.shape != labels.shape or not bool(mask.any()):
                raise InputError(f"The {part} part needs at least one of the {len(labels)} nodes.")
        self._nodes, self._labels, self._splits = nodes, labels, dict(splits)
        self._constants, self._seed = list(constants), seed
        self._seeds = splits["train"].nonzero().flatten()
        self._sampling = sampling
        self._sampler = (
            None if sampling is None else NeighborSampler(nodes.graph, sampling.fan_out, seed=seed)
        )
        if sampling is not None:
            self.batches_per_epoch = -(-len(self._seeds) // sampling.batch_size)

    def to(self, device: torch.device) -> None:
        """Move model, graph, labels and what the nodes carry to a device; neighbourhoods are drawn on the CPU."""
        self.model.to(device)
        self._nodes, self._labels = self._nodes.to(device), self._labels.to(device)
        self._splits = {part: mask.to(device) for part, mask in self._splits.items()}

    def batches(self, epoch: int, start: int = 0) -> Iterator[tuple[tuple[Any, ...], Tensor]]:
        """What the model is called with, and the nodes whose answers count: the first ones of a neighbourhood."""
        device = self._labels.device
        if self._sampler is None or self._sampling is None:
            yield self._nodes.arguments(), self._seeds.to(device)
            return
        generator = torch.Generator().manual_seed((self._seed * 1_000_003 + epoch) % 2**63)
        order = self._seeds[torch.randperm(len(self._seeds), generator=generator)]
        size = self._sampling.batch_size
        for position in range(start, self.batches_per_epoch):
            seeds = order[position * size : (position + 1) * size]
            found = self._sampler.sample(seeds, epoch, position)
            around = found.nodes.to(device)
            yield self._nodes.arguments(found.adjacency.to(device), around), around[: len(seeds)]

    def answers(self, batch: tuple[tuple[Any, ...], Tensor]) -> tuple[Tensor, Tensor]:
        """Rows of the model that count, and their nodes."""
        arguments, seeds = batch
        rows = self.model(*arguments)
        return (rows[seeds] if self._sampler is None else rows[: len(seeds)]), seeds

    def loss(self, batch: tuple[tuple[Any, ...], Tensor]) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Cross-entropy and accuracy of the training nodes of a batch."""
        logits, seeds = self.answers(batch)
        return scores(logits, self._labels[seeds])

    def outputs(self, split: str) -> tuple[Tensor, Tensor]:
        """Logits and labels of a part of the nodes, from all of their neighbours."""
        mask = self._splits[split]
        return self.model(*self._nodes.arguments())[mask], self._labels[mask]

    def probe_inputs(self) -> tuple[Any, ...]:
        """The whole graph."""
        return self._nodes.arguments()

    def probe(self) -> list[Snapshot]:
        """Look inside the model, and at what each modality contributes."""
        return [*super().probe(), *self.contributed()]

    def contributed(self) -> list[Snapshot]:
        """What each modality contributes to the answers."""
        shares = self.model.contributions(*self._nodes.arguments())
        return shares.snapshots(self._labels, self.class_names)

    def constants(self) -> list[Snapshot]:
        """The graph."""
        return self._constants


class MultimodalRetrieval(MultimodalNodes):
    """Bring nodes of one class together and others apart, so that a node finds its like.

    Args:
        loss: of the metric.

    Others as of `MultimodalNodes`; rows of the model are vectors.
    """

    monitor = "validation/map@r"

    def __init__(self, *args: Any, metric: MetricLoss, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self._metric = metric

    def loss(self, batch: tuple[tuple[Any, ...], Tensor]) -> tuple[Tensor, Mapping[str, Tensor]]:
        """The metric loss of the training nodes of a batch."""
        vectors, seeds = self.answers(batch)
        loss: Tensor = self._metric(vectors, self._labels[seeds])
        return loss, {}

    def evaluate(self, split: str = "validation") -> dict[str, float]:
        """Retrieval among the nodes of a part."""
        self.model.eval()
        with torch.no_grad():
            vectors, labels = self.outputs(split)
            found = retrieval_scores(vectors, labels, distance=self._metric.distance, ks=(1, 5))
        return {f"{split}/{name}": value for name, value in found.items()}

    def probe(self) -> list[Snapshot]:
        """The vectors themselves beside what `MultimodalNodes` shows, which answers with no class."""
        kept = self._capture.capture(*self.probe_inputs())
        training = self.model.training
        self.model.eval()
        with torch.no_grad():
            vectors = self.model(*self._nodes.arguments())
        self.model.train(training)
        seen = Snapshot("embedding", "vectors", vectors.float().cpu().numpy(), items=self._items.name)
        return [seen, *kept, *(self.contributed() if self.model.fusion.is_weighing else [])]


class MultimodalLinks(MultimodalNodes):
    """Tell links that were held back from pairs of nodes that are none, by the dot product of their vectors.

    loss = ½ (mean over links of −log σ(u·v) + mean over other pairs of −log(1 − σ(u·v)))

    Args:
        split: the links of each part; messages go along the training links, the graph of `nodes`.

    Others as of `MultimodalNodes`, whole graph only; rows of the model are vectors.
    """

    monitor = "validation/auc"

    def __init__(self, *args: Any, split: LinkSplit, **rest: Any) -> None:
        super().__init__(*args, **rest)
        if self._sampling is not None:
            raise InputError("Links are learned on the whole graph: leave the sampling out.")
        self._links, self._non_links = dict(split.links), dict(split.non_links)
        self._negatives = NegativeSampler(split.links["train"], split.graph.num_nodes)

    def batches(self, epoch: int, start: int = 0) -> Iterator[tuple[tuple[Any, ...], Tensor]]:
        """The whole graph, and pairs that are no training links, by the seed and the epoch alone."""
        generator = torch.Generator().manual_seed((self._seed * 1_000_003 + epoch) % 2**63)
        drawn = self._negatives.sample(self._links["train"].size(1), generator)
        yield self._nodes.arguments(), drawn.to(self._labels.device)

    def loss(self, batch: tuple[tuple[Any, ...], Tensor]) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Cross-entropy of the training links and as many other pairs."""
        arguments, others = batch
        vectors = self.model(*arguments)
        links = self._links["train"].to(others.device)
        loss = (
            -F.logsigmoid(_likeness(vectors, links)).mean() - F.logsigmoid(-_likeness(vectors, others)).mean()
        )
        return loss / 2, {}

    def evaluate(self, split: str = "validation") -> dict[str, float]:
        """Area under the curve and average precision of the links of a part."""
        self.model.eval()
        part: Any = split
        with torch.no_grad():
            vectors = self.model(*self._nodes.arguments())
            pairs = torch.cat([self._links[part], self._non_links[part]], dim=1).to(vectors.device)
            likeness = _likeness(vectors, pairs)
        is_link = torch.arange(pairs.size(1)) < self._links[part].size(1)
        return {f"{split}/{name}": value for name, value in ranking_scores(likeness, is_link).items()}

    def probe(self) -> list[Snapshot]:
        """As of `MultimodalNodes`, without classes to predict."""
        seen = self._capture.capture(*self.probe_inputs())
        return [*seen, *(self.contributed() if self.model.fusion.is_weighing else [])]


def _likeness(vectors: Tensor, pairs: Tensor) -> Tensor:
    return (vectors[pairs[0]] * vectors[pairs[1]]).sum(dim=1)
