"""Pairs of nodes that no edge joins, drawn without a trial that fails."""

from __future__ import annotations

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.arguments import check_count
from mmgraph.graph.edge_list import checked_num_nodes

_LARGEST = 2**31
"""Of more nodes the number of pairs does not fit into 64 bits."""


class NegativeSampler:
    """Draws pairs of different nodes that are no edges of a graph, all of them equally likely.

    Pairs are numbered, k = v (v − 1) / 2 + u for u < v, or k = u (n − 1) + v − [v > u] where direction counts.
    With the numbers of the edges in order, k₀ < k₁ < …, the pair of rank r among those that are no edge has the
    number r + |{i : kᵢ − i ≤ r}|: one binary search per pair, none of them drawn in vain, however dense the graph.
    The edges are sorted once.

    Args:
        edge_index: the edges; their order, repetitions and self-loops do not matter.
        num_nodes: without it, one more than the largest index.
        directed: whether u → v may be drawn where only v → u is an edge. Without it a pair comes as u < v, and an
            edge excludes its reverse.

    Shapes:
        edge_index (2, E) of any integer type.

    Raises:
        InputError: the edges are not valid, or every pair of nodes is an edge.
    """

    def __init__(self, edge_index: Tensor, num_nodes: int | None = None, *, directed: bool = False) -> None:
        self.num_nodes = checked_num_nodes(edge_index, num_nodes)
        self.directed = directed
        if self.num_nodes > _LARGEST:
            raise InputError(f"Expected at most {_LARGEST:,} nodes, but got {self.num_nodes:,}.")
        source, target = edge_index.as_subclass(Tensor).long()
        keys = torch.unique(self._key(*_without_loops(source, target)))
        self._free_below = keys - torch.arange(len(keys), device=keys.device)
        """For every edge, how many pairs with smaller numbers are no edge."""
        pairs = self.num_nodes * (self.num_nodes - 1) // (1 if directed else 2)
        self.num_negatives = pairs - len(keys)
        """How many pairs there are to draw from."""
        if self.num_negatives == 0:
            raise InputError(
                f"Expected a graph with at least two nodes that no edge joins, but all {pairs:,} pairs of its "
                f"{self.num_nodes:,} nodes are edges."
            )

    def sample(self, count: int, generator: torch.Generator, *, distinct: bool = False) -> Tensor:
        """Draw pairs.

        Args:
            count: how many.
            generator: of the CPU, so that all devices draw the same.
            distinct: whether no pair may come twice.

        Shapes:
            (2, count) int64, on the device of the edges.

        Raises:
            InputError: fewer than no pairs, or more distinct ones than there are.
        """
        check_count("pairs", count, 0)
        if distinct and count > self.num_negatives:
            raise InputError(
                f"Expected at most {self.num_negatives:,} distinct pairs, as many as are no edge, but got {count:,}."
            )
        if distinct:
            ranks = _distinct(count, self.num_negatives, generator)
        else:
            ranks = torch.randint(self.num_negatives, (count,), generator=generator)
        return self.pairs(ranks.to(self._free_below.device))

    def pairs(self, ranks: Tensor) -> Tensor:
        """The pairs of these ranks, from 0 to num_negatives − 1, among those that are no edge.

        Shapes:
            ranks (n,) int64: (2, n).
        """
        keys = ranks + torch.searchsorted(self._free_below, ranks, right=True)
        if self.directed:
            source, rest = keys // (self.num_nodes - 1), keys % (self.num_nodes - 1)
            return torch.stack([source, rest + (rest >= source)])
        # The root is off by one at most; integers put it right.
        larger = ((1 + (1 + 8 * keys.double()).sqrt()) / 2).long()
        larger -= (larger * (larger - 1) // 2 > keys).long()
        larger += (larger * (larger + 1) // 2 <= keys).long()
        return torch.stack([keys - larger * (larger - 1) // 2, larger])

    def _key(self, source: Tensor, target: Tensor) -> Tensor:
        if self.directed:
            return source * (self.num_nodes - 1) + target - (target > source).long()
        smaller, larger = torch.minimum(source, target), torch.maximum(source, target)
        return larger * (larger - 1) // 2 + smaller

    def __repr__(self) -> str:
        return (
            f"NegativeSampler({self.num_nodes} nodes, {self.num_negatives} pairs, "
            f"{'directed' if self.directed else 'undirected'})"
        )


def _without_loops(source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    between = source != target
    return source[between], target[between]


def _distinct(count: int, total: int, generator: torch.Generator) -> Tensor:
    """So many different numbers below `total`: the first ones of a sequence of draws, repetitions left out."""
    if 2 * count >= total:
        return torch.randperm(total, generator=generator)[:count]
    drawn = torch.empty(0, dtype=torch.int64)
    while len(drawn) < count:
        more = torch.randint(total, (count - len(drawn) + 16,), generator=generator)
        drawn = _first_occurrences(torch.cat([drawn, more]))
    return drawn[:count]


def _first_occurrences(values: Tensor) -> Tensor:
    """The values without repetitions, in the order of their first occurrence."""
    order = torch.argsort(values, stable=True)
    ordered = values[order]
    first = torch.ones_like(ordered, dtype=torch.bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return values[order[first].sort().values]
