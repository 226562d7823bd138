"""Convolution over edges of several kinds (R-GCN)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.arguments import check_channels, check_count
from mmgraph.graph.edge_masking import message_weight
from mmgraph.graph.kernels.sparse_products import sparse_product
from mmgraph.graph.propagation import propagate
from mmgraph.graph.sparse_features import Features, check_features, linear


class RelationalGCNConv(nn.Module):
    """Neighbours are averaged for each relation on its own, each with its own weight.

    yᵢ = W_root xᵢ + Σ_r 1/c_{i,r} Σ_{j→i by r} W_r xⱼ + b,  c_{i,r} the number of edges by r into i

    With bases W_r = Σ_b a_{rb} V_b: fewer weights, shared among rare relations. Weights of the graph do not enter.

    Args:
        in_channels: features per node.
        out_channels: features per node after it.
        num_relations: kinds of edges.
        num_bases: number of V_b; None gives every relation weights of its own.
        root: whether to add W_root xᵢ.
        bias: whether to add b.

    Shapes:
        x (num_nodes, in_channels) dense or SparseFeatures, graph with num_nodes nodes, relation (E,) integers in
        the order the edges were given in: (num_nodes, out_channels).
        Memory: num_nodes · num_relations · out_channels, with bases num_nodes · num_bases · out_channels.

    Raises:
        InputError: the features or relations do not fit the layer or the graph.

    Source: Schlichtkrull, Kipf, Bloem, van den Berg, Titov and Welling, Modeling Relational Data with Graph
    Convolutional Networks, ESWC 2018.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_relations: int,
        *,
        num_bases: int | None = None,
        root: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_channels(in_channels, out_channels)
        check_count("relation", num_relations)
        if num_bases is not None:
            check_count("basis", num_bases)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.num_relations = num_relations
        self.num_bases = num_bases
        self.weight = nn.Parameter(torch.empty(num_bases or num_relations, out_channels, in_channels))
        self.coefficients = None if num_bases is None else nn.Parameter(torch.empty(num_relations, num_bases))
        self.weight_root = nn.Parameter(torch.empty(out_channels, in_channels)) if root else None
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot-uniform weights for each relation or basis on its own, zero bias."""
        for weight in self.weight:
            nn.init.xavier_uniform_(weight)
        for parameter in (self.coefficients, self.weight_root):
            if parameter is not None:
                nn.init.xavier_uniform_(parameter)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Features, graph: Adjacency | Tensor, relation: Tensor) -> Tensor:
        check_features(x, self.in_channels)
        adjacency = Adjacency.of(graph, len(x))
        edges = adjacency.relational(relation, self.num_relations)
        share = edges.share.to(self.weight.dtype)
        h = linear(x, self.weight.flatten(0, 1)).to(self.weight.dtype)
        if self.coefficients is None:
            mask = message_weight(adjacency.pattern)
            share = share if mask is None else share * mask
            y = sparse_product(edges.columns, share[edges.columns.order], h.view(-1, self.out_channels))
        else:
            per_edge = share.unsqueeze(1) * self.coefficients[edges.relation]
            y = propagate(adjacency, h.view(len(x), len(self.weight), self.out_channels), per_edge).sum(1)
        if self.weight_root is not None:
            y = y + linear(x, self.weight_root)
        return y if self.bias is None else y + self.bias

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, num_relations={self.num_relations}, "
            f"num_bases={self.num_bases}, root={self.weight_root is not None}, bias={self.bias is not None}"
        )
