"""Sums over the incoming edges of every node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.edge_masking import message_weight
from mmgraph.graph.kernels.sparse_products import sparse_product

if TYPE_CHECKING:
    from mmgraph.graph.adjacency import Adjacency
    from mmgraph.graph.kernels.pattern import SparsityPattern


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
        result = sparse_product(pattern, weight, messages)
    return result.to(x.dtype)


def _own_weights(adjacency: Adjacency, x: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor | None]:
    """The weights of a graph in CSR order, and in that of its transpose where gradients of x will ask for it."""
    if adjacency.value is None:
        ones = x.new_ones(adjacency.num_edges, dtype=dtype)
        return ones, ones
    if adjacency.value.requires_grad or not x.requires_grad:
        return adjacency.value, None
    return adjacency.value, adjacency.transpose().weight(dtype)


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
