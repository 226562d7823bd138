from __future__ import annotations

from itertools import combinations, permutations

import pytest
import torch
from scipy.stats import chisquare

from mmgraph.errors import InputError
from mmgraph.graph import NegativeSampler


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def non_edges(edge_index, num_nodes, directed):
    """By going over all pairs."""
    pairs = {(int(u), int(v)) for u, v in edge_index.T}
    if directed:
        return {pair for pair in permutations(range(num_nodes), 2) if pair not in pairs}
    return {
        (u, v) for u, v in combinations(range(num_nodes), 2) if (u, v) not in pairs and (v, u) not in pairs
    }


@pytest.mark.parametrize("directed", [False, True])
def test_the_ranks_go_over_every_pair_that_is_no_edge_once(edges, directed):
    edge_index, num_nodes = edges
    expected = non_edges(edge_index, num_nodes, directed)
    if not expected:
        with pytest.raises(InputError, match=r"all .* pairs"):
            NegativeSampler(edge_index, num_nodes, directed=directed)
        return
    sampler = NegativeSampler(edge_index, num_nodes, directed=directed)
    assert sampler.num_negatives == len(expected)
    pairs = [(u, v) for u, v in sampler.pairs(torch.arange(sampler.num_negatives)).T.tolist()]
    assert len(pairs) == len(expected)
    assert set(pairs) == expected


@pytest.mark.parametrize("directed", [False, True])
def test_every_pair_is_equally_likely(directed):
    edge_index = torch.randint(9, (2, 30), generator=generator(1))
    sampler = NegativeSampler(edge_index, 9, directed=directed)
    u, v = sampler.sample(40_000, generator())
    counts = torch.bincount(u * 9 + v, minlength=81)
    assert (counts > 0).sum() == sampler.num_negatives
    assert chisquare(counts[counts > 0].numpy()).pvalue > 0.01


def test_distinct_pairs_are_distinct_and_equally_likely():
    edge_index = torch.tensor([[0, 1], [1, 2]])
    sampler = NegativeSampler(edge_index, 6)
    counts = torch.zeros(36, dtype=torch.int64)
    for seed in range(3000):
        count = 3 if seed % 2 else 9  # a few of all, and most of them
        u, v = sampler.sample(count, generator(seed), distinct=True)
        assert len(torch.unique(u * 6 + v)) == count
        counts += torch.bincount(u * 6 + v, minlength=36)
    assert (counts > 0).sum() == sampler.num_negatives == 13
    assert chisquare(counts[counts > 0].numpy()).pvalue > 0.01
    everything = sampler.sample(13, generator(), distinct=True)
    assert {(int(u), int(v)) for u, v in everything.T} == non_edges(edge_index, 6, directed=False)


@pytest.mark.parametrize("directed", [False, True])
def test_the_last_pairs_of_the_largest_graph_are_right(directed):
    sampler = NegativeSampler(torch.empty(2, 0, dtype=torch.int64), 2**31, directed=directed)
    last = sampler.num_negatives - 1
    ranks = torch.tensor([0, 1, 2, last - 2**31, last - 2**31 + 1, last - 1, last])
    pairs = sampler.pairs(ranks)
    assert bool(((pairs >= 0) & (pairs < 2**31)).all())
    assert bool((pairs[0] != pairs[1]).all())
    assert torch.equal(sampler._key(*pairs), ranks)


def test_one_pair_left_is_found_at_once():
    complete = torch.combinations(torch.arange(200)).T
    missing = complete[:, 12_345]
    sampler = NegativeSampler(torch.cat([complete[:, :12_345], complete[:, 12_346:]], dim=1), 200)
    assert sampler.num_negatives == 1
    assert torch.equal(sampler.sample(5, generator()), missing.sort().values.unsqueeze(1).expand(2, 5))


def test_one_seed_one_draw():
    sampler = NegativeSampler(torch.tensor([[0], [1]]), 50)
    assert torch.equal(sampler.sample(20, generator(3)), sampler.sample(20, generator(3)))
    assert sampler.sample(0, generator()).shape == (2, 0)


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match="all 3 pairs of its 3 nodes"):
        NegativeSampler(torch.tensor([[0, 0, 2], [1, 2, 1]]), 3)
    with pytest.raises(InputError, match="all 0 pairs"):
        NegativeSampler(torch.empty(2, 0, dtype=torch.int64), 0)
    with pytest.raises(InputError, match="at most 2 distinct"):
        NegativeSampler(torch.tensor([[0], [1]]), 3).sample(3, generator(), distinct=True)
    with pytest.raises(InputError, match="at least 0 pairs"):
        NegativeSampler(torch.tensor([[0], [1]]), 3).sample(-1, generator())
    with pytest.raises(InputError, match="integers"):
        NegativeSampler(torch.rand(2, 3), 3)
    with pytest.raises(InputError, match="at most 2,147,483,648 nodes"):
        NegativeSampler(torch.empty(2, 0, dtype=torch.int64), 2**31 + 1)
