"""Many graphs as one without edges between them, and any choice of them as a batch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.kernels.pattern import PatternOfEntries, SparsityPattern
from mmgraph.graph.normalization import Normalization


class GraphBatch(NamedTuple):
    """Graphs side by side: what `model(x[nodes], graph, batch)` takes.

    Args:
        graph: all of them as one, A = diag(A₁, A₂, …); edges in CSR order.
        nodes: which nodes of the stack its nodes are, in order; rows of features to take.
        batch: which of the graphs each node belongs to.

    Shapes:
        nodes, batch (num_nodes,).
    """

    graph: Adjacency
    nodes: Tensor
    batch: Tensor


class GraphStack:
    """Graphs kept as one block-diagonal adjacency, out of which batches are cut without sorting anything.

    Transposes, self-loops and normalisations are computed once, for all graphs together, and cut as well: they
    of a batch are the batch of them.

    Args:
        adjacency: the graphs one after the other.
        node_starts: where the nodes of each begin, and the end of the last.

    Shapes:
        node_starts (num_graphs + 1,) int64.

    Raises:
        InputError: the starts do not rise from 0 to the number of nodes, or an edge joins two graphs.
    """

    def __init__(self, adjacency: Adjacency, node_starts: Tensor) -> None:
        if node_starts.dim() != 1 or node_starts.dtype != torch.int64 or len(node_starts) < 1:
            raise InputError(
                f"Expected where the nodes of each graph begin as int64 (num_graphs + 1,), but got "
                f"{node_starts.dtype} of shape {tuple(node_starts.shape)}."
            )
        bounds = node_starts.tolist()
        if bounds[0] != 0 or bounds[-1] != adjacency.num_nodes or sorted(bounds) != bounds:
            raise InputError(
                f"Expected starts that rise from 0 to the {adjacency.num_nodes} nodes, but they go from "
                f"{bounds[0]} to {bounds[-1]}" + ("." if sorted(bounds) == bounds else " and fall between.")
            )
        graph_of = torch.repeat_interleave(node_starts.diff(), output_size=adjacency.num_nodes)
        if not torch.equal(graph_of[adjacency.row], graph_of[adjacency.col]):
            raise InputError("Expected edges inside of graphs, but some edge joins two of them.")
        self.adjacency = adjacency
        self.node_starts = node_starts

    @classmethod
    def of(cls, graphs: Sequence[Adjacency]) -> GraphStack:
        """Put graphs side by side; ids and attributes of nodes and edges are left behind.

        Raises:
            InputError: there is no graph, some but not all have weights, or they are on several devices.
        """
        if not graphs:
            raise InputError("Expected at least one graph, but there is none.")
        if len({(graph.value is None, graph.device) for graph in graphs}) > 1:
            raise InputError("Expected graphs on one device, either all with weights or all without.")
        sizes = torch.tensor([graph.num_nodes for graph in graphs], device=graphs[0].device)
        starts = torch.cat([sizes.new_zeros(1), sizes.cumsum(0)])
        edges = [
            graph.to_edge_index()[0] + start
            for graph, start in zip(graphs, starts[:-1].tolist(), strict=True)
        ]
        weights = [weight for graph in graphs if (weight := graph.to_edge_index()[1]) is not None]
        adjacency = Adjacency.from_edge_index(
            torch.cat(edges, dim=1), int(starts[-1]), torch.cat(weights) if weights else None
        )
        return cls(adjacency, starts)

    def __len__(self) -> int:
        return len(self.node_starts) - 1

    def select(self, graphs: Tensor) -> GraphBatch:
        """Some of the graphs, in this order; one may be there several times.

        Shapes:
            graphs (n,) integers.

        Raises:
            InputError: there is no graph of such a number.
        """
        if graphs.dim() != 1 or graphs.is_floating_point() or graphs.dtype == torch.bool:
            raise InputError(
                f"Expected numbers of graphs (n,) as integers, but got {graphs.dtype} of shape "
                f"{tuple(graphs.shape)}."
            )
        # GPU synchronisation.
        if len(graphs) and not 0 <= int(graphs.min()) <= int(graphs.max()) < len(self):
            raise InputError(
                f"Expected graphs from 0 to {len(self) - 1}, but got {int(graphs.min())} to {int(graphs.max())}."
            )
        cut = _Cut(self.node_starts, graphs.long())
        return GraphBatch(_CutAdjacency(self.adjacency, cut), cut.nodes, cut.batch)

    def to(self, device: torch.device | str) -> GraphStack:
        """The graphs on another device."""
        return GraphStack(self.adjacency.to(device), self.node_starts.to(device))


class _Cut:
    """Which graphs of a stack a batch is made of, and where their nodes go."""

    def __init__(self, node_starts: Tensor, graphs: Tensor) -> None:
        self.start, self.end = node_starts[graphs], node_starts[graphs + 1]
        sizes = self.end - self.start
        ends = sizes.cumsum(0)
        self.move = ends - sizes - self.start
        # GPU synchronisation.
        self.num_nodes = int(ends[-1]) if len(ends) else 0
        self.batch = torch.repeat_interleave(sizes, output_size=self.num_nodes)
        self.nodes = torch.arange(self.num_nodes, device=sizes.device) - self.move[self.batch]
        self._patterns: dict[int, _CutPattern] = {}

    def of(self, whole: SparsityPattern) -> _CutPattern:
        """What a pattern over all nodes says of these graphs; made once."""
        if id(whole) not in self._patterns:
            self._patterns[id(whole)] = _CutPattern(whole, self)
        return self._patterns[id(whole)]


class _CutPattern(SparsityPattern):
    """Blocks of a block-diagonal pattern, side by side; `entries` are the entries of the whole that it has."""

    def __init__(self, whole: SparsityPattern, cut: _Cut) -> None:
        self.whole, self.cut = whole, cut
        first, last = whole.rowptr[cut.start], whole.rowptr[cut.end]
        counts = last - first
        ends = counts.cumsum(0)
        # GPU synchronisation.
        num_entries = int(ends[-1]) if len(ends) else 0
        move = ends - counts - first
        self.entry_move = torch.repeat_interleave(move, counts, output_size=num_entries)
        numbers = torch.arange(num_entries, device=ends.device)
        self.entries = numbers - self.entry_move
        rowptr = torch.cat(
            [whole.rowptr[cut.nodes] + move[cut.batch], ends[-1:] if len(ends) else first.new_zeros(1)]
        )
        shift = torch.repeat_interleave(cut.move, counts, output_size=num_entries)
        super().__init__(rowptr, whole.col[self.entries] + shift, numbers)

    @cached_property
    def transpose(self) -> PatternOfEntries:
        """As of any pattern, but cut out of the transpose of the whole."""
        reversed_, entries = self.whole.transpose
        # A graph has as many edges in either direction, so its entries lie at the same places.
        own = entries[self.entries] + self.entry_move
        cut = self if self.whole.is_symmetric else self.cut.of(reversed_)
        return PatternOfEntries(SparsityPattern(cut.rowptr, cut.col, own), own)


class _CutAdjacency(Adjacency):
    """A batch; what is derived of it is cut out of what is derived of the stack."""

    def __init__(self, whole: Adjacency, cut: _Cut) -> None:
        self._whole, self._cut = whole, cut
        pattern = cut.of(whole.pattern)
        node_ids = whole.node_ids
        super().__init__(
            pattern,
            None if whole.value is None else whole.value[pattern.entries],
            None if node_ids is None else [node_ids[node] for node in cut.nodes.tolist()],
        )

    def with_self_loops(self) -> Adjacency:
        return self._once(("self-loops",), lambda: self._cut_out(self._whole.with_self_loops()))

    def without_self_loops(self) -> Adjacency:
        return self._once(("no self-loops",), lambda: self._cut_out(self._whole.without_self_loops()))

    def normalized(
        self, kind: Normalization = "sym", self_loops: bool = True, dtype: torch.dtype | None = None
    ) -> Adjacency:
        return self._once(
            ("normalized", kind, self_loops, dtype),
            lambda: self._cut_out(self._whole.normalized(kind, self_loops, dtype)),
        )

    def laplacian(self, kind: Normalization = "sym", dtype: torch.dtype | None = None) -> Adjacency:
        return self._once(
            ("laplacian", kind, dtype), lambda: self._cut_out(self._whole.laplacian(kind, dtype))
        )

    def _cut_out(self, whole: Adjacency) -> Adjacency:
        return self if whole is self._whole else _CutAdjacency(whole, self._cut)
