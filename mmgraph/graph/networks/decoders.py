"""From vectors of two nodes to what is said of the pair."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.graph.arguments import check_channels, check_count, check_name, check_share
from mmgraph.graph.edge_list import checked_num_nodes

PairJoin = Literal["product", "symmetric", "ends"]


class DotDecoder(nn.Module):
    """Two nodes are linked where their vectors point the same way; nothing to learn.

    s_uv = ⟨z_u, z_v⟩,  p(u–v) = 1 / (1 + exp(−s_uv))

    Shapes:
        z (num_nodes, channels), pairs (2, n): (n,).

    Raises:
        InputError: the pairs do not fit the vectors.

    Source: Kipf and Welling, Variational Graph Auto-Encoders, NeurIPS workshop 2016.
    """

    def forward(self, z: Tensor, pairs: Tensor) -> Tensor:
        u, v = ends(z, pairs)
        return (u * v).sum(dim=1)


class MLPDecoder(nn.Module):
    """A perceptron reads both vectors, and the features of the edge where it has any.

    product:   s_uv = MLP([z_u ∘ z_v, e_uv]), the same in both directions
    symmetric: s_uv = MLP([z_u + z_v, |z_u − z_v|, e_uv]), the same in both directions, and nothing else is lost
    ends:      s_uv = MLP([z_u, z_v, e_uv]), where direction matters

    Args:
        in_channels: features per node.
        hidden_channels: between the two linear maps.
        out_channels: scores per pair, such as one per class.
        join: "product", "symmetric" or "ends".
        edge_channels: features per pair; 0 where there are none.
        dropout: probability with which a hidden feature is dropped in training.

    Shapes:
        z (num_nodes, in_channels), pairs (2, n), edge_attr (n, edge_channels): (n, out_channels).

    Raises:
        InputError: a number is out of range, or the pairs or their features do not fit.
        UnknownNameError: there is no such join.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int = 1,
        *,
        join: PairJoin = "product",
        edge_channels: int = 0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_channels(in_channels, out_channels)
        check_count("hidden channel", hidden_channels)
        check_count("edge channels", edge_channels, 0)
        check_name("join of two ends", join, get_args(PairJoin))
        check_share("a dropout", dropout)
        self.join = join
        self.edge_channels = edge_channels
        joined = in_channels * (1 if join == "product" else 2) + edge_channels
        self.mlp = nn.Sequential(
            nn.Linear(joined, hidden_channels),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_channels, out_channels),
        )

    def forward(self, z: Tensor, pairs: Tensor, edge_attr: Tensor | None = None) -> Tensor:
        scores: Tensor = self.mlp(self._joined(z, pairs, edge_attr))
        return scores

    def embed(self, z: Tensor, pairs: Tensor, edge_attr: Tensor | None = None) -> Tensor:
        """What the scores of every pair are a linear map of, (n, hidden_channels)."""
        hidden: Tensor = self.mlp[:2](self._joined(z, pairs, edge_attr))
        return hidden

    def _joined(self, z: Tensor, pairs: Tensor, edge_attr: Tensor | None) -> Tensor:
        u, v = ends(z, pairs)
        parts = {"product": [u * v], "symmetric": [u + v, (u - v).abs()], "ends": [u, v]}[self.join]
        channels = 0 if edge_attr is None or edge_attr.dim() != 2 else edge_attr.size(1)
        if channels != self.edge_channels:
            raise InputError(f"Expected {self.edge_channels} features per edge, but got {channels}.")
        if edge_attr is not None:
            if len(edge_attr) != pairs.size(1):
                raise InputError(
                    f"Expected one row of features per pair, ({pairs.size(1)}, {self.edge_channels}), but got "
                    f"{tuple(edge_attr.shape)}."
                )
            parts.append(edge_attr)
        return torch.cat(parts, dim=1)


def ends(z: Tensor, pairs: Tensor) -> tuple[Tensor, Tensor]:
    """The vectors of the first and the second node of every pair.

    Shapes:
        z (num_nodes, channels), pairs (2, n): (n, channels) each.

    Raises:
        InputError: a pair has a node that is not there.
    """
    checked_num_nodes(pairs, len(z))
    u, v = pairs.long()
    return z.index_select(0, u), z.index_select(0, v)
