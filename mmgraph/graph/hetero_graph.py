"""Nodes of several types, joined by edges of several relations, as one graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.arguments import check_name
from mmgraph.graph.edge_list import checked_num_nodes

if TYPE_CHECKING:
    from torch_geometric.data import HeteroData

Relation = tuple[str, str, str]
"""Type of the source, name of the relation, type of the target, as in torch_geometric."""


class HeteroGraph:
    """Nodes of several types and edges of several relations, numbered through into one Adjacency.

    Types and relations are in alphabetical order, whatever order they are given in: nodes of the first type come
    first, then those of the second, …, and so do edges. Immutable, as Adjacency is.

    Args:
        num_nodes: how many nodes of each type there are.
        edge_index: for each relation (source type, name, target type) its sources and targets, numbered within their
            types.
        relations: all relations, where some of them may have no edges; by default those of `edge_index`.

    Shapes:
        edge_index (2, E_r) of any integer type each.

    Raises:
        InputError: no types or relations, or edges that are not valid for the types they join.
        UnknownNameError: a relation joins a type that is not there, or is none of `relations`.
    """

    def __init__(
        self,
        num_nodes: Mapping[str, int],
        edge_index: Mapping[Relation, Tensor],
        relations: Sequence[Relation] | None = None,
    ) -> None:
        self.num_nodes_of = dict(sorted(num_nodes.items()))
        self.relations = checked_relations(relations or tuple(edge_index), self.node_types)
        starts = _starts(self.num_nodes_of)
        for given in edge_index:
            check_name("relation", arrow(given), map(arrow, self.relations))
        edges, kinds = [], []
        for number, (source_type, name, target_type) in enumerate(self.relations):
            ends = edge_index.get((source_type, name, target_type))
            if ends is None:
                continue
            _check_ends(ends, (source_type, name, target_type), self.num_nodes_of)
            shift = torch.tensor([[starts[source_type]], [starts[target_type]]], device=ends.device)
            edges.append(ends.long() + shift)
            kinds.append(torch.full((ends.size(1),), number, device=ends.device))
        joined = torch.cat(edges, dim=1) if edges else torch.empty(2, 0, dtype=torch.int64)
        self.adjacency = Adjacency.from_edge_index(joined, sum(num_nodes.values()))
        self.relation = torch.cat(kinds) if kinds else torch.empty(0, dtype=torch.int64)
        """The number of the relation of every edge, in the order given."""

    @classmethod
    def from_data(cls, data: HeteroData) -> HeteroGraph:
        """The graph of a torch_geometric `HeteroData`: its node types and its edge types.

        Raises:
            InputError: it has no edges, or a type of which it does not say how many nodes there are.
        """
        num_nodes = {}
        for node_type in data.node_types:
            count = data[node_type].num_nodes
            if count is None:
                raise InputError(
                    f"Expected a HeteroData that knows its nodes, but those of type '{node_type}' have no features: "
                    f"set data['{node_type}'].num_nodes."
                )
            num_nodes[node_type] = int(count)
        return cls(num_nodes, data.edge_index_dict)

    @property
    def node_types(self) -> tuple[str, ...]:
        return tuple(self.num_nodes_of)

    @property
    def num_nodes(self) -> int:
        """Nodes of all types."""
        return self.adjacency.num_nodes

    def join(self, per_type: Mapping[str, Tensor]) -> Tensor:
        """The rows of every type one after the other, (num_nodes, …).

        Raises:
            InputError: a type is missing, or has another number of rows.
        """
        for node_type, count in self.num_nodes_of.items():
            if node_type not in per_type or len(per_type[node_type]) != count:
                got = f"{len(per_type[node_type])} rows" if node_type in per_type else "nothing"
                raise InputError(f"Expected {count} rows for nodes of type '{node_type}', but got {got}.")
        return torch.cat([per_type[node_type] for node_type in self.node_types])

    def split(self, rows: Tensor) -> dict[str, Tensor]:
        """The opposite of `join`: the rows of each type.

        Raises:
            InputError: it is not one row per node.
        """
        if len(rows) != self.num_nodes:
            raise InputError(f"Expected one row per node, {self.num_nodes}, but got {len(rows)}.")
        return dict(zip(self.node_types, rows.split(list(self.num_nodes_of.values())), strict=True))

    def to_edge_index_dict(self) -> dict[Relation, Tensor]:
        """The edges of every relation, numbered within their types, in the order they were given in."""
        edge_index, _ = self.adjacency.to_edge_index()
        starts = _starts(self.num_nodes_of)
        found = {}
        for number, (source_type, name, target_type) in enumerate(self.relations):
            shift = torch.tensor([[starts[source_type]], [starts[target_type]]], device=edge_index.device)
            found[source_type, name, target_type] = edge_index[:, self.relation == number] - shift
        return found

    def to(self, device: torch.device | str) -> HeteroGraph:
        """The graph on another device."""
        moved = object.__new__(HeteroGraph)
        moved.num_nodes_of, moved.relations = self.num_nodes_of, self.relations
        moved.adjacency, moved.relation = self.adjacency.to(device), self.relation.to(device)
        return moved

    def __repr__(self) -> str:
        nodes = ", ".join(f"{count} {node_type}" for node_type, count in self.num_nodes_of.items())
        return f"HeteroGraph({nodes}; {self.adjacency.num_edges} edges of {len(self.relations)} relations)"


def arrow(relation: Relation) -> str:
    """A relation as it is written in messages."""
    return " ".join(relation)


def checked_relations(relations: Sequence[Relation], node_types: Sequence[str]) -> tuple[Relation, ...]:
    """At least one relation, each once, between types that are there; in alphabetical order.

    Raises:
        InputError: there is none, one twice, or one that is not three names.
        UnknownNameError: it joins a type that is not there.
    """
    for relation in relations:
        if not isinstance(relation, tuple) or len(relation) != 3:
            raise InputError(f"Expected relations as (source type, name, target type), but got {relation!r}.")
        for end in (relation[0], relation[2]):
            check_name("type of node", end, node_types)
    if not relations or len(set(relations)) < len(relations):
        raise InputError(
            f"Expected at least one relation, and each once, but got {', '.join(map(arrow, relations)) or 'none'}."
        )
    return tuple(sorted(relations))


def _check_ends(edge_index: Tensor, relation: Relation, num_nodes: Mapping[str, int]) -> None:
    try:
        checked_num_nodes(edge_index, None)
        for ends, node_type in zip(edge_index, (relation[0], relation[2]), strict=True):
            checked_num_nodes(torch.stack([ends, ends]), num_nodes[node_type])
    except InputError as error:
        raise InputError(f"In the relation '{arrow(relation)}': {error}") from error


def _starts(num_nodes: Mapping[str, int]) -> dict[str, int]:
    """The number of the first node of every type."""
    return dict(zip(num_nodes, accumulate(num_nodes.values(), initial=0), strict=False))
