"""What a model is run on to look at it: a batch of items, or one whole graph."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeGuard

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

if TYPE_CHECKING:
    from mmgraph.graph import SparseFeatures


@dataclass(frozen=True)
class Inputs:
    """Arguments of one forward.

    A model is given either a batch, one item per row, or a graph, whose nodes are the items. It is a graph where
    an argument is a torch_geometric `Data`, an `Adjacency`, a square sparse matrix, or an integer tensor of
    shape (2, edges) that numbers the rows of another argument.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, probe: Any) -> Inputs:
        """Arguments from what a person gives as probe: a tuple is `model(*probe)`, a dict is `model(**probe)`,
        anything else is `model(probe)`."""
        if isinstance(probe, Inputs):
            return probe
        if isinstance(probe, (tuple, list)) and not isinstance(probe, PackedSequence):
            return cls(tuple(probe))
        if isinstance(probe, dict) and all(isinstance(name, str) for name in probe):
            return cls((), probe)
        return cls((probe,))

    def __iter__(self) -> Iterator[Any]:
        yield from self.args
        yield from self.kwargs.values()

    @cached_property
    def is_graph(self) -> bool:
        """Whether the arguments describe one graph rather than a batch of items."""
        return any(is_graph(value) for value in self) or self._edge_tensor is not None

    @cached_property
    def count(self) -> int | None:
        """How many items there are: nodes of a graph, rows of a batch; None where nothing tells."""
        for value in self:
            if is_graph(value):
                nodes = len(value) if isinstance(value, Tensor) else getattr(value, "num_nodes", None)
                if isinstance(nodes, int):
                    return nodes
        edges = self._edge_tensor
        for tensor in _tensors(tuple(self)):
            if tensor is not edges and tensor.dim() > 0:
                return len(tensor)
        return None

    @property
    def edge_index(self) -> Tensor | None:
        """The edges (2, edges) of a graph, where they can be read."""
        for value in self:
            if is_graph(value) and isinstance(edges := getattr(value, "edge_index", None), Tensor):
                return edges
        return self._edge_tensor

    @property
    def device_kinds(self) -> set[str]:
        """Types of the devices ("cpu", "cuda") on which tensors lie."""
        return {tensor.device.type for tensor in _tensors(tuple(self))} or {"cpu"}

    @property
    def image(self) -> Tensor | None:
        """The argument that holds pictures (items, 1 or 3, height, width)."""
        for tensor in _tensors(tuple(self)):
            if isinstance(tensor, Tensor) and tensor.dim() == 4:
                channels, height, width = tensor.shape[1:]
                if channels in (1, 3) and min(height, width) > 1:
                    return tensor
        return None

    def first(self, limit: int) -> Inputs:
        """At most the first `limit` items; a graph stays whole."""
        count = self.count
        if self.is_graph or count is None or count <= limit:
            return self

        def cut(tensor: Tensor) -> Tensor:
            return tensor[:limit] if tensor.dim() > 0 and len(tensor) == count else tensor

        return self._map(cut, lambda value: value)

    def rows(self, start: int, stop: int) -> Inputs:
        """The items from `start` to before `stop` of a batch."""
        count = self.count

        def cut(tensor: Tensor) -> Tensor:
            return tensor[start:stop] if tensor.dim() > 0 and len(tensor) == count else tensor

        return self._map(cut, lambda value: value)

    def only(self, row: int) -> Inputs:
        """One item of a batch."""
        return self.rows(row, row + 1)

    def replaced(self, old: Tensor, new: Tensor) -> Inputs:
        """The same with one tensor in place of another."""
        return self._map(lambda tensor: new if tensor is old else tensor, lambda value: value)

    def cloned(self) -> Inputs:
        """Copies without gradient, so that nobody changes them in place."""
        return self._map(
            lambda tensor: tensor.detach().clone(),
            lambda value: value.clone() if hasattr(value, "clone") else value,
        )

    def to(self, device: torch.device) -> Inputs:
        """The same on another device."""

        def move_whole(value: Any) -> Any:
            if not hasattr(value, "to"):
                return value
            apart: Any = (
                value if isinstance(value, PackedSequence) else copy.copy(value)
            )  # Data moves in place
            return apart.to(device)

        return self._map(lambda tensor: tensor.to(device), move_whole)

    def _map(self, change: Callable[[Tensor], Tensor], change_whole: Callable[[Any], Any]) -> Inputs:
        return Inputs(
            _mapped(self.args, change, change_whole), _mapped(dict(self.kwargs), change, change_whole)
        )

    @cached_property
    def _edge_tensor(self) -> Tensor | None:
        tensors = [tensor for tensor in _tensors(tuple(self)) if tensor.dim() > 0]
        for edges in tensors:
            # Two sentences of word numbers are (2, words) as well; but then everything has two rows.
            others = {len(tensor) for tensor in tensors if tensor is not edges} - {2}
            if is_edge_shaped(edges) and others and (not edges.numel() or int(edges.max()) < max(others)):
                return edges
        return None


_GRAPH_TYPES = {
    "torch_geometric.data": ("Data", "HeteroData"),
    "torch_geometric.typing": ("SparseTensor",),
    "mmgraph.graph.adjacency": ("Adjacency",),
}


def is_edge_shaped(value: Any) -> TypeGuard[Tensor]:
    """Whether a value has the form of an edge list: integers of shape (2, edges)."""
    return (
        isinstance(value, Tensor)
        and value.dim() == 2
        and len(value) == 2
        and value.dtype in (torch.int64, torch.int32)
    )


def is_graph(value: Any) -> bool:
    """Whether a value is a graph by its type."""
    if isinstance(value, Tensor):
        sparse = value.layout in (torch.sparse_coo, torch.sparse_csr, torch.sparse_csc)
        return sparse and value.dim() == 2 and value.shape[0] == value.shape[1]
    return isinstance(value, _loaded(_GRAPH_TYPES))


def is_sparse_features(value: Any) -> TypeGuard[SparseFeatures]:
    """Whether a value is our sparse matrix of features, one row per item."""
    return isinstance(value, _loaded({"mmgraph.graph.sparse_features": ("SparseFeatures",)}))


def _loaded(homes: Mapping[str, tuple[str, ...]]) -> tuple[type, ...]:
    # A value can only be of a type whose module somebody imported; nothing heavy is imported to find out.
    found = [getattr(sys.modules.get(home), name, None) for home, names in homes.items() for name in names]
    return tuple(kind for kind in found if isinstance(kind, type))


def _tensors(value: Any) -> Iterator[Tensor | SparseFeatures]:
    """The tensors in nested tuples, lists and mappings, in order; graphs are not opened."""
    if isinstance(value, Tensor):
        if not is_graph(value):
            yield value
    elif is_sparse_features(value):
        yield value
    elif isinstance(value, PackedSequence):
        return
    elif isinstance(value, (tuple, list)):
        for entry in value:
            yield from _tensors(entry)
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from _tensors(entry)


def _mapped(value: Any, change: Callable[[Tensor], Tensor], change_whole: Callable[[Any], Any]) -> Any:
    """The same nesting with every tensor changed; graphs and packed sequences are changed as a whole."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, PackedSequence) or is_graph(value) or is_sparse_features(value):
        return change_whole(value)
    if isinstance(value, (tuple, list)):
        entries = [_mapped(entry, change, change_whole) for entry in value]
        return type(value)(*entries) if hasattr(value, "_fields") else type(value)(entries)
    if isinstance(value, Mapping):
        return {key: _mapped(entry, change, change_whole) for key, entry in value.items()}
    return value
