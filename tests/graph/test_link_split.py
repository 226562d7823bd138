from __future__ import annotations

import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.graph import split_links


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_graph(num_nodes: int = 60, count: int = 400):
    """Directions, repetitions and self-loops mixed."""
    return torch.randint(num_nodes, (2, count), generator=generator(5))


def keys(pairs: torch.Tensor, num_nodes: int = 60) -> set[int]:
    return set((pairs.min(0).values * num_nodes + pairs.max(0).values).tolist())


def test_the_parts_are_all_links_once_and_the_graph_has_those_of_training_alone():
    edge_index = random_graph()
    split = split_links(edge_index, 60, generator=generator())
    between = edge_index[:, edge_index[0] != edge_index[1]]
    parts = [keys(pairs) for pairs in split.links.values()]
    assert set.union(*parts) == keys(between)
    assert sum(map(len, parts)) == sum(pairs.size(1) for pairs in split.links.values()) == len(keys(between))
    assert len(parts[1]) == int(len(keys(between)) * 0.05)
    assert len(parts[2]) == int(len(keys(between)) * 0.10)
    assert split.graph.is_symmetric
    assert split.graph.num_nodes == 60
    assert split.graph.num_edges == 2 * len(parts[0])
    assert keys(split.graph.edge_index) == parts[0]


def test_the_other_pairs_are_links_in_no_part():
    edge_index = random_graph()
    split = split_links(edge_index, 60, generator=generator())
    others = [keys(pairs) for pairs in split.non_links.values()]
    assert list(split.non_links) == ["validation", "test"]
    for part, drawn in split.non_links.items():
        assert drawn.shape == split.links[part].shape
    assert not set.union(*others) & keys(edge_index)
    assert len(set.union(*others)) == sum(pairs.size(1) for pairs in split.non_links.values())


def test_the_split_depends_on_the_seed_alone():
    edge_index = random_graph()
    reversed_ = edge_index.flip(0)[:, torch.randperm(400, generator=generator(8))]
    first, same, other = (
        split_links(edges, 60, generator=generator(seed))
        for edges, seed in ((edge_index, 1), (reversed_, 1), (edge_index, 2))
    )
    assert all(torch.equal(first.links[part], same.links[part]) for part in first.links)
    assert all(torch.equal(first.non_links[part], same.non_links[part]) for part in first.non_links)
    assert not torch.equal(first.links["test"], other.links["test"])


def test_every_part_has_a_link():
    split = split_links(torch.tensor([[0, 1, 2], [1, 2, 3]]), 5, generator=generator())
    assert [pairs.size(1) for pairs in split.links.values()] == [1, 1, 1]


@pytest.mark.parametrize(
    ("edges", "options", "message"),
    [
        ([[0, 1], [1, 2]], {}, "leave none to train on"),
        ([[], []], {}, "0 links"),
        ([[0, 1, 2], [1, 2, 0]], {}, "all 3 pairs"),
        ([[0, 1, 2, 3], [1, 2, 3, 0]], {"test": 1.5}, "from 0 to 1"),
        ([[0, 1, 2, 3], [1, 2, 3, 9]], {"num_nodes": 5}, "node indices"),
        ([[0, 1, 2], [1, 2, 3]], {"validation": 0.7, "test": 0.7}, "leave none"),
    ],
)
def test_what_cannot_be_split_is_refused(edges, options, message):
    edge_index = torch.tensor(edges, dtype=torch.int64)
    with pytest.raises(InputError, match=message):
        split_links(edge_index, options.pop("num_nodes", None), generator=generator(), **options)
