"""Edges held back from a graph, to see whether a model finds them again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.arguments import check_share
from mmgraph.graph.edge_list import checked_num_nodes
from mmgraph.graph.negative_sampling import NegativeSampler

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class LinkSplit:
    """The links of an undirected graph in three parts, and what a model may see of them.

    Args:
        graph: the training links in both directions; messages go along these alone.
        links: the links of each part, each once, as u < v.
        non_links: as many pairs that are links in no part, for "validation" and "test", all of them different.

    Shapes:
        links and non_links (2, n) int64 each.
    """

    graph: Adjacency
    links: dict[Part, Tensor]
    non_links: dict[Part, Tensor]


def split_links(
    edge_index: Tensor,
    num_nodes: int | None = None,
    *,
    validation: float = 0.05,
    test: float = 0.1,
    generator: torch.Generator,
) -> LinkSplit:
    """Hold back a share of the links of an undirected graph, and draw as many pairs that are no links.

    Edges are taken without their direction, repetitions and self-loops. Of n links, ⌊n · validation⌋ and
    ⌊n · test⌋ are held back, at least one each.

    Args:
        edge_index: the edges, in one direction or both.
        num_nodes: without it, one more than the largest index.
        validation: share of the links for validation.
        test: share of the links for test.
        generator: of the CPU.

    Raises:
        InputError: the edges are not valid, too few links for three parts, or too few pairs that are none.

    Source: Kipf and Welling, Variational Graph Auto-Encoders, NeurIPS workshop 2016 (85 / 5 / 10 %).
    """
    check_share("a share of validation links", validation)
    check_share("a share of test links", test)
    num_nodes = checked_num_nodes(edge_index, num_nodes)
    ends = edge_index.as_subclass(Tensor).long().sort(dim=0).values
    links = torch.unique(ends[:, ends[0] != ends[1]], dim=1)
    count = links.size(1)
    held = [max(int(count * validation), 1), max(int(count * test), 1)]
    sizes = dict(zip(PARTS, [count - sum(held), *held], strict=True))
    if sizes["train"] < 1:
        raise InputError(
            f"Expected enough links for training, validation and test, but {count} links with {validation:g} for "
            f"validation and {test:g} for test leave none to train on."
        )
    order = torch.randperm(count, generator=generator).to(links.device)
    parts = dict(zip(PARTS, links[:, order].split(list(sizes.values()), dim=1), strict=True))
    drawn = NegativeSampler(links, num_nodes).sample(sum(held), generator, distinct=True).split(held, dim=1)
    seen = parts["train"]
    graph = Adjacency.from_edge_index(torch.cat([seen, seen.flip(0)], dim=1), num_nodes)
    return LinkSplit(graph, parts, {"validation": drawn[0], "test": drawn[1]})
