"""The softmax over the entries of each row of a sparse matrix."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.kernels.row_blocks import in_row_blocks


def segment_softmax(scores: Tensor, rowptr: Tensor) -> Tensor:
    """Softmax over the entries of each row: the normalisation of attention over a node's incoming edges.

    αₑ = exp(sₑ − maxₖ sₖ) / Σₖ exp(sₖ − maxₖ sₖ), k over the entries of e's row

    Args:
        scores: one score per entry, or one per entry and head, in CSR order.
        rowptr: where each row starts, and the end of the last.

    Shapes:
        scores (E,) or (E, heads), rowptr (num_rows + 1,): result as scores.

    Raises:
        InputError: the row pointers and the scores do not belong together.
    """
    if rowptr.dim() != 1 or rowptr.numel() == 0 or scores.dim() == 0:
        raise InputError(
            f"Expected scores (E, …) and row pointers (num_rows + 1,), "
            f"but got {tuple(scores.shape)} and {tuple(rowptr.shape)}."
        )
    # Reading the pointers would make a GPU wait, so this is checked on the CPU only.
    if rowptr.device.type == "cpu":
        if int(rowptr[-1]) != scores.size(0):
            raise InputError(
                f"Expected row pointers that end at the number of scores, {scores.size(0)}, "
                f"but they end at {int(rowptr[-1])}."
            )
        if int(rowptr[0]) != 0 or bool((rowptr.diff() < 0).any()):
            raise InputError("Expected row pointers that start at 0 and never fall, but these do not.")
    half = scores.dtype in (torch.float16, torch.bfloat16)
    alpha: Tensor = _SegmentSoftmax.apply(scores.float() if half else scores, rowptr)  # type: ignore[no-untyped-call]
    return alpha.to(scores.dtype)


class _SegmentSoftmax(torch.autograd.Function):
    """∂L/∂sₑ = αₑ (gₑ − Σₖ αₖ gₖ), k over the entries of e's row."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, rowptr: Tensor) -> Tensor:
        if scores.device.type == "cpu":
            alpha = _softmax_on_cpu(scores, rowptr)
        else:
            largest = torch.segment_reduce(scores, "max", offsets=rowptr, axis=0)
            powers = torch.exp(scores - _spread(largest, rowptr, len(scores)))
            alpha = powers / _spread(_row_sums(powers, rowptr), rowptr, len(scores))
        ctx.save_for_backward(alpha, rowptr)
        return alpha

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (grad,) = grads
        alpha, rowptr = ctx.saved_tensors
        # Gradients are enabled here where this gradient will be differentiated itself.
        if alpha.device.type == "cpu" and not torch.is_grad_enabled():
            return _gradient_on_cpu(alpha, grad, rowptr), None
        mean = _row_sums(alpha * grad, rowptr)
        return alpha * (grad - _spread(mean, rowptr, len(alpha))), None


def _softmax_on_cpu(scores: Tensor, rowptr: Tensor) -> Tensor:
    # numba takes half a second to import, which only those pay who come here.
    from mmgraph.graph.kernels.head_kernels import divide_by_sums, subtract_largest

    starts = rowptr.contiguous().numpy()
    given = scores.contiguous().view(len(scores), scores.shape[1:].numel())
    alpha = torch.empty_like(given)
    source, result = given.numpy(), alpha.numpy()
    in_row_blocks(
        lambda first, last: subtract_largest(starts, source, first, last, result), starts, given.numel()
    )
    # torch's exponential fills vector registers, the compiler's does not.
    alpha.exp_()
    in_row_blocks(lambda first, last: divide_by_sums(starts, result, first, last), starts, given.numel())
    return alpha.view(scores.shape)


def _gradient_on_cpu(alpha: Tensor, grad: Tensor, rowptr: Tensor) -> Tensor:
    from mmgraph.graph.kernels.head_kernels import differentiate_softmax

    starts = rowptr.contiguous().numpy()
    shape = (len(alpha), alpha.shape[1:].numel())
    out = torch.empty_like(alpha)
    shares, slopes, result = (tensor.view(shape).numpy() for tensor in (alpha, grad.contiguous(), out))
    in_row_blocks(
        lambda first, last: differentiate_softmax(starts, shares, slopes, first, last, result),
        starts,
        alpha.numel(),
    )
    return out


def _row_sums(entries: Tensor, rowptr: Tensor) -> Tensor:
    return torch.segment_reduce(entries, "sum", offsets=rowptr, axis=0)


def _spread(rows: Tensor, rowptr: Tensor, num_entries: int) -> Tensor:
    return rows.repeat_interleave(rowptr.diff(), dim=0, output_size=num_entries)
