"""The links that the recipe `edge-classification` sorts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mmgraph import datasets
from mmgraph.datasets import catalogue
from mmgraph.graph import SparseFeatures
from mmgraph.recipes.citation import CitationNetwork

if TYPE_CHECKING:
    from torch_geometric.data import Data


@dataclass(frozen=True)
class Links:
    """An undirected graph whose nodes have groups; a link is of the group that it stays in, or between groups.

    Args:
        features: what each node brings.
        pairs: every link once, as u < v.
        groups: of the nodes.
        group_names: a name per group.
        edge_attr: what each link brings; None for nothing.
        columns: further numbers per link.

    Shapes:
        pairs (2, n), groups (num_nodes,) int64, edge_attr (n, edge_channels).
    """

    features: Tensor | SparseFeatures
    pairs: Tensor
    groups: Tensor
    group_names: tuple[str, ...]
    edge_attr: Tensor | None = None
    columns: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)

    @property
    def edge_index(self) -> Tensor:
        """The links in both directions, (2, 2n)."""
        return torch.cat([self.pairs, self.pairs.flip(0)], dim=1)

    @property
    def labels(self) -> Tensor:
        """The group of both ends; one more than the largest where they differ."""
        first, second = self.groups[self.pairs]
        return torch.where(first == second, first, len(self.group_names))

    @property
    def class_names(self) -> tuple[str, ...]:
        return (*self.group_names, "between")


def links_of(dataset: str) -> Links:
    """The links of a citation network, or of "karate"."""
    if dataset == "karate":
        return _karate()
    network = CitationNetwork.load(dataset)
    edges = network.data.edge_index
    pairs = edges[:, edges[0] < edges[1]]
    features = network.features()
    words = network.data.x > 0
    shared = (words[pairs[0]] & words[pairs[1]]).sum(dim=1)
    return Links(
        features, pairs, network.data.y, network.class_names, columns={"shared words": shared.numpy()}
    )


def _karate() -> Links:
    """Who met whom outside the club, and in how many places; nothing is known of the members but who they are."""
    club = cast("Data", datasets.load("karate"))
    first = club.edge_index[0] < club.edge_index[1]
    order = torch.argsort(club.edge_index[0, first], stable=True)
    pairs, places = club.edge_index[:, first][:, order], club.edge_weight[first][order]
    return Links(
        SparseFeatures.from_dense(torch.eye(club.num_nodes)),
        pairs,
        club.y,
        catalogue.manifest("karate").classes,
        edge_attr=places.unsqueeze(1),
        columns={"places": places.long().numpy()},
    )
