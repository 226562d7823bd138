"""Which neighbour has the largest value, by compiled kernels for the CPU, and gradients through that choice."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mmgraph.compiled import kernel
from mmgraph.graph.kernels.pattern import SparsityPattern
from mmgraph.graph.kernels.row_blocks import in_row_blocks

Indices = npt.NDArray[np.integer]
Floats = npt.NDArray[np.floating]


def largest_over_row(pattern: SparsityPattern, x: Tensor) -> Tensor:
    """yᵢ = maxⱼ xⱼ over the entries (i, j), each channel on its own; 0 in empty rows.

    For every row and channel it is kept which column won; the gradient goes there. Of equal ones the first wins;
    NaN is larger than every number.

    Shapes:
        x (num_cols, channels), at least float32: (num_rows, channels).
    """
    result: Tensor = _Largest.apply(pattern, x)  # type: ignore[no-untyped-call]
    return result


class _Largest(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pattern: SparsityPattern, x: Tensor) -> Tensor:
        rowptr, col = pattern.kernel_arrays
        largest = x.new_empty(pattern.num_rows, x.size(1))
        index = torch.empty(largest.shape, dtype=pattern.kernel_indices[1].dtype)
        given, best, winners = x.contiguous().numpy(), largest.numpy(), index.numpy()
        in_row_blocks(
            lambda first, last: find_largest_sources(rowptr, col, given, first, last, best, winners),
            rowptr,
            pattern.num_entries * x.size(1),
        )
        ctx.num_cols = len(x)
        ctx.save_for_backward(index)
        return largest

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor]:
        (index,) = ctx.saved_tensors
        return None, _Scattered.apply(index, grads[0], ctx.num_cols)  # type: ignore[no-untyped-call]


class _Scattered(torch.autograd.Function):
    """Every number of a row added to the row that won its channel."""

    @staticmethod
    def forward(ctx: Any, index: Tensor, x: Tensor, num_rows: int) -> Tensor:
        ctx.save_for_backward(index)
        result = x.new_zeros(num_rows, x.size(1))
        winners, given, total = index.numpy(), x.contiguous().numpy(), result.numpy()
        # Threads share the channels: no two of them write to the same number, in an order that is always the same.
        in_row_blocks(
            lambda first, last: scatter(winners, given, first, last, total),
            np.arange(x.size(1) + 1),
            x.numel(),
        )
        return result

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor, None]:
        (index,) = ctx.saved_tensors
        return None, _Picked.apply(index, grads[0]), None  # type: ignore[no-untyped-call]


class _Picked(torch.autograd.Function):
    """For every number the one of the row that won its channel, 0 where none did."""

    @staticmethod
    def forward(ctx: Any, index: Tensor, x: Tensor) -> Tensor:
        ctx.num_rows = len(x)
        ctx.save_for_backward(index)
        return x.gather(0, index.clamp_min(0).long()).masked_fill_(index < 0, 0)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor]:
        (index,) = ctx.saved_tensors
        return None, _Scattered.apply(index, grads[0], ctx.num_rows)  # type: ignore[no-untyped-call]


@kernel
def find_largest_sources(
    rowptr: Indices, col: Indices, x: Floats, first: int, last: int, best: Floats, winners: Indices
) -> None:
    """Write for each row from `first` to `last` and each channel the largest x, and the column it is from; −1 and 0
    where the row is empty.

    Shapes:
        rowptr (num_rows + 1,), col (E,), x (num_cols, channels), best and winners (num_rows, channels).
    """
    channels = x.shape[1]
    largest, winner = np.empty(channels, x.dtype), np.empty(channels, winners.dtype)
    for row in range(first, last):
        start, end = rowptr[row], rowptr[row + 1]
        if start == end:
            best[row] = 0
            winners[row] = -1
            continue
        largest[:] = x[col[start]]
        winner[:] = col[start]
        for entry in range(start + 1, end):
            source = col[entry]
            values = x[source]
            for channel in range(channels):
                value, before = values[channel], largest[channel]
                wins = (not value <= before) & (before == before)
                largest[channel] = value if wins else before
                winner[channel] = source if wins else winner[channel]
        best[row] = largest
        winners[row] = winner


@kernel
def scatter(winners: Indices, x: Floats, first: int, last: int, out: Floats) -> None:
    """out_{w(i c) c} += xᵢ꜀ for the channels from `first` to `last`, nothing where w is negative.

    Shapes:
        winners and x (num_rows, channels), out (num_cols, channels).
    """
    for row in range(len(x)):
        for channel in range(first, last):
            winner = winners[row, channel]
            if winner >= 0:
                out[winner, channel] += x[row, channel]
