"""Batches that are clusters of nodes with all edges among them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmgraph.compiled import kernel
from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.kernels.pattern import SparsityPattern
from mmgraph.graph.partitioning.multilevel import partition_graph
from mmgraph.graph.sampling.features import FeatureStore, check_store, rows_of
from mmgraph.graph.sampling.loader import NodeBatch
from mmgraph.graph.sampling.neighbours import key_of_batch
from mmgraph.graph.sampling.prefetching import prefetched


class ClusterBatches:
    """Goes through a graph cluster by cluster; a batch is some clusters, drawn anew every epoch, and all edges inside.

    Normalisations are those of the batch as a graph of its own, as in the paper; every convolution takes it, the
    spectral ones too. What a node receives from outside of the batch is missing, the less the fewer edges are cut.

    Args:
        graph: the whole graph, on the CPU.
        features: of all its nodes, as for `NeighborLoader`.
        num_clusters: into how many `partition_graph` cuts it, unless `clusters` are given.
        clusters_per_batch: how many make a batch; the last one of an epoch may have fewer.
        clusters: the cluster of every node, 0, 1, ….
        shuffle: whether every epoch combines them anew.
        seed: of partition and order; a batch is a function of (seed, epoch, position).
        prefetch: how many batches may wait.
        edge_attr: one row per edge, in the order given.

    Shapes:
        clusters (num_nodes,) integers, edge_attr (E, …).

    Raises:
        InputError: an argument is out of range or does not fit the graph.

    Source: Chiang et al., Cluster-GCN, KDD 2019 (stochastic multiple partitions).
    """

    def __init__(
        self,
        graph: Adjacency,
        features: FeatureStore,
        num_clusters: int = 100,
        clusters_per_batch: int = 10,
        *,
        clusters: Tensor | None = None,
        shuffle: bool = True,
        seed: int = 0,
        prefetch: int = 2,
        edge_attr: Tensor | None = None,
    ) -> None:
        check_store(features, graph.num_nodes)
        if graph.device.type != "cpu":
            raise InputError(
                f"Expected a graph on the CPU, but it is on {graph.device}: use graph.to('cpu')."
            )
        if clusters_per_batch < 1:
            raise InputError(f"Expected at least one cluster in a batch, but got {clusters_per_batch}.")
        if edge_attr is not None and len(edge_attr) != graph.num_edges:
            raise InputError(f"Expected one row per edge, {graph.num_edges}, but got {len(edge_attr)}.")
        if clusters is None:
            clusters = partition_graph(graph, num_clusters, seed=seed)
        elif (
            clusters.shape != (graph.num_nodes,) or clusters.is_floating_point() or bool((clusters < 0).any())
        ):
            raise InputError(
                f"Expected the cluster of each of {graph.num_nodes} nodes, but got {clusters.dtype} of shape "
                f"{tuple(clusters.shape)}."
            )
        self.graph, self.features = graph, features
        self.clusters = clusters
        self.clusters_per_batch = clusters_per_batch
        self.shuffle, self.seed, self.prefetch = shuffle, seed, prefetch
        self._members = list(torch.argsort(clusters, stable=True).split(clusters.bincount().tolist()))
        self._edge_attr = None if edge_attr is None else edge_attr[graph.order]

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-len(self._members) // self.clusters_per_batch)

    def batches(self, epoch: int = 0, start: int = 0) -> Iterator[NodeBatch]:
        """The batches of an epoch from position `start` on; all outputs of each count."""
        order = torch.arange(len(self._members))
        if self.shuffle:
            generator = torch.Generator().manual_seed(key_of_batch(self.seed, epoch) >> 1)
            order = torch.randperm(len(order), generator=generator)

        def make(position: int) -> NodeBatch:
            first = position * self.clusters_per_batch
            chosen = order[first : first + self.clusters_per_batch]
            nodes = torch.cat([self._members[cluster] for cluster in chosen.tolist()]).sort().values
            adjacency, edges = induced(self.graph, nodes)
            edge_attr = None if self._edge_attr is None else self._edge_attr[edges]
            return NodeBatch(adjacency, nodes, len(nodes), rows_of(self.features, nodes), edge_attr)

        return prefetched(make, range(start, len(self)), self.prefetch)


def induced(graph: Adjacency, nodes: Tensor) -> tuple[Adjacency, Tensor]:
    """Ascending nodes with the edges among them, and the place of each edge in the whole graph, in CSR order.

    Reads the rows of these nodes only, unlike `Adjacency.subgraph`, which takes nodes in any order and reads all.

    Shapes:
        nodes (n,) int64, edges (E,) int64.
    """
    rowptr, col = (index.numpy() for index in graph.pattern.kernel_indices)
    rows = nodes.numpy()
    new_rowptr = np.zeros(len(rows) + 1, np.int64)
    number_of = np.full(graph.num_nodes, -1, np.int32)
    number_of[rows] = np.arange(len(rows))
    _count_inside(rowptr, col, rows, number_of, new_rowptr)
    new_col, edges = np.empty(new_rowptr[-1], np.int64), np.empty(new_rowptr[-1], np.int64)
    _copy_inside(rowptr, col, rows, number_of, new_col, edges)
    places = torch.from_numpy(edges)
    pattern = SparsityPattern(
        torch.from_numpy(new_rowptr), torch.from_numpy(new_col), torch.arange(len(new_col))
    )
    return Adjacency(pattern, None if graph.value is None else graph.value[places]), places


@kernel
def _count_inside(rowptr: Any, col: Any, rows: Any, number_of: Any, new_rowptr: Any) -> None:
    for i in range(len(rows)):
        count = 0
        for edge in range(rowptr[rows[i]], rowptr[rows[i] + 1]):
            count += number_of[col[edge]] >= 0
        new_rowptr[i + 1] = new_rowptr[i] + count


@kernel
def _copy_inside(rowptr: Any, col: Any, rows: Any, number_of: Any, new_col: Any, edges: Any) -> None:
    at = 0
    for i in range(len(rows)):
        for edge in range(rowptr[rows[i]], rowptr[rows[i] + 1]):
            here = number_of[col[edge]]
            if here >= 0:
                new_col[at], edges[at] = here, edge
                at += 1
