"""Dropout whose random numbers cost little."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmgraph.graph.kernels.row_blocks import in_row_blocks

_LEVELS = 1 << 16
"""A probability is one of so many, 16 random bits per decision."""
_WORTH_A_KERNEL = 1 << 20
"""Entries below which importing numba takes longer than what its kernel saves."""


def drop(x: Tensor, p: float) -> Tensor:
    """Set entries to zero with probability p, and divide the others by 1 − p.

    On the CPU p is rounded to a multiple of 2⁻¹⁶, and one random word decides on four entries: a fifth of the time
    of torch's, which draws a double for each, and a quarter of its memory for the gradient. Where there are many
    entries they are read once and nothing is kept for the gradient but the key of the random numbers.

    Source: Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, JMLR 2014.
    """
    level = round(p * _LEVELS)
    if x.device.type != "cpu" or not 0 < level < _LEVELS:
        return nn.functional.dropout(x, p)
    lowest = torch.iinfo(torch.int64).min
    if x.numel() >= _WORTH_A_KERNEL and x.dtype in (torch.float32, torch.float64):
        key = int(torch.empty((), dtype=torch.int64).random_(lowest, None))
        dropped: Tensor = _Drop.apply(x, key, level)  # type: ignore[no-untyped-call]
        return dropped
    words = torch.empty((x.numel() + 3) // 4, dtype=torch.int64).random_(lowest, None)
    bits = words.view(torch.int16)[: x.numel()].view(x.shape)
    kept = bits >= level - _LEVELS // 2
    return (x * kept).mul_(_LEVELS / (_LEVELS - level))


class _Drop(torch.autograd.Function):
    """Its derivative is itself with the same random numbers."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, key: int, level: int) -> Tensor:
        # numba takes half a second to import, which only those pay who come here.
        from mmgraph.graph.kernels.random_zeros_kernel import BLOCK, drop_blocks

        ctx.key, ctx.level = key, level
        given = x.detach().contiguous().view(-1).numpy()
        out = np.empty_like(given)
        bounds = np.arange(0, len(given) + BLOCK, BLOCK)
        scale, key_bits = given.dtype.type(_LEVELS / (_LEVELS - level)), np.uint64(key % 2**64)
        in_row_blocks(
            lambda first, last: drop_blocks(given, key_bits, level, scale, first, last, out),
            bounds,
            len(given),
        )
        return torch.from_numpy(out).view(x.shape)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        dropped: Tensor = _Drop.apply(grads[0], ctx.key, ctx.level)  # type: ignore[no-untyped-call]
        return dropped, None, None
