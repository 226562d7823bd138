"""A smaller graph of the nodes that matter most."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.arguments import check_channels
from mmgraph.graph.networks.pooling import checked_batch
from mmgraph.graph.sparse_features import check_features


class Pooled(NamedTuple):
    """The smaller graphs; `kept` says which nodes they are of."""

    x: Tensor
    graph: Adjacency
    batch: Tensor
    kept: Tensor


class TopKPooling(nn.Module):
    """Keeps in every graph the share of nodes that score highest, and the edges between them.

    sᵢ = tanh(xᵢ · p / ‖p‖),  kept: the ⌈ratio · n⌉ largest of each graph with n nodes,  yᵢ = sᵢ xᵢ

    Of equal scores the node with the smaller number is kept; kept nodes stay in order.

    Args:
        in_channels: features per node.
        ratio: share of nodes to keep, above 0 and up to 1.

    Shapes:
        x (num_nodes, in_channels), graph with num_nodes nodes, batch (num_nodes,):
        x (num_kept, in_channels), graph with num_kept nodes, batch (num_kept,), kept (num_kept,).

    Raises:
        InputError: the ratio is out of range, or features, graph and batch do not fit.

    Source: Gao and Ji, Graph U-Nets, ICML 2019.
    Differs: tanh instead of the logistic function, as in Cangea et al., Towards Sparse Hierarchical Graph
    Classifiers, 2018.
    """

    def __init__(self, in_channels: int, *, ratio: float = 0.5) -> None:
        super().__init__()
        check_channels(in_channels, in_channels)
        if not 0 < ratio <= 1:
            raise InputError(f"Expected a ratio above 0 and up to 1, but got {ratio}.")
        self.in_channels = in_channels
        self.ratio = ratio
        self.weight = nn.Parameter(torch.empty(in_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """p uniform on ± 1 / √in_channels."""
        bound = 1 / math.sqrt(self.in_channels)
        nn.init.uniform_(self.weight, -bound, bound)

    def forward(self, x: Tensor, graph: Adjacency | Tensor, batch: Tensor | None = None) -> Pooled:
        check_features(x, self.in_channels)
        batch, num_graphs = checked_batch(x, batch, None)
        adjacency = Adjacency.of(graph, len(x))
        score = torch.tanh((x @ self.weight) / self.weight.norm())
        kept = self._kept(score.detach(), batch, num_graphs)
        return Pooled(x[kept] * score[kept].unsqueeze(1), adjacency.subgraph(kept), batch[kept], kept)

    def _kept(self, score: Tensor, batch: Tensor, num_graphs: int) -> Tensor:
        order = torch.argsort(score, descending=True, stable=True)
        order = order[torch.argsort(batch[order], stable=True)]
        sizes = torch.bincount(batch, minlength=num_graphs)
        starts = sizes.cumsum(0) - sizes
        rank = torch.arange(len(score), device=score.device) - starts[batch[order]]
        # In float64, so that 0.1 · 30 is not rounded up to 4 nodes.
        limit = torch.ceil(sizes.double() * self.ratio - 1e-9).long()
        return order[rank < limit[batch[order]]].sort().values

    def extra_repr(self) -> str:
        return f"{self.in_channels}, ratio={self.ratio}"
