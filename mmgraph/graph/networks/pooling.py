"""One vector per graph out of the vectors of its nodes."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.graph.arguments import check_channels, check_name
from mmgraph.graph.kernels.edge_softmax import segment_softmax

Pooling = Literal["sum", "mean", "max"]


def pool(x: Tensor, batch: Tensor | None, kind: Pooling = "mean", num_graphs: int | None = None) -> Tensor:
    """Sum, mean or largest over the nodes of each graph; 0 for a graph without nodes.

    Args:
        x: features of the nodes of all graphs.
        batch: which graph each node belongs to, in any order; None for one graph.
        kind: "sum", "mean" or "max"; the gradient of a maximum is shared by equal nodes.
        num_graphs: without it, one more than the largest in `batch`.

    Shapes:
        x (num_nodes, channels), batch (num_nodes,) integers: (num_graphs, channels).

    Raises:
        InputError: batch does not fit the features.
        UnknownNameError: there is no such kind.
    """
    check_name("pooling", kind, get_args(Pooling))
    batch, num_graphs = checked_batch(x, batch, num_graphs)
    zeros = x.new_zeros(num_graphs, x.size(1))
    if kind == "max":
        return zeros.scatter_reduce(0, batch.unsqueeze(1).expand_as(x), x, "amax", include_self=False)
    total = zeros.index_add(0, batch, x)
    if kind == "mean":
        total = total / torch.bincount(batch, minlength=num_graphs).clamp_min(1).unsqueeze(1)
    return total


class AttentionPooling(nn.Module):
    """A weighted mean over the nodes of each graph, with weights that the nodes' features decide.

    y_g = Σ_{i in g} αᵢ transform(xᵢ),  α = softmax over g of gate(xᵢ)

    Args:
        channels: features per node.
        gate: takes (num_nodes, channels) to one score per node, (num_nodes, 1); a linear map by default.
        transform: takes the features to those that are averaged; nothing by default.

    Shapes:
        x (num_nodes, channels), batch (num_nodes,): (num_graphs, channels).

    Raises:
        InputError: batch does not fit the features.

    Source: Li, Tarlow, Brockschmidt and Zemel, Gated Graph Sequence Neural Networks, ICLR 2016.
    """

    def __init__(
        self, channels: int, *, gate: nn.Module | None = None, transform: nn.Module | None = None
    ) -> None:
        super().__init__()
        check_channels(channels, channels)
        self.gate = gate or nn.Linear(channels, 1)
        self.transform = transform or nn.Identity()

    def forward(self, x: Tensor, batch: Tensor | None = None, num_graphs: int | None = None) -> Tensor:
        batch, num_graphs = checked_batch(x, batch, num_graphs)
        return pool(self.attention(x, batch, num_graphs) * self.transform(x), batch, "sum", num_graphs)

    def attention(self, x: Tensor, batch: Tensor | None = None, num_graphs: int | None = None) -> Tensor:
        """The weight of every node, (num_nodes, 1); over each graph they sum to 1."""
        batch, num_graphs = checked_batch(x, batch, num_graphs)
        order = torch.argsort(batch, stable=True)
        sizes = torch.bincount(batch, minlength=num_graphs)
        offsets = torch.cat([sizes.new_zeros(1), sizes.cumsum(0)])
        alpha = segment_softmax(self.gate(x).index_select(0, order), offsets)
        return torch.zeros_like(alpha).index_copy(0, order, alpha)


def checked_batch(x: Tensor, batch: Tensor | None, num_graphs: int | None) -> tuple[Tensor, int]:
    """Which graph each node belongs to, and how many graphs there are.

    Raises:
        InputError: not one graph ≥ 0 and < num_graphs per node.
    """
    if not isinstance(x, Tensor) or x.dim() != 2:
        got = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
        raise InputError(f"Expected dense features (num_nodes, channels), but got {got}.")
    if batch is None:
        return torch.zeros(
            len(x), dtype=torch.int64, device=x.device
        ), 1 if num_graphs is None else num_graphs
    if not isinstance(batch, Tensor) or batch.shape != (len(x),):
        got = tuple(batch.shape) if isinstance(batch, Tensor) else type(batch).__name__
        raise InputError(f"Expected the graph of every node, ({len(x)},), but got {got}.")
    if batch.is_floating_point() or batch.is_complex() or batch.dtype == torch.bool:
        raise InputError(f"Expected the graph of every node as an integer, but got {batch.dtype}.")
    if len(batch) == 0:
        return batch.long(), num_graphs or 0
    # GPU synchronisation.
    smallest, largest = (int(bound) for bound in torch.aminmax(batch))
    if smallest < 0 or (num_graphs is not None and largest >= num_graphs):
        limit = "" if num_graphs is None else f" and < {num_graphs}"
        raise InputError(f"Expected graphs ≥ 0{limit}, but batch goes from {smallest} to {largest}.")
    return batch.long(), largest + 1 if num_graphs is None else num_graphs
