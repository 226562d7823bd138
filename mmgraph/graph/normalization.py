"""Weights divided by the degrees of the nodes they join."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from mmgraph.errors import InputError

if TYPE_CHECKING:
    from mmgraph.graph.adjacency import Adjacency

Normalization = Literal["sym", "row", "none"]


def normalized_value(graph: Adjacency, kind: Normalization, dtype: torch.dtype) -> Tensor | None:
    """sym: aᵢⱼ / √(dᵢ dⱼ);  row: aᵢⱼ / dᵢ;  none: aᵢⱼ, with dᵢ = Σⱼ aᵢⱼ, in CSR order; None for 1 each.

    Raises:
        InputError: a negative weight where kind is "sym" or "row".
    """
    if kind == "none":
        return None if graph.value is None else graph.value.to(dtype)
    value = graph.weight(dtype)
    # GPU synchronisation, once per graph.
    if graph.value is not None and bool((value < 0).any()):
        raise InputError(
            f"Expected weights ≥ 0 for the normalisation '{kind}', but the smallest is {value.min().item():g}: "
            f"use the normalisation 'none'."
        )
    degree = value.new_zeros(graph.num_nodes).index_add(0, graph.row, value)
    positive = degree > 0
    degree = torch.where(positive, degree, 1)
    if kind == "row":
        return value / degree[graph.row]
    scale = torch.where(positive, degree.pow(-0.5), 0)
    return scale[graph.row] * value * scale[graph.col]
