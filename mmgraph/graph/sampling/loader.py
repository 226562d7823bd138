"""Batches of nodes with their sampled neighbourhoods and features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.sampling.features import FeatureStore, check_store, rows_of
from mmgraph.graph.sampling.neighbours import NeighborSampler, key_of_batch
from mmgraph.graph.sampling.prefetching import prefetched
from mmgraph.graph.sparse_features import Features


@dataclass(frozen=True)
class NodeBatch:
    """A part of a graph that a network is trained on: `model(batch.x, batch.adjacency)[:batch.num_targets]`.

    Args:
        adjacency: the part.
        nodes: the number of each of its nodes in the whole graph; those whose outputs count come first.
        num_targets: how many these are.
        x: the features of its nodes.
        edge_attr: one row per edge in the order given, where the whole graph has them.

    Shapes:
        nodes (n,), x (n, …), edge_attr (E, …).
    """

    adjacency: Adjacency
    nodes: Tensor
    num_targets: int
    x: Features
    edge_attr: Tensor | None = None

    @property
    def targets(self) -> Tensor:
        """The nodes whose outputs count, by their numbers in the whole graph, (num_targets,)."""
        return self.nodes[: self.num_targets]

    def to(self, device: torch.device) -> NodeBatch:
        """The batch on another device."""
        return replace(
            self,
            adjacency=self.adjacency.to(device),
            nodes=self.nodes.to(device),
            x=self.x.to(device),
            edge_attr=None if self.edge_attr is None else self.edge_attr.to(device),
        )


class NeighborLoader:
    """Goes through some nodes in batches, each with its neighbourhood, sampled while the one before is trained on.

    A batch is a function of (seed, epoch, position): a run that goes on in the middle of an epoch gets the very
    batches it would have got.

    Args:
        graph: the whole graph, on the CPU.
        features: of all its nodes: a tensor, SparseFeatures, or an array such as `open_features` gives.
        nodes: whose outputs count, such as those of the training part.
        fan_out: how many incoming edges are drawn at each hop, one per layer; −1 for all.
        batch_size: nodes in a batch; the last batch of an epoch may have fewer.
        replace: draw edges with replacement.
        shuffle: whether every epoch has an order of its own.
        seed: of order and draws.
        prefetch: how many batches may wait; 0 samples when asked, without a thread.
        edge_attr: one row per edge, in the order the edges were given in.

    Shapes:
        nodes (n,) integers.

    Raises:
        InputError: an argument is out of range or does not fit the graph.
    """

    def __init__(
        self,
        graph: Adjacency,
        features: FeatureStore,
        nodes: Tensor,
        fan_out: Sequence[int],
        batch_size: int = 1024,
        *,
        replace: bool = False,
        shuffle: bool = True,
        seed: int = 0,
        prefetch: int = 2,
        edge_attr: Tensor | None = None,
    ) -> None:
        self.sampler = NeighborSampler(graph, fan_out, replace=replace, seed=seed)
        check_store(features, graph.num_nodes)
        if batch_size < 1:
            raise InputError(f"Expected at least one node in a batch, but got batch_size = {batch_size}.")
        if edge_attr is not None and len(edge_attr) != graph.num_edges:
            raise InputError(f"Expected one row per edge, {graph.num_edges}, but got {len(edge_attr)}.")
        self.graph, self.features = graph, features
        self.nodes = nodes
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.prefetch = prefetch
        self._edge_attr = None if edge_attr is None else edge_attr[graph.order]

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.nodes) // self.batch_size)

    def batches(self, epoch: int = 0, start: int = 0) -> Iterator[NodeBatch]:
        """The batches of an epoch from position `start` on."""
        nodes = self.nodes
        if self.shuffle:
            generator = torch.Generator().manual_seed(key_of_batch(self.sampler.seed, epoch) >> 1)
            nodes = nodes[torch.randperm(len(nodes), generator=generator)]

        def make(position: int) -> NodeBatch:
            first = position * self.batch_size
            found = self.sampler.sample(nodes[first : first + self.batch_size], epoch, position)
            edge_attr = None if self._edge_attr is None else self._edge_attr[found.edges]
            x = rows_of(self.features, found.nodes)
            return NodeBatch(found.adjacency, found.nodes, found.num_seeds, x, edge_attr)

        return prefetched(make, range(start, len(self)), self.prefetch)
