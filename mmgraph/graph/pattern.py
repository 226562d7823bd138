"""Where the entries of a sparse matrix are, apart from what their values are.

Many matrices share one pattern (raw weights, normalised weights, one attention matrix per head and step), so
what is expensive to derive (transpose, self-loops) is kept here, once.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor


class SparsityPattern:
    """Compressed sparse rows without values: row i holds the sources j of the edges j → i.

    Entries are sorted by row, then by column; equal entries keep the order they were given in. Immutable.

    Args:
        rowptr: where each row starts in `col`, and the end of the last.
        col: the source of every entry.
        order: for every entry, its position among the edges as they were given.

    Shapes:
        rowptr (num_nodes + 1,), col (E,), order (E,), all int64.
    """

    def __init__(self, rowptr: Tensor, col: Tensor, order: Tensor) -> None:
        self.rowptr = rowptr
        self.col = col
        self.order = order

    @classmethod
    def from_edges(cls, source: Tensor, target: Tensor, num_nodes: int) -> SparsityPattern:
        """Sort edges into rows."""
        order = torch.argsort(target * num_nodes + source, stable=True)
        return cls(_row_pointers(target, num_nodes), source[order], order)

    @property
    def num_nodes(self) -> int:
        return self.rowptr.numel() - 1

    @property
    def num_entries(self) -> int:
        return self.col.numel()

    @cached_property
    def row(self) -> Tensor:
        """The target of every entry, (E,)."""
        return torch.repeat_interleave(self.rowptr.diff(), output_size=self.num_entries)

    @cached_property
    def position(self) -> Tensor:
        """The inverse of `order`: for every edge as given, its entry, (E,)."""
        return _inverse(self.order)

    @cached_property
    def transpose(self) -> PatternOfEntries:
        """The pattern of the reversed edges, and which of our entries each of its entries is."""
        entries = torch.argsort(self.col, stable=True)
        reversed_ = SparsityPattern(
            _row_pointers(self.col, self.num_nodes), self.row[entries], self.order[entries]
        )
        return PatternOfEntries(reversed_, entries)

    @cached_property
    def with_self_loops(self) -> PatternOfEntries:
        """The pattern with exactly one self-loop per node, and which of our entries each of its entries is.

        Edges between different nodes keep their order and come first, then the loops of nodes 0, 1, ….
        Of several self-loops at one node the last one given stays; E marks a loop that was added.
        """
        source, target = self.col[self.position], self.row[self.position]
        is_loop = source == target
        between = torch.nonzero(~is_loop).flatten()
        loops = torch.nonzero(is_loop).flatten()
        nodes = torch.arange(self.num_nodes, device=self.col.device)

        last = torch.full_like(nodes, -1).scatter_reduce(0, target[loops], loops, "amax")
        own = torch.full_like(nodes, self.num_entries)
        own[last >= 0] = self.position[last[last >= 0]]

        entries = torch.cat([self.position[between], own])
        looped = SparsityPattern.from_edges(
            torch.cat([source[between], nodes]), torch.cat([target[between], nodes]), self.num_nodes
        )
        return PatternOfEntries(looped, entries[looped.order])

    @cached_property
    def kernel_indices(self) -> tuple[Tensor, Tensor]:
        """(rowptr, col) as the sparse kernels want them: 32 bits where these are enough, for 2× the speed."""
        if max(self.num_nodes, self.num_entries) > torch.iinfo(torch.int32).max:
            return self.rowptr, self.col
        return self.rowptr.int(), self.col.int()

    def to(self, device: torch.device) -> SparsityPattern:
        return SparsityPattern(self.rowptr.to(device), self.col.to(device), self.order.to(device))


class PatternOfEntries(NamedTuple):
    """A pattern derived from another one, and for each of its entries the entry it was made from."""

    pattern: SparsityPattern
    entries: Tensor


def _row_pointers(row: Tensor, num_nodes: int) -> Tensor:
    rowptr = torch.zeros(num_nodes + 1, dtype=torch.int64, device=row.device)
    torch.cumsum(torch.bincount(row, minlength=num_nodes), 0, out=rowptr[1:])
    return rowptr


def _inverse(permutation: Tensor) -> Tensor:
    inverse = torch.empty_like(permutation)
    inverse[permutation] = torch.arange(permutation.numel(), device=permutation.device)
    return inverse
