"""Where the entries of a sparse matrix are, apart from what their values are.

Many matrices share one pattern (raw weights, normalised weights, one attention matrix per head and step), so
what is expensive to derive (transpose, self-loops) is kept here, once.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class SparsityPattern:
    """Compressed sparse rows without values; of a graph, row i holds the sources j of the edges j → i.

    Entries are sorted by row, then by column; equal entries keep the order they were given in. Immutable.

    Args:
        rowptr: where each row starts in `col`, and the end of the last.
        col: the column of every entry.
        order: for every entry, its position among the entries as they were given; None where these came sorted by
            column, then by row, so that it need not be kept before somebody asks.
        num_cols: how many columns there are; as many as rows by default, as in a graph.

    Shapes:
        rowptr (num_rows + 1,), col (E,), order (E,), all int64.
    """

    def __init__(
        self, rowptr: Tensor, col: Tensor, order: Tensor | None, num_cols: int | None = None
    ) -> None:
        self.rowptr = rowptr
        self.col = col
        self._given = order
        self.num_cols = self.num_rows if num_cols is None else num_cols

    @classmethod
    def from_entries(cls, row: Tensor, col: Tensor, shape: tuple[int, int]) -> SparsityPattern:
        """Sort entries into rows."""
        num_rows, num_cols = shape
        order = torch.argsort(row * num_cols + col, stable=True)
        return cls(_row_pointers(row, num_rows), col[order], order, num_cols)

    @property
    def num_rows(self) -> int:
        return self.rowptr.numel() - 1

    @property
    def num_entries(self) -> int:
        return self.col.numel()

    @cached_property
    def order(self) -> Tensor:
        """For every entry, its position among the entries as they were given, (E,)."""
        return _inverse(torch.argsort(self.col, stable=True)) if self._given is None else self._given

    @cached_property
    def row(self) -> Tensor:
        """The row of every entry, (E,)."""
        return torch.repeat_interleave(self.rowptr.diff(), output_size=self.num_entries)

    @cached_property
    def position(self) -> Tensor:
        """The inverse of `order`: for every entry as given, where it is now, (E,)."""
        return _inverse(self.order)

    @cached_property
    def transpose(self) -> PatternOfEntries:
        """The pattern of the transposed matrix, and which of our entries each of its entries is."""
        entries = torch.argsort(self.col, stable=True)
        reversed_ = SparsityPattern(
            _row_pointers(self.col, self.num_cols), self.row[entries], self.order[entries], self.num_rows
        )
        return PatternOfEntries(reversed_, entries)

    @cached_property
    def is_symmetric(self) -> bool:
        """Whether the transpose has entries at the same places. Waits for the GPU."""
        reversed_ = self.transpose.pattern
        return torch.equal(self.rowptr, reversed_.rowptr) and torch.equal(self.col, reversed_.col)

    @cached_property
    def with_self_loops(self) -> PatternOfEntries:
        """The square pattern with exactly one self-loop per node, and which of our entries each of its entries is.

        Edges between different nodes keep their order and come first, then the loops of nodes 0, 1, ….
        Of several self-loops at one node the last one given stays; E marks a loop that was added.
        """
        source, target = self.col[self.position], self.row[self.position]
        is_loop = source == target
        between = torch.nonzero(~is_loop).flatten()
        loops = torch.nonzero(is_loop).flatten()
        nodes = torch.arange(self.num_rows, device=self.col.device)

        last = torch.full_like(nodes, -1).scatter_reduce(0, target[loops], loops, "amax")
        own = torch.full_like(nodes, self.num_entries)
        own[last >= 0] = self.position[last[last >= 0]]

        entries = torch.cat([self.position[between], own])
        looped = SparsityPattern.from_entries(
            torch.cat([target[between], nodes]),
            torch.cat([source[between], nodes]),
            (self.num_rows, self.num_cols),
        )
        return PatternOfEntries(looped, entries[looped.order])

    @cached_property
    def without_self_loops(self) -> PatternOfEntries:
        """The pattern less the entries on the diagonal, and which of our entries each of its entries is.

        What is left keeps the order it was given in.
        """
        given = self.position
        kept = given[self.row[given] != self.col[given]]
        between = SparsityPattern.from_entries(self.row[kept], self.col[kept], (self.num_rows, self.num_cols))
        return PatternOfEntries(between, kept[between.order])

    @cached_property
    def rows_by_length(self) -> list[tuple[int, Tensor]]:
        """The numbers of the rows that are not empty, those of one length together with it. Waits for the GPU."""
        order = torch.argsort(self.rowptr.diff(), stable=True)
        lengths, counts = torch.unique_consecutive(self.rowptr.diff()[order], return_counts=True)
        rows = order.split(counts.tolist())
        return [(length, same) for length, same in zip(lengths.tolist(), rows, strict=True) if length > 0]

    @cached_property
    def kernel_indices(self) -> tuple[Tensor, Tensor]:
        """(rowptr, col) as the sparse kernels want them: 32 bits where these are enough, for 2× the speed."""
        if max(self.num_rows, self.num_cols, self.num_entries) > torch.iinfo(torch.int32).max:
            return self.rowptr, self.col
        return self.rowptr.int(), self.col.int()

    @cached_property
    def kernel_arrays(self) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
        """`kernel_indices` as arrays, for compiled kernels; on the CPU."""
        rowptr, col = self.kernel_indices
        return rowptr.numpy(), col.numpy()

    def to(self, device: torch.device) -> SparsityPattern:
        given = None if self._given is None else self._given.to(device)
        return SparsityPattern(self.rowptr.to(device), self.col.to(device), given, self.num_cols)


class PatternOfEntries(NamedTuple):
    """A pattern derived from another one, and for each of its entries the entry it was made from."""

    pattern: SparsityPattern
    entries: Tensor


def _row_pointers(row: Tensor, num_rows: int) -> Tensor:
    rowptr = torch.zeros(num_rows + 1, dtype=torch.int64, device=row.device)
    torch.cumsum(torch.bincount(row, minlength=num_rows), 0, out=rowptr[1:])
    return rowptr


def _inverse(permutation: Tensor) -> Tensor:
    inverse = torch.empty_like(permutation)
    inverse[permutation] = torch.arange(permutation.numel(), device=permutation.device)
    return inverse
