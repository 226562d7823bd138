"""A part of a larger graph that is normalised as the whole is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.kernels.pattern import PatternOfEntries, SparsityPattern
from mmgraph.graph.normalization import Normalization

Loops = Literal["given", "one", "none"]


@dataclass(frozen=True)
class Degrees:
    """What the normalisations ask of every node of a whole graph.

    Args:
        between: the sum of the weights of its incoming edges from other nodes.
        loops: the sum of the weights of its self-loops.
        loop: the weight of the one self-loop that stays where every node is to have one; 1 where there is none.
        plain: whether all of `loop` are 1.

    Shapes:
        (num_nodes,) each.
    """

    between: Tensor
    loops: Tensor
    loop: Tensor
    plain: bool

    @classmethod
    def of(cls, graph: Adjacency) -> Degrees:
        """Add up the rows of a graph."""
        # numba takes half a second to import, which only those pay who come here.
        from mmgraph.graph.sampling.excerpt_kernels import sum_rows

        weight = graph.weight(torch.float64).detach().cpu().numpy()
        sums = np.zeros((3, graph.num_nodes))
        sum_rows(graph.rowptr.cpu().numpy(), graph.col.cpu().numpy(), weight, sums)
        between, loops, loop = torch.from_numpy(sums)
        return cls(between, loops, loop, bool((loop == 1).all()))

    def of_nodes(self, nodes: Tensor) -> Degrees:
        """Those of some nodes alone, for an excerpt that is not to hold on to the rest."""
        return Degrees(self.between[nodes], self.loops[nodes], self.loop[nodes], self.plain)

    def at(self, nodes: Tensor, loops: Loops) -> Tensor:
        """The degrees of some nodes, with the self-loops given, with one each, or with none."""
        degree = self.between[nodes]
        if loops == "none":
            return degree
        return degree + (self.loops if loops == "given" else self.loop)[nodes]


class Excerpt(Adjacency):
    """Some nodes of a larger graph and edges between them; normalisations use the degrees of the larger graph.

    ãᵢⱼ = wᵢⱼ / √(Dᵢ Dⱼ) (sym) or wᵢⱼ / Dᵢ (row), where D are the degrees in the whole graph

    A node all of whose incoming edges are here gets the very row it has in the whole graph. Where edges were sampled,
    with wᵢⱼ = aᵢⱼ nᵢ/kᵢ for k of n neighbours, E[Ã X] is the row of the whole graph. No gradient flows through degrees.

    Args:
        pattern: where the edges are.
        value: their weights in CSR order, None for 1 each.
        nodes: the number of every node in the whole graph, on the CPU.
        degrees: of the whole graph.
        loops: which self-loops the edges hold of those in the whole graph.

    Shapes:
        value (E,), nodes (num_nodes,).
    """

    def __init__(
        self,
        pattern: SparsityPattern,
        value: Tensor | None,
        nodes: Tensor,
        degrees: Degrees,
        loops: Loops = "given",
    ) -> None:
        super().__init__(pattern, value)
        self._nodes, self._degrees, self._loops = nodes, degrees, loops

    def with_self_loops(self) -> Excerpt:
        """The graph with exactly one self-loop per node, of the weight that it has in the whole graph."""

        def make() -> Excerpt:
            looped, entries = _with_self_loops(self.pattern)
            value = None
            if self.value is not None or not self._degrees.plain:
                weight = self.weight()
                value = torch.cat([weight, weight.new_ones(1)])[entries]
                loop = self._degrees.loop[self._nodes].to(value)
                value = torch.where(looped.row == looped.col, loop[looped.row], value)
            return Excerpt(looped, value, self._nodes, self._degrees, "one")

        return self._once(("self-loops",), make)

    def without_self_loops(self) -> Excerpt:
        def make() -> Excerpt:
            between, entries = self.pattern.without_self_loops
            value = None if self.value is None else self.value[entries]
            return Excerpt(between, value, self._nodes, self._degrees, "none")

        return self._once(("no self-loops",), make)

    def normalized(
        self, kind: Normalization = "sym", self_loops: bool = True, dtype: torch.dtype | None = None
    ) -> Adjacency:
        """Weights divided by the degrees of the whole graph; otherwise as `Adjacency.normalized`."""
        if kind not in get_args(Normalization):
            raise UnknownNameError.of("normalisation", kind, get_args(Normalization))
        dtype = self._dtype(dtype)

        def make() -> Adjacency:
            graph = self.with_self_loops() if self_loops else self
            if kind == "none":
                return graph.with_value(None if graph.value is None else graph.value.to(dtype))
            # GPU synchronisation, once per excerpt.
            if graph.value is not None and bool((graph.value < 0).any()):
                raise InputError(
                    f"Expected weights ≥ 0 for the normalisation '{kind}', but the smallest is "
                    f"{graph.value.min().item():g}: use the normalisation 'none'."
                )
            degree = self._degrees.at(self._nodes, graph._loops)
            scale = torch.where(degree > 0, degree, torch.inf).pow(-1.0 if kind == "row" else -0.5)
            scale = scale.to(self.device, dtype)
            value = graph.weight(dtype) * scale[graph.row]
            return graph.with_value(value if kind == "row" else value * scale[graph.col])

        return self._once(("normalized", kind, self_loops, dtype), make)

    def to(self, device: torch.device | str) -> Excerpt:
        device = torch.empty(0, device=device).device
        if device == self.device:
            return self
        value = None if self.value is None else self.value.to(device)
        return Excerpt(self.pattern.to(device), value, self._nodes, self._degrees, self._loops)


def _with_self_loops(pattern: SparsityPattern) -> PatternOfEntries:
    """`pattern.with_self_loops`, in one pass over the edges where they are on the CPU."""
    if pattern.col.device.type != "cpu":
        return pattern.with_self_loops
    from mmgraph.graph.sampling.excerpt_kernels import insert_loops

    rows, edges = pattern.num_rows, pattern.num_entries
    rowptr = np.empty(rows + 1, np.int64)
    col, order, entries = (np.empty(edges + rows, np.int64) for _ in range(3))
    given = pattern.order.numpy()
    count = insert_loops(
        pattern.rowptr.numpy(),
        pattern.col.numpy(),
        given,
        np.empty(edges, np.bool_),
        rowptr,
        col,
        order,
        entries,
    )
    made = SparsityPattern(
        torch.from_numpy(rowptr),
        torch.from_numpy(col[:count]),
        torch.from_numpy(order[:count]),
        pattern.num_cols,
    )
    return PatternOfEntries(made, torch.from_numpy(entries[:count]))
