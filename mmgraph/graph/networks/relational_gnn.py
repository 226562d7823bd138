"""The network for nodes of several types: relational convolutions over projected inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.graph.arguments import check_channels, check_count, check_name
from mmgraph.graph.hetero_graph import HeteroGraph, Relation, arrow, checked_relations
from mmgraph.graph.networks.gnn import GNN
from mmgraph.graph.sparse_features import Features, check_features, linear


class RelationalGNN(nn.Module):
    """Each type of node is brought to one width by a map of its own, then relational convolutions mix them.

    h⁰ᵢ = W_t xᵢ + b_t for nodes with features, a learned vector eᵢ for nodes without (t is the type of i)
    hˡ = σ(RelationalGCNConv(dropout(hˡ⁻¹), graph, relations)), the last without σ

    A relation carries messages in its own direction only; where they should go both ways give its reverse another
    name (as `torch_geometric.transforms.ToUndirected` does).

    Args:
        in_channels: features per node of each type that has any.
        hidden_channels: features per node inside.
        out_channels: logits per node, of every type.
        relations: (source type, name, target type) each; `data.edge_types` of a `HeteroData`.
        num_nodes: how many nodes there are of each type without features.
        num_layers: number of convolutions.
        num_bases: of `RelationalGCNConv`; None gives every relation weights of its own.
        options: of `GNN`, such as dropout, norm or residual.

    Shapes:
        x_dict: (n_t, in_channels[t]) dense or SparseFeatures for each type with features; the graph as
        `edge_index_dict` or, sorted once, as a `HeteroGraph`: (n_t, out_channels) for every type.

    Raises:
        InputError: features are missing or do not fit, or the graph has other types or relations.
        UnknownNameError: features of a type or edges of a relation that the network does not know.

    Source: Schlichtkrull et al., Modeling Relational Data with Graph Convolutional Networks, ESWC 2018.
    Differs: nodes may bring features, of another width for each type.
    """

    def __init__(
        self,
        in_channels: Mapping[str, int],
        hidden_channels: int,
        out_channels: int,
        relations: Sequence[Relation],
        *,
        num_nodes: Mapping[str, int] | None = None,
        num_layers: int = 2,
        num_bases: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        counts = dict(num_nodes or {})
        both = sorted(counts.keys() & in_channels.keys())
        if both:
            raise InputError(
                f"Expected each type of node with features or with a number of nodes, but '{both[0]}' has both."
            )
        for channels in in_channels.values():
            check_channels(channels, hidden_channels)
        for node_type, count in counts.items():
            check_count(f"node of type '{node_type}'", count)
        self.in_channels, self._counted = dict(in_channels), tuple(counts)
        self.node_types = tuple(sorted((*in_channels, *counts)))
        self.relations = checked_relations(relations, self.node_types)
        # Names of modules may hold no dots, those of types may.
        self.projections = nn.ModuleList(
            nn.Linear(channels, hidden_channels) for channels in in_channels.values()
        )
        self.vectors = nn.ParameterList(torch.empty(count, hidden_channels) for count in counts.values())
        for vectors in self.vectors:
            nn.init.xavier_uniform_(vectors)
        self.gnn = GNN(
            hidden_channels,
            hidden_channels,
            out_channels,
            num_layers,
            "rgcn",
            num_relations=len(self.relations),
            num_bases=num_bases,
            **options,
        )

    def forward(
        self, x_dict: Mapping[str, Features], graph: HeteroGraph | Mapping[Relation, Tensor]
    ) -> dict[str, Tensor]:
        inputs = self.inputs(x_dict)
        whole = self.graph_of(inputs, graph)
        logits: Tensor = self.gnn(whole.join(inputs), whole.adjacency, edge_attr=whole.relation)
        return whole.split(logits)

    def inputs(self, x_dict: Mapping[str, Features]) -> dict[str, Tensor]:
        """h⁰ of the nodes of every type, (n_t, hidden_channels)."""
        for node_type in x_dict:
            check_name("type of node with features", node_type, self.in_channels)
        projected = {}
        for (node_type, channels), projection in zip(self.in_channels.items(), self.projections, strict=True):
            if node_type not in x_dict:
                raise InputError(
                    f"Expected features of nodes of type '{node_type}', ({channels} each), but there are none: types "
                    f"without features are given to the network by num_nodes."
                )
            try:
                check_features(x_dict[node_type], channels)
            except InputError as error:
                raise InputError(f"For nodes of type '{node_type}': {error}") from error
            weight, bias = projection.parameters()
            projected[node_type] = linear(x_dict[node_type], weight) + bias
        return projected | dict(zip(self._counted, self.vectors, strict=True))

    def graph_of(
        self, inputs: Mapping[str, Tensor], graph: HeteroGraph | Mapping[Relation, Tensor]
    ) -> HeteroGraph:
        """The graph with the types and relations of this network."""
        if not isinstance(graph, HeteroGraph):
            sizes = {node_type: len(rows) for node_type, rows in inputs.items()}
            return HeteroGraph(sizes, graph, self.relations)
        if graph.node_types != self.node_types or graph.relations != self.relations:
            raise InputError(
                f"Expected a graph of types {', '.join(self.node_types)} with relations "
                f"{', '.join(map(arrow, self.relations))}, but this one has {', '.join(graph.node_types)} with "
                f"{', '.join(map(arrow, graph.relations))}: name those without edges in HeteroGraph(…, relations=…)."
            )
        return graph
