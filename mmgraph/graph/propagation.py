"""Products with a sparse matrix and the softmax over its rows, with gradients that are never dense."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.edge_masking import message_weight

if TYPE_CHECKING:
    from mmgraph.graph.adjacency import Adjacency
    from mmgraph.graph.pattern import SparsityPattern

# torch warns once per process that its CSR layout is in beta; it is said here so that no user's first step is
# interrupted by it.
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta state")
    torch.sparse_csr_tensor(
        torch.zeros(1, dtype=torch.int64),
        torch.zeros(0, dtype=torch.int64),
        torch.zeros(0),
        (0, 0),
        check_invariants=False,
    )


def propagate(adjacency: Adjacency, x: Tensor, weight: Tensor | None = None) -> Tensor:
    """Sum over incoming edges.

    yᵢ = Σ_{j→i} aᵢⱼ xⱼ, that is Y = A X

    Gradients: ∂L/∂X = Aᵀ G, and ∂L/∂aᵢⱼ = ⟨gᵢ, xⱼ⟩ on the edges only; both can be differentiated again.
    bfloat16 and float16 are computed in float32 and cast back.

    Args:
        adjacency: the graph; its values are aᵢⱼ, or 1 where it has none.
        x: what is sent along the edges.
        weight: aᵢⱼ in CSR order in place of the adjacency's values, one per edge or one per edge and head.

    Shapes:
        x (num_nodes, …), weight (E,): result as x.
        x (num_nodes, heads, channels), weight (E, heads): result as x.

    Raises:
        InputError: x or weight does not fit the graph.
    """
    pattern = adjacency.pattern
    if not isinstance(x, Tensor):
        raise InputError(
            f"Expected features as a dense tensor, but got {type(x).__name__}: multiply them with a weight first, "
            f"or use x.to_dense()."
        )
    if x.dim() == 0 or x.size(0) != pattern.num_rows:
        raise InputError(
            f"Expected features with one row per node, ({pattern.num_rows}, …), but got {tuple(x.shape)}."
        )
    if not x.is_floating_point():
        raise InputError(f"Expected floating-point features, but got {x.dtype}: convert with x.float().")
    dtype = torch.float32 if x.dtype in (torch.float16, torch.bfloat16) else x.dtype
    reversed_weight = None
    if weight is None:
        weight, reversed_weight = _own_weights(adjacency, x, dtype)
    _check_weight(weight, x, pattern)
    mask = message_weight(pattern)
    if mask is not None:
        weight, reversed_weight = weight * (mask if weight.dim() == 1 else mask.unsqueeze(1)), None

    weight, messages = weight.to(dtype), x.to(dtype)
    if weight.dim() == 1:
        messages = messages.reshape(len(x), x.shape[1:].numel())
        result = sparse_product(pattern, weight, messages, reversed_weight).view(x.shape)
    else:
        heads = zip(weight.unbind(1), messages.unbind(1), strict=True)
        result = torch.stack([sparse_product(pattern, w, m) for w, m in heads], dim=1)
    return result.to(x.dtype)


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
    # Reading the last pointer would make a GPU wait, so this is checked on the CPU only.
    if rowptr.device.type == "cpu" and int(rowptr[-1]) != scores.size(0):
        raise InputError(
            f"Expected row pointers that end at the number of scores, {scores.size(0)}, "
            f"but they end at {int(rowptr[-1])}."
        )
    half = scores.dtype in (torch.float16, torch.bfloat16)
    alpha: Tensor = _SegmentSoftmax.apply(scores.float() if half else scores, rowptr)  # type: ignore[no-untyped-call]
    return alpha.to(scores.dtype)


def sparse_product(
    pattern: SparsityPattern, value: Tensor, x: Tensor, reversed_value: Tensor | None = None
) -> Tensor:
    """Y = A(v) X, differentiable in v and X as often as wanted; inputs are valid and at least float32.

    Args:
        pattern: where v is.
        value: v.
        x: X.
        reversed_value: v in the order of the transposed pattern, where it is known and v needs no gradient.

    Shapes:
        value (E,), x (num_cols, channels): (num_rows, channels).
    """
    result: Tensor = _SparseDense.apply(pattern, value, x, reversed_value)  # type: ignore[no-untyped-call]
    return result


def _sampled_product(pattern: SparsityPattern, a: Tensor, b: Tensor) -> Tensor:
    result: Tensor = _SampledDenseDense.apply(pattern, a, b)  # type: ignore[no-untyped-call]
    return result


class _SparseDense(torch.autograd.Function):
    """Y = A(v) X. Its derivatives are itself on the transpose, and the sampled product."""

    @staticmethod
    def forward(
        ctx: Any, pattern: SparsityPattern, value: Tensor, x: Tensor, reversed_value: Tensor | None
    ) -> Tensor:
        ctx.pattern = pattern
        # X is as large as all messages' sources, and needed only where the values are learned.
        ctx.save_for_backward(value, x if ctx.needs_input_grad[1] else None, reversed_value)
        return _multiply(pattern, value, x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor | None, Tensor | None, None]:
        (grad,) = grads
        value, x, reversed_value = ctx.saved_tensors
        grad_value = grad_x = None
        if ctx.needs_input_grad[1]:
            grad_value = _sampled_product(ctx.pattern, grad, x)
        if ctx.needs_input_grad[2]:
            reversed_, entries = ctx.pattern.transpose
            if reversed_value is None:
                reversed_value = value.index_select(0, entries)
            grad_x = sparse_product(reversed_, reversed_value, grad, value)
        return None, grad_value, grad_x, None


class _SampledDenseDense(torch.autograd.Function):
    """vᵢⱼ = ⟨aᵢ, bⱼ⟩ on the entries of the pattern. Its derivatives are sparse-dense products."""

    @staticmethod
    def forward(ctx: Any, pattern: SparsityPattern, a: Tensor, b: Tensor) -> Tensor:
        ctx.pattern = pattern
        ctx.save_for_backward(a, b)
        zeros = _matrix(pattern, a.new_zeros(pattern.num_entries))
        with torch.autocast(a.device.type, enabled=False):
            result: Tensor = torch.sparse.sampled_addmm(zeros, a, b.t(), beta=0.0).values()
            return result

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor | None, Tensor | None]:
        (grad,) = grads
        a, b = ctx.saved_tensors
        grad_a = grad_b = None
        if ctx.needs_input_grad[1]:
            grad_a = sparse_product(ctx.pattern, grad, b)
        if ctx.needs_input_grad[2]:
            reversed_, entries = ctx.pattern.transpose
            grad_b = sparse_product(reversed_, grad.index_select(0, entries), a)
        return None, grad_a, grad_b


class _SegmentSoftmax(torch.autograd.Function):
    """∂L/∂sₑ = αₑ (gₑ − Σₖ αₖ gₖ), k over the entries of e's row."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, rowptr: Tensor) -> Tensor:
        largest = torch.segment_reduce(scores, "max", offsets=rowptr, axis=0)
        powers = torch.exp(scores - _spread(largest, rowptr, len(scores)))
        alpha = powers / _spread(_row_sums(powers, rowptr), rowptr, len(scores))
        ctx.save_for_backward(alpha, rowptr)
        return alpha

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (grad,) = grads
        alpha, rowptr = ctx.saved_tensors
        mean = _row_sums(alpha * grad, rowptr)
        return alpha * (grad - _spread(mean, rowptr, len(alpha))), None


def _row_sums(entries: Tensor, rowptr: Tensor) -> Tensor:
    return torch.segment_reduce(entries, "sum", offsets=rowptr, axis=0)


def _spread(rows: Tensor, rowptr: Tensor, num_entries: int) -> Tensor:
    return rows.repeat_interleave(rowptr.diff(), dim=0, output_size=num_entries)


def _own_weights(adjacency: Adjacency, x: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor | None]:
    """The weights of a graph in CSR order, and in that of its transpose where gradients of x will ask for it."""
    if adjacency.value is None:
        ones = x.new_ones(adjacency.num_edges, dtype=dtype)
        return ones, ones
    if adjacency.value.requires_grad or not x.requires_grad:
        return adjacency.value, None
    return adjacency.value, adjacency.transpose().weight(dtype)


def _multiply(pattern: SparsityPattern, value: Tensor, x: Tensor) -> Tensor:
    matrix = _matrix(pattern, value)
    if x.device.type != "cpu":
        with torch.autocast(x.device.type, enabled=False):
            return matrix @ x
    # With beta = 0 what is in `out` is not read; `matrix @ x` would fill a result with zeros and copy it first.
    out = x.new_empty(pattern.num_rows, x.size(1))
    with torch.autocast("cpu", enabled=False):
        return torch.addmm(out, matrix, x, beta=0, out=out)


def _matrix(pattern: SparsityPattern, value: Tensor) -> Tensor:
    rowptr, col = pattern.kernel_indices
    size = (pattern.num_rows, pattern.num_cols)
    return torch.sparse_csr_tensor(rowptr, col, value.contiguous(), size, check_invariants=False)


def _check_weight(weight: Tensor, x: Tensor, pattern: SparsityPattern) -> None:
    per_edge = weight.shape == (pattern.num_entries,)
    per_head = weight.dim() == 2 and x.dim() == 3 and weight.shape == (pattern.num_entries, x.size(1))
    if not (per_edge or per_head):
        raise InputError(
            f"Expected one weight per edge, ({pattern.num_entries},), or per edge and head with features "
            f"(num_nodes, heads, channels), but got weights {tuple(weight.shape)} and "
            f"features {tuple(x.shape)}."
        )
    if not weight.device == x.device == pattern.col.device:
        raise InputError(
            f"Expected graph, weights and features on one device, but they are on {pattern.col.device}, "
            f"{weight.device} and {x.device}: move the graph with adjacency.to(x.device)."
        )
