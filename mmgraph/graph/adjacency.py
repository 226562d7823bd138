"""The one graph structure that every layer, walk and embedding works on."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args

import torch
from torch import Tensor

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph import attributes, conversion, networkx_graphs, spectrum, subgraph
from mmgraph.graph.attributes import Attributes
from mmgraph.graph.edge_list import check_edge_weight, check_node_ids, checked_num_nodes
from mmgraph.graph.kernels.pattern import SparsityPattern
from mmgraph.graph.normalization import Normalization, normalized_value
from mmgraph.graph.relational_edges import RelationalEdges

if TYPE_CHECKING:
    from pathlib import Path

    import networkx
    import scipy.sparse
    from torch_geometric.data import Data

T = TypeVar("T")


class Adjacency:
    """A directed graph, weighted or not, as a sparse matrix A in compressed rows.

    aᵢⱼ is the weight of the edge j → i, so that (A X)ᵢ collects what the sources of i send. As in PyTorch
    Geometric edge_index[0] holds the sources j and edge_index[1] the targets i. Edges that occur several times
    are kept, and their weights add up in every product. Immutable: transpose, self-loops and normalisations are
    computed once and kept.

    Made by `from_edge_index`, `from_data`, `from_scipy`, `from_networkx` or `from_file`.

    Args:
        pattern: where the edges are.
        value: their weights in CSR order, None for 1 each.
        node_ids: what the nodes were called where they came from, in the order of their numbers.
        node_attributes, edge_attributes: one array per name, in the order of the nodes' numbers and in the order
            the edges were given in.

    Shapes:
        value (E,), node attributes (N, …), edge attributes (E, …).
    """

    def __init__(
        self,
        pattern: SparsityPattern,
        value: Tensor | None = None,
        node_ids: Sequence[Hashable] | None = None,
        node_attributes: Attributes | None = None,
        edge_attributes: Attributes | None = None,
    ) -> None:
        self.pattern = pattern
        self.value = value
        self.node_ids = node_ids
        self.node_attributes: Attributes = node_attributes or {}
        self.edge_attributes: Attributes = edge_attributes or {}
        self._relational: tuple[Tensor, tuple[int, int], RelationalEdges] | None = None
        self._derived: dict[tuple[object, ...], object] = {}

    @classmethod
    def of(cls, graph: Adjacency | Tensor, num_nodes: int) -> Adjacency:
        """Take an `edge_index` or an Adjacency, as the layers do.

        Raises:
            InputError: it is neither, or does not have `num_nodes` nodes.
        """
        if isinstance(graph, Tensor):
            return cls.from_edge_index(graph, num_nodes)
        if not isinstance(graph, Adjacency):
            raise InputError(
                f"Expected an edge_index tensor or an Adjacency, but got {type(graph).__name__}: convert it with "
                f"Adjacency.from_data, from_scipy or from_networkx."
            )
        if graph.num_nodes != num_nodes:
            raise InputError(
                f"Expected one row of features per node, but the graph has {graph.num_nodes} nodes and the "
                f"features have {num_nodes} rows."
            )
        return graph

    @classmethod
    def from_edge_index(
        cls,
        edge_index: Tensor,
        num_nodes: int | None = None,
        edge_weight: Tensor | None = None,
        node_ids: Sequence[Hashable] | None = None,
        node_attributes: Mapping[str, Any] | None = None,
        edge_attributes: Mapping[str, Any] | None = None,
    ) -> Adjacency:
        """Sort edges into rows.

        Args:
            edge_index: sources j and targets i of the edges j → i.
            num_nodes: without it, one more than the largest index.
            edge_weight: one finite weight per edge; gradients flow through it.
            node_ids: what the nodes are called, all different.
            node_attributes, edge_attributes: one value per node and per edge under each name.

        Shapes:
            edge_index (2, E) of any integer type, edge_weight (E,).

        Raises:
            InputError: wrong type, shape or device, an index out of range, a weight that is not finite, ids that are
                not different, or a number of ids or values that is not that of the nodes or edges.
        """
        num_nodes = checked_num_nodes(edge_index, num_nodes)
        check_edge_weight(edge_weight, edge_index)
        check_node_ids(node_ids, num_nodes)
        source, target = edge_index.as_subclass(Tensor).long()
        pattern = SparsityPattern.from_entries(target, source, (num_nodes, num_nodes))
        return cls(
            pattern,
            None if edge_weight is None else edge_weight[pattern.order],
            node_ids,
            attributes.checked("node", node_attributes, num_nodes),
            attributes.checked("edge", edge_attributes, edge_index.size(1)),
        )

    @classmethod
    def from_data(cls, data: Data) -> Adjacency:
        """The graph of a torch_geometric `Data`: its `edge_index`, and its `edge_weight` where it has one.

        Raises:
            InputError: it has no `edge_index`, or one that is not valid.
        """
        return cls.from_edge_index(*conversion.parts_of_data(data))

    @classmethod
    def from_scipy(cls, matrix: scipy.sparse.spmatrix | scipy.sparse.sparray) -> Adjacency:
        """The graph of a square SciPy sparse matrix M, where M[j, i] is the weight of the edge j → i.

        This is the convention of networkx and of torch_geometric, the transpose of A. A matrix of booleans
        gives a graph without weights.

        Raises:
            InputError: it is not sparse, not square, or holds what is not a finite real number.
        """
        if getattr(matrix, "format", None) != "csr":
            return cls.from_edge_index(*conversion.parts_of_scipy(matrix))
        pattern, weight = conversion.pattern_of_csr(matrix)
        check_edge_weight(weight, pattern.col.expand(2, -1))
        return cls(pattern, weight)

    @classmethod
    def from_networkx(cls, graph: networkx.Graph[Any], weight: str | None = "weight") -> Adjacency:
        """The graph of a networkx graph of any kind; an undirected edge becomes one in each direction.

        Nodes are numbered in the order of `graph.nodes` and keep their names in `node_ids`. Attributes become
        arrays: of numbers where every node or edge has one, else of objects with None where there is none.

        Args:
            graph: its nodes may be any hashable objects.
            weight: the edge attribute that holds the weight; where an edge lacks it, 1. No weights where all
                edges lack it or the name is None.

        Raises:
            InputError: a weight is not a finite number.
        """
        return cls.from_edge_index(*networkx_graphs.parts_of_networkx(graph, weight))

    @classmethod
    def from_file(cls, path: str | Path, **options: Any) -> Adjacency:
        """The graph of a file: edge list, GraphML, GEXF, GML or npz; options as for `read_graph`.

        Raises:
            InputError, UnknownNameError: as `read_graph` says.
        """
        from mmgraph.graph.files.reading import read_graph

        return read_graph(path, **options)

    @classmethod
    def open(cls, folder: str | Path, verify: bool = True) -> Adjacency:
        """The graph that `build_csr` has stored in a folder; its arrays stay on disk until they are touched.

        Args:
            verify: look at every index once; without it a damaged file may end the process.

        Raises:
            InputError: the folder is missing, incomplete or damaged.
        """
        from mmgraph.graph.stored.folder import open_graph

        return open_graph(folder, verify)

    @property
    def rowptr(self) -> Tensor:
        """Where the incoming edges of each node start, (num_nodes + 1,)."""
        return self.pattern.rowptr

    @property
    def col(self) -> Tensor:
        """The source of every edge in CSR order, (E,)."""
        return self.pattern.col

    @property
    def row(self) -> Tensor:
        """The target of every edge in CSR order, (E,)."""
        return self.pattern.row

    @property
    def order(self) -> Tensor:
        """For every edge in CSR order, its position among the edges as they were given, (E,)."""
        return self.pattern.order

    @property
    def num_nodes(self) -> int:
        return self.pattern.num_rows

    @property
    def num_edges(self) -> int:
        return self.pattern.num_entries

    @property
    def device(self) -> torch.device:
        return self.pattern.col.device

    @property
    def edge_index(self) -> Tensor:
        """Sources and targets in CSR order, (2, E)."""
        return torch.stack([self.col, self.row])

    @property
    def is_symmetric(self) -> bool:
        """Whether every edge has its reverse, with the same weight. Waits for the GPU.

        Edges that occur several times must have their reverses in the same order.
        """
        reversed_ = self.transpose()
        same = self.pattern.is_symmetric
        if self.value is None or reversed_.value is None or not same:
            return same
        return torch.equal(self.value, reversed_.value)

    def in_given_order(self, per_edge: Tensor) -> Tensor:
        """Bring what was computed per edge in CSR order, (E, …), into the order the edges were given in."""
        return per_edge[self.pattern.position]

    def to_edge_index(self) -> tuple[Tensor, Tensor | None]:
        """Edges and weights in the order they were given in: (2, E), and (E,) or None."""
        weight = None if self.value is None else self.in_given_order(self.value)
        return self.edge_index[:, self.pattern.position], weight

    def to_scipy(self) -> scipy.sparse.csr_array[Any]:
        """The matrix M of `from_scipy`; edges that occur several times are added up.

        Raises:
            InputError: the weights need gradients.
        """
        return conversion.to_scipy(self)

    def to_data(self) -> Data:
        """A torch_geometric `Data` with edges in the order given, `edge_weight` and `node_ids` where there are any.

        Attributes become tensors where they are numbers, else lists; those of edges get names that begin with
        `edge_`.
        """
        return conversion.to_data(self)

    def to_networkx(self, directed: bool = True) -> networkx.Graph[Any]:
        """A networkx graph with names and attributes, as a multigraph where edges occur several times.

        Of an undirected edge the attributes of the direction from the smaller to the larger number are taken.

        Raises:
            InputError: an undirected graph was asked for, but some edge lacks its reverse of the same weight.
        """
        return networkx_graphs.to_networkx(self, directed)

    def with_value(self, value: Tensor | None) -> Adjacency:
        """The same edges with other weights, in CSR order.

        Where weights are learned, call this in every step: `adjacency.with_value(weight[adjacency.order])`.
        """
        return self._changed(self.pattern, value, self.edge_attributes)

    def transpose(self) -> Adjacency:
        """The graph with every edge reversed."""

        def make() -> Adjacency:
            reversed_, entries = self.pattern.transpose
            value = None if self.value is None else self.value[entries]
            return self._changed(reversed_, value, self.edge_attributes)

        return self._once(("transpose",), make)

    def with_self_loops(self) -> Adjacency:
        """The graph with exactly one self-loop per node, of weight 1 where there was none.

        In the order given, the edges between different nodes come first, then the loops of nodes 0, 1, …. Of
        several self-loops at one node the last one given stays. Attributes of edges are left behind, for the new
        loops have none.
        """

        def make() -> Adjacency:
            looped, entries = self.pattern.with_self_loops
            value = None if self.value is None else torch.cat([self.value, self.value.new_ones(1)])[entries]
            return self._changed(looped, value, {})

        return self._once(("self-loops",), make)

    def without_self_loops(self) -> Adjacency:
        """The graph less its self-loops; the other edges keep their order."""

        def make() -> Adjacency:
            between, entries = self.pattern.without_self_loops
            value = None if self.value is None else self.value[entries]
            kept = torch.zeros(self.num_edges, dtype=torch.bool, device=self.device)
            kept[self.order[entries]] = True
            return self._changed(between, value, attributes.select(self.edge_attributes, kept))

        return self._once(("no self-loops",), make)

    def subgraph(self, nodes: Tensor) -> Adjacency:
        """The nodes at these numbers, in this order, and the edges between them in the order given.

        Shapes:
            nodes (n,) integers, each at most once.

        Raises:
            InputError: a number is out of range or there twice.
        """
        return subgraph.of_nodes(self, nodes)

    def normalized(
        self, kind: Normalization = "sym", self_loops: bool = True, dtype: torch.dtype | None = None
    ) -> Adjacency:
        """Weights divided by degrees, where dᵢ = Σⱼ aᵢⱼ is the weighted number of incoming edges.

        sym: aᵢⱼ / √(dᵢ dⱼ);  row: aᵢⱼ / dᵢ;  none: aᵢⱼ. A node of degree 0 gives 0.

        Args:
            kind: "sym", "row" or "none".
            self_loops: add the missing self-loops first.
            dtype: of the weights; without it that of the weights there are, or torch's default.

        Raises:
            UnknownNameError: there is no such kind.
            InputError: a negative weight where kind is "sym" or "row".
        """
        if kind not in get_args(Normalization):
            raise UnknownNameError.of("normalisation", kind, get_args(Normalization))
        dtype = self._dtype(dtype)

        def make() -> Adjacency:
            graph = self.with_self_loops() if self_loops else self
            return graph.with_value(normalized_value(graph, kind, dtype))

        return self._once(("normalized", kind, self_loops, dtype), make)

    def laplacian(self, kind: Normalization = "sym", dtype: torch.dtype | None = None) -> Adjacency:
        """The Laplacian L of the graph less its self-loops, as the weights of a graph.

        sym: I − D^(-1/2) A D^(-1/2);  row: I − D⁻¹ A;  none: D − A, with dᵢ = Σⱼ aᵢⱼ. A node of degree 0 has 1 on
        the diagonal of the first two and 0 on that of the last.

        Args:
            kind: "sym", "row" or "none".
            dtype: of the weights, as in `normalized`.

        Raises:
            UnknownNameError: there is no such kind.
            InputError: a negative weight where kind is "sym" or "row".
        """
        dtype = self._dtype(dtype)

        def make() -> Adjacency:
            normalized = self.without_self_loops().normalized(kind, self_loops=False, dtype=dtype)
            return spectrum.laplacian(normalized, kind == "none", dtype)

        return self._once(("laplacian", kind, dtype), make)

    def largest_eigenvalue(self) -> float:
        """λmax of the Laplacian "sym", by Lanczos iteration; no gradient flows through it. Waits for the GPU.

        Raises:
            InputError: the graph is directed, or has a negative weight.
        """
        return self._once(("largest eigenvalue",), lambda: spectrum.largest_eigenvalue(self))

    def eigenbasis(self, dtype: torch.dtype | None = None) -> tuple[Tensor, Tensor]:
        """All eigenvalues of the Laplacian "sym", ascending, and its orthonormal eigenvectors as columns.

        Takes O(n³) time and O(n²) memory, once. No gradient flows through it.

        Shapes:
            (num_nodes,), (num_nodes, num_nodes).

        Raises:
            InputError: the graph is directed, or has a negative weight.
        """
        dtype = self._dtype(dtype)
        return self._once(("eigenbasis", dtype), lambda: spectrum.eigenbasis(self, dtype))

    def relational(self, relation: Tensor, num_relations: int) -> RelationalEdges:
        """Which relation every edge is of; kept until it is asked for with another tensor of relations.

        Shapes:
            relation (E,) integers in the order the edges were given in.

        Raises:
            InputError: not one relation per edge, or one that is out of range.
        """
        kept = self._relational
        if kept is None or kept[0] is not relation or kept[1] != (relation._version, num_relations):
            edges = RelationalEdges(self.pattern, relation, num_relations)
            kept = self._relational = relation, (relation._version, num_relations), edges
        return kept[2]

    def weight(self, dtype: torch.dtype | None = None) -> Tensor:
        """aᵢⱼ of every edge in CSR order, 1 where the graph has no weights, (E,)."""
        dtype = self._dtype(dtype)
        if self.value is None:
            return torch.ones(self.num_edges, dtype=dtype, device=self.device)
        return self.value.to(dtype)

    def to(self, device: torch.device | str) -> Adjacency:
        """The graph on another device."""
        device = torch.empty(0, device=device).device
        if device == self.device:
            return self
        value = None if self.value is None else self.value.to(device)
        return self._changed(self.pattern.to(device), value, self.edge_attributes)

    def __repr__(self) -> str:
        kind = "unweighted" if self.value is None else "weighted"
        return f"Adjacency({self.num_nodes} nodes, {self.num_edges} edges, {kind}, {self.device})"

    def _changed(
        self, pattern: SparsityPattern, value: Tensor | None, edge_attributes: Attributes
    ) -> Adjacency:
        return Adjacency(pattern, value, self.node_ids, self.node_attributes, edge_attributes)

    def _dtype(self, dtype: torch.dtype | None) -> torch.dtype:
        if dtype is not None:
            return dtype
        return torch.get_default_dtype() if self.value is None else self.value.dtype

    def _once(self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        """Keep what was derived, unless it hangs on weights that are being learned and change every step."""
        if self.value is not None and self.value.requires_grad:
            return make()
        if key not in self._derived:
            self._derived[key] = make()
        return cast("T", self._derived[key])
