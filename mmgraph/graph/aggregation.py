"""What a node makes of the many messages it receives: their sum, mean or largest."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.arguments import check_name
from mmgraph.graph.edge_masking import message_weight
from mmgraph.graph.kernels.pattern import SparsityPattern

Aggregation = Literal["mean", "max", "sum"]

# Messages looked at together: 8 MB of float32, which stay in the cache.
_BLOCK = 1 << 21


def propagate_max(adjacency: Adjacency, x: Tensor) -> Tensor:
    """Largest over incoming edges, each channel on its own; 0 where there are none.

    yᵢ = max_{j→i} xⱼ

    Weights of the graph do not enter. Edges × channels are never held at once: for every node and channel it
    is kept which source won. The gradient goes to that one; of equal sources one wins.

    Args:
        adjacency: the graph.
        x: what is sent along the edges.

    Shapes:
        x (num_nodes, channels): result as x.

    Raises:
        InputError: x does not fit the graph.
    """
    if not isinstance(x, Tensor) or x.dim() != 2 or x.size(0) != adjacency.num_nodes:
        got = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
        raise InputError(f"Expected dense features ({adjacency.num_nodes}, channels), but got {got}.")
    if x.numel() == 0:
        return x
    mask = message_weight(adjacency.pattern)
    if mask is not None:
        messages = x.index_select(0, adjacency.col) * mask.unsqueeze(1)
        return _reduced(adjacency, messages, "max")
    return _largest(adjacency.pattern, x)


def aggregate(adjacency: Adjacency, messages: Tensor, aggregation: Aggregation = "sum") -> Tensor:
    """What reaches every node of messages that differ from edge to edge; 0 where there are no edges.

    sum: Σₑ mₑ;  mean: Σₑ mₑ / number of them;  max: maxₑ mₑ, its gradient shared by equal ones;  e into i

    Args:
        adjacency: the graph; its weights do not enter.
        messages: one per edge, in CSR order.
        aggregation: "mean", "max" or "sum".

    Shapes:
        messages (E, channels): (num_nodes, channels).

    Raises:
        InputError: not one message per edge.
        UnknownNameError: there is no such aggregation.
    """
    check_name("aggregation", aggregation, get_args(Aggregation))
    if messages.dim() != 2 or messages.size(0) != adjacency.num_edges:
        raise InputError(
            f"Expected one message per edge, ({adjacency.num_edges}, channels), "
            f"but got {tuple(messages.shape)}."
        )
    mask = message_weight(adjacency.pattern)
    if mask is not None:
        messages = messages * mask.unsqueeze(1)
    return _reduced(adjacency, messages, aggregation)


def _reduced(adjacency: Adjacency, messages: Tensor, aggregation: Aggregation) -> Tensor:
    zeros = messages.new_zeros(adjacency.num_nodes, messages.size(1))
    if aggregation == "max":
        rows = adjacency.row.unsqueeze(1).expand_as(messages)
        return zeros.scatter_reduce(0, rows, messages, "amax", include_self=False)
    total = zeros.index_add(0, adjacency.row, messages)
    if aggregation == "mean":
        total = total / adjacency.rowptr.diff().clamp_min(1).unsqueeze(1)
    return total


def _largest(pattern: SparsityPattern, x: Tensor) -> Tensor:
    if x.device.type != "cpu":
        return _largest_in_blocks(pattern, x)
    # numba takes half a second to import, which only those pay who come here.
    from mmgraph.graph.kernels.largest_source import largest_over_row

    half = x.dtype in (torch.float16, torch.bfloat16)
    return largest_over_row(pattern, x.float() if half else x).to(x.dtype)


def _largest_in_blocks(pattern: SparsityPattern, x: Tensor) -> Tensor:
    """The same out of torch's operators, for other devices."""
    largest = x.gather(0, _winners_in_blocks(pattern, x.detach()))
    return torch.where(pattern.rowptr.diff().unsqueeze(1) > 0, largest, 0)


@torch.no_grad()
def _winners_in_blocks(pattern: SparsityPattern, x: Tensor) -> Tensor:
    """For every row and channel the column whose x is the largest, 0 in empty rows; rows of one length at a time."""
    winners = torch.zeros(pattern.num_rows, x.size(1), dtype=torch.int64, device=x.device)
    for degree, rows in pattern.rows_by_length:
        steps = torch.arange(degree, device=x.device)
        width = min(x.size(1), max(1, _BLOCK // degree))
        for part in rows.split(max(1, _BLOCK // (degree * width))):
            sources = pattern.col[pattern.rowptr[part].unsqueeze(1) + steps]
            for start in range(0, x.size(1), width):
                channels = slice(start, start + width)
                winner = x[:, channels][sources].argmax(dim=1)
                winners[part, channels] = sources.gather(1, winner)
    return winners
