"""Weigh the messages along each edge of a graph, in every layer that runs inside: what explanations are made of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.edge_list import checked_num_nodes

if TYPE_CHECKING:
    from mmgraph.graph.kernels.pattern import SparsityPattern

_current: ContextVar[EdgeMask | None] = ContextVar("edge mask", default=None)


class EdgeMask:
    """Weights of the messages along given edges.

    Layers add self-loops, sort edges and leave edges out. What belongs to an edge is found by its two ends, of
    parallel edges by their order; entries that stand for no edge given, such as added self-loops, keep weight 1.

    Args:
        edge_index: the edges.
        weight: of the messages along each of them.

    Shapes:
        edge_index (2, E), weight (E,).
    """

    def __init__(self, edge_index: Tensor, weight: Tensor) -> None:
        self.edge_index = edge_index
        self.weight = weight
        self.products = 0
        """How often messages were sent inside: a bound on how far away a node can have an influence."""
        self._edges: dict[int, tuple[SparsityPattern, Tensor]] = {}

    def of(self, pattern: SparsityPattern) -> Tensor:
        """The weight of every entry of a pattern, (entries,)."""
        self.products += 1
        # The pattern is kept too, so that its id stays its own.
        if id(pattern) not in self._edges:
            self._edges[id(pattern)] = pattern, self._edge_of_entry(pattern)
        edges = self._edges[id(pattern)][1]
        return torch.cat([self.weight, self.weight.new_ones(1)])[edges]

    def _edge_of_entry(self, pattern: SparsityPattern) -> Tensor:
        """For each entry the number of its edge, E where it has none."""
        source, target = self.edge_index
        num_nodes = max(pattern.num_rows, pattern.num_cols)
        edge_keys, order = torch.sort(target * num_nodes + source, stable=True)
        entry_keys = pattern.row * num_nodes + pattern.col
        first = torch.searchsorted(edge_keys, entry_keys)
        count = torch.searchsorted(edge_keys, entry_keys, right=True) - first
        # Entries are sorted by the same key, so equal ones are neighbours.
        rank = torch.arange(len(entry_keys), device=first.device) - torch.searchsorted(entry_keys, entry_keys)
        edge = torch.cat([order, order.new_tensor([len(order)])])[
            first + torch.minimum(rank, count - 1).clamp_min(0)
        ]
        return torch.where(count > 0, edge, len(order))


@contextmanager
def masked_edges(edge_index: Tensor, weight: Tensor) -> Iterator[EdgeMask]:
    """Multiply the message along each edge by a weight, in every graph layer that runs inside.

    mᵢⱼ → wᵢⱼ mᵢⱼ, after any normalisation or softmax; gradients flow into the weights.

    Args:
        edge_index: edges of the graph, in any order.
        weight: of each of them.

    Shapes:
        edge_index (2, E), weight (E,).

    Raises:
        InputError: not one floating-point weight per edge.
    """
    checked_num_nodes(edge_index, None)
    if weight.shape != (edge_index.size(1),) or not weight.is_floating_point():
        raise InputError(
            f"Expected one floating-point weight per edge, ({edge_index.size(1)},), but got {tuple(weight.shape)} "
            f"of {weight.dtype}."
        )
    mask = EdgeMask(edge_index, weight)
    token = _current.set(mask)
    try:
        yield mask
    finally:
        _current.reset(token)


def message_weight(pattern: SparsityPattern) -> Tensor | None:
    """Weight of the message of every entry inside `masked_edges`, (entries,); None outside."""
    mask = _current.get()
    return None if mask is None else mask.of(pattern)
