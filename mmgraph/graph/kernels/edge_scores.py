"""How much each target wants to hear of each source: scores of edges out of what their two ends bring."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmgraph.graph.kernels.pattern import SparsityPattern
from mmgraph.graph.kernels.row_blocks import in_row_blocks

_BLOCK = 1 << 22
"""Entries of edges × heads × channels looked at together: 16 MB of float32."""


def edge_scores(
    pattern: SparsityPattern, source: Tensor, target: Tensor, vector: Tensor, negative_slope: float
) -> Tensor:
    """Additive attention scores, per head.

    eᵢⱼ = ⟨v, LeakyReLU(sⱼ + tᵢ)⟩ on the entries (i, j) of the pattern

    Edges × channels are never held, for gradients neither. These come from the sums over a node's edges
    uᵢ = Σⱼ gᵢⱼ LeakyReLU′(sⱼ + tᵢ) and wⱼ = Σᵢ gᵢⱼ LeakyReLU′(sⱼ + tᵢ):
    ∂L/∂t = v u,  ∂L/∂s = v w,  ∂L/∂v = Σᵢ tᵢ uᵢ + Σⱼ sⱼ wⱼ.
    float16 and bfloat16 are computed in float32, and so is the result.

    Args:
        pattern: the edges.
        source: s.
        target: t.
        vector: v.
        negative_slope: of the LeakyReLU.

    Shapes:
        source (num_nodes, heads, channels), target as source, vector (heads, channels): (E, heads).
    """
    source, target, vector = (
        given.float() if given.dtype in (torch.float16, torch.bfloat16) else given
        for given in (source, target, vector)
    )
    if source.device.type != "cpu":
        return _in_blocks(pattern, source, target, vector, negative_slope)
    scores: Tensor = _EdgeScores.apply(pattern, source, target, vector, negative_slope)  # type: ignore[no-untyped-call]
    return scores


class _EdgeScores(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        pattern: SparsityPattern,
        source: Tensor,
        target: Tensor,
        vector: Tensor,
        negative_slope: float,
    ) -> Tensor:
        from mmgraph.graph.kernels.head_kernels import score

        ctx.pattern, ctx.negative_slope = pattern, negative_slope
        ctx.save_for_backward(source, target, vector)
        rowptr, col = pattern.kernel_arrays
        scores = source.new_empty(pattern.num_entries, source.size(1))
        s, t, v, out = (tensor.contiguous().numpy() for tensor in (source, target, vector, scores))
        in_row_blocks(
            lambda first, last: score(rowptr, col, s, t, v, negative_slope, first, last, out),
            rowptr,
            len(out) * v.size,
        )
        return scores

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor | None, Tensor | None, Tensor | None, None]:
        (grad,) = grads
        pattern, slope = ctx.pattern, ctx.negative_slope
        source, target, vector = ctx.saved_tensors
        # Gradients are enabled here where this gradient will be differentiated itself.
        if torch.is_grad_enabled():
            inputs = [source, target, vector]
            wanted = [
                given for given, needed in zip(inputs, ctx.needs_input_grad[1:4], strict=True) if needed
            ]
            scores = _in_blocks(pattern, source, target, vector, slope)
            found = iter(torch.autograd.grad(scores, wanted, grad, create_graph=True))
            grad_source, grad_target, grad_vector = (
                next(found) if needed else None for needed in ctx.needs_input_grad[1:4]
            )
            return None, grad_source, grad_target, grad_vector, None
        reversed_, entries = pattern.transpose
        u = _sum_slopes(pattern, grad, target, source, slope)
        w = _sum_slopes(reversed_, grad.index_select(0, entries), source, target, slope)
        sums = None
        if ctx.needs_input_grad[3]:
            sums = torch.einsum("nhc,nhc->hc", target, u) + torch.einsum("nhc,nhc->hc", source, w)
        return None, w.mul_(vector), u.mul_(vector), sums, None


def _sum_slopes(pattern: SparsityPattern, grad: Tensor, own: Tensor, other: Tensor, slope: float) -> Tensor:
    from mmgraph.graph.kernels.head_kernels import sum_slopes

    rowptr, col = pattern.kernel_arrays
    total = torch.empty_like(own, memory_format=torch.contiguous_format)
    g, mine, theirs, out = (tensor.contiguous().numpy() for tensor in (grad, own, other, total))
    in_row_blocks(
        lambda first, last: sum_slopes(rowptr, col, g, mine, theirs, slope, first, last, out),
        rowptr,
        len(g) * mine[:1].size,
    )
    return total


def _in_blocks(
    pattern: SparsityPattern, source: Tensor, target: Tensor, vector: Tensor, slope: float
) -> Tensor:
    """The scores out of torch's operators, a block of edges after the other, and again for their gradients."""

    def scores_of(source: Tensor, target: Tensor, vector: Tensor, col: Tensor, row: Tensor) -> Tensor:
        pairs = nn.functional.leaky_relu(source.index_select(0, col) + target.index_select(0, row), slope)
        return (pairs * vector).sum(-1)

    # The gradient of a block is as large as all nodes, so a block has at least as many edges.
    size = max(pattern.num_rows, _BLOCK // max(vector.numel(), 1), 1)
    if pattern.num_entries <= size:
        return scores_of(source, target, vector, pattern.col, pattern.row)
    blocks: list[Tensor] = [
        checkpoint(scores_of, source, target, vector, col, row, use_reentrant=False, preserve_rng_state=False)
        for col, row in zip(pattern.col.split(size), pattern.row.split(size), strict=True)
    ]
    return torch.cat(blocks)
