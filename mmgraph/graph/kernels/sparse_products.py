"""Products with a sparse matrix, with gradients that are never dense and can be differentiated again."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mmgraph.graph.kernels.row_blocks import in_row_blocks

if TYPE_CHECKING:
    from mmgraph.graph.kernels.pattern import SparsityPattern

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


def sparse_product(
    pattern: SparsityPattern, value: Tensor, x: Tensor, reversed_value: Tensor | None = None
) -> Tensor:
    """Y = A(v) X, differentiable in v and X as often as wanted; inputs are valid and at least float32.

    Args:
        pattern: where v is.
        value: v; with heads Yₕ = A(vₕ) Xₕ.
        x: X.
        reversed_value: v in the order of the transposed pattern, where it is known and v needs no gradient.

    Shapes:
        value (E,), x (num_cols, channels): (num_rows, channels).
        value (E, heads), x (num_cols, heads, channels): (num_rows, heads, channels).
    """
    result: Tensor = _SparseDense.apply(pattern, value, x, reversed_value)  # type: ignore[no-untyped-call]
    return result


def sampled_product(pattern: SparsityPattern, a: Tensor, b: Tensor) -> Tensor:
    """vₑ = ⟨aᵢ, bⱼ⟩ on the entries (i, j) of the pattern, as often differentiable.

    Shapes:
        a (num_rows, channels), b (num_cols, channels): (E,).
        a (num_rows, heads, channels), b (num_cols, heads, channels): (E, heads).
    """
    result: Tensor = _SampledDenseDense.apply(pattern, a, b)  # type: ignore[no-untyped-call]
    return result


class _SparseDense(torch.autograd.Function):
    """Its derivatives are itself on the transpose, and the sampled product."""

    @staticmethod
    def forward(
        ctx: Any, pattern: SparsityPattern, value: Tensor, x: Tensor, reversed_value: Tensor | None
    ) -> Tensor:
        ctx.pattern = pattern
        # X would be kept for the gradient of the values alone.
        ctx.save_for_backward(value, x if ctx.needs_input_grad[1] else None, reversed_value)
        return _multiply(pattern, value, x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor | None, Tensor | None, None]:
        (grad,) = grads
        value, x, reversed_value = ctx.saved_tensors
        grad_value = grad_x = None
        if ctx.needs_input_grad[1]:
            grad_value = sampled_product(ctx.pattern, grad, x)
        if ctx.needs_input_grad[2]:
            reversed_, entries = ctx.pattern.transpose
            if reversed_value is None:
                reversed_value = value.index_select(0, entries)
            grad_x = sparse_product(reversed_, reversed_value, grad, value)
        return None, grad_value, grad_x, None


class _SampledDenseDense(torch.autograd.Function):
    """Its derivatives are sparse-dense products."""

    @staticmethod
    def forward(ctx: Any, pattern: SparsityPattern, a: Tensor, b: Tensor) -> Tensor:
        ctx.pattern = pattern
        ctx.save_for_backward(a, b)
        return _sample(pattern, a, b)

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


def _multiply(pattern: SparsityPattern, value: Tensor, x: Tensor) -> Tensor:
    on_cpu = x.device.type == "cpu"
    if value.dim() == 2 and on_cpu:
        return _multiply_heads(pattern, value, x)
    if value.dim() == 2:
        heads = zip(value.unbind(1), x.unbind(1), strict=True)
        return torch.stack([_multiply(pattern, v, h) for v, h in heads], dim=1)
    matrix = _matrix(pattern, value)
    with torch.autocast(x.device.type, enabled=False):
        if not on_cpu:
            return matrix @ x
        # With beta = 0 what is in `out` is not read; `matrix @ x` would first fill a result with zeros and copy it.
        out = x.new_empty(pattern.num_rows, x.size(1))
        return torch.addmm(out, matrix, x, beta=0, out=out)


def _sample(pattern: SparsityPattern, a: Tensor, b: Tensor) -> Tensor:
    if a.dim() == 3 and a.device.type == "cpu":
        return _sample_heads(pattern, a, b)
    if a.dim() == 3:
        heads = zip(a.unbind(1), b.unbind(1), strict=True)
        return torch.stack([_sample(pattern, i, j) for i, j in heads], dim=1)
    zeros = _matrix(pattern, a.new_zeros(pattern.num_entries))
    with torch.autocast(a.device.type, enabled=False):
        result: Tensor = torch.sparse.sampled_addmm(zeros, a, b.t(), beta=0.0).values()
        return result


def _multiply_heads(pattern: SparsityPattern, value: Tensor, x: Tensor) -> Tensor:
    # numba takes half a second to import, which only those pay who come here.
    from mmgraph.graph.kernels.head_kernels import multiply

    rowptr, col = pattern.kernel_arrays
    out = x.new_empty(pattern.num_rows, *x.shape[1:])
    v, messages, result = value.contiguous().numpy(), x.contiguous().numpy(), out.numpy()
    in_row_blocks(
        lambda first, last: multiply(rowptr, col, v, messages, first, last, result),
        rowptr,
        value.size(0) * messages[:1].size,
    )
    return out


def _sample_heads(pattern: SparsityPattern, a: Tensor, b: Tensor) -> Tensor:
    from mmgraph.graph.kernels.head_kernels import sample

    rowptr, col = pattern.kernel_arrays
    out = a.new_empty(pattern.num_entries, a.size(1))
    own, other, result = a.contiguous().numpy(), b.contiguous().numpy(), out.numpy()
    in_row_blocks(
        lambda first, last: sample(rowptr, col, own, other, first, last, result),
        rowptr,
        len(result) * own[:1].size,
    )
    return out


def _matrix(pattern: SparsityPattern, value: Tensor) -> Tensor:
    rowptr, col = pattern.kernel_indices
    size = (pattern.num_rows, pattern.num_cols)
    return torch.sparse_csr_tensor(rowptr, col, value.contiguous(), size, check_invariants=False)
