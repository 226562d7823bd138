"""Edges of several relations in the form that relational convolutions work on."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.kernels.pattern import SparsityPattern


class RelationalEdges:
    """Which relation every edge of a graph is of, and its share in what its target receives by that relation.

    share of j → i by r = 1 / c_{i,r},  c_{i,r} the number of edges by r into i

    Immutable: what is derived is computed once and kept.

    Args:
        pattern: the edges.
        relation: the relation of every edge, in the order the edges were given in.
        num_relations: how many relations there are.

    Shapes:
        relation (E,) integers.

    Raises:
        InputError: not one relation per edge, or one that is out of range. Waits for the GPU.
    """

    def __init__(self, pattern: SparsityPattern, relation: Tensor, num_relations: int) -> None:
        _check(relation, pattern.num_entries, num_relations)
        self.num_relations = num_relations
        self.relation = relation.long()[pattern.order]
        """The relation of every edge in CSR order, (E,)."""
        self._pattern = pattern

    @cached_property
    def share(self) -> Tensor:
        """1 / c_{i,r} of every edge in CSR order, (E,) float64."""
        _, group, sizes = torch.unique(
            self._pattern.row * self.num_relations + self.relation, return_inverse=True, return_counts=True
        )
        shares: Tensor = sizes.double().reciprocal()[group]
        return shares

    @cached_property
    def columns(self) -> SparsityPattern:
        """The edges as a matrix (num_nodes, num_nodes · num_relations) with a column per source and relation.

        One product with what all relations make of the sources then does for all of them. Its entries are given in
        CSR order of the edges.
        """
        rows = self._pattern.num_rows
        return SparsityPattern.from_entries(
            self._pattern.row,
            self._pattern.col * self.num_relations + self.relation,
            (rows, rows * self.num_relations),
        )


def _check(relation: Tensor, num_edges: int, num_relations: int) -> None:
    if not isinstance(relation, Tensor) or relation.shape != (num_edges,):
        got = tuple(relation.shape) if isinstance(relation, Tensor) else type(relation).__name__
        raise InputError(f"Expected one relation per edge, ({num_edges},), but got {got}.")
    if relation.is_floating_point() or relation.is_complex() or relation.dtype == torch.bool:
        raise InputError(f"Expected relations as integers, but got {relation.dtype}.")
    # GPU synchronisation.
    if relation.numel() > 0:
        smallest, largest = (int(bound) for bound in torch.aminmax(relation))
        if smallest < 0 or largest >= num_relations:
            raise InputError(
                f"Expected relations ≥ 0 and < {num_relations}, but they go from {smallest} to {largest}."
            )
