from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import numpy as np
import pytest
import torch
from scipy import stats

from mmgraph.errors import InputError
from mmgraph.graph import GNN, Adjacency, NeighborSampler
from mmgraph.graph.networks.gnn import Convolution


def random_graph(
    num_nodes: int = 60, num_edges: int = 400, *, weighted: bool = False, seed: int = 0
) -> Adjacency:
    """Directed, with duplicates, self-loops and a node that receives nothing."""
    rng = np.random.default_rng(seed)
    source, target = rng.integers(0, num_nodes, (2, num_edges))
    target[target == 5] = 6
    source[:4], target[:4] = [3, 3, 9, 2], [3, 3, 9, 2]
    weight = torch.from_numpy(rng.uniform(0.5, 2, num_edges)) if weighted else None
    return Adjacency.from_edge_index(torch.from_numpy(np.stack([source, target])), num_nodes, weight)


def star(num_leaves: int) -> Adjacency:
    leaves = torch.arange(1, num_leaves + 1)
    return Adjacency.from_edge_index(torch.stack([leaves, torch.zeros_like(leaves)]))


@pytest.mark.parametrize("fan_out", [[-1], [3], [4, 2], [-1, 3, -1], [50, 2]])
@pytest.mark.parametrize("replace", [False, True])
def test_a_neighbourhood_is_part_of_the_graph(fan_out, replace):
    graph = random_graph()
    sampler = NeighborSampler(graph, fan_out, replace=replace)
    seeds = torch.tensor([7, 3, 5, 30])
    found = sampler.sample(seeds)
    assert torch.equal(found.nodes[:4], seeds)
    assert found.num_seeds == 4
    assert len(found.nodes.unique()) == len(found.nodes) == found.hops[-1] == found.adjacency.num_nodes
    row, col = found.adjacency.row, found.adjacency.col
    assert torch.equal(graph.row[found.edges], found.nodes[row])
    assert torch.equal(graph.col[found.edges], found.nodes[col])
    keys = row * len(found.nodes) + col
    assert torch.equal(keys, keys.sort().values)
    if not replace:
        assert len(found.edges.unique()) == len(found.edges)
    degree = graph.rowptr.diff()[found.nodes]
    begin = 0
    for hop, k in enumerate(fan_out):
        end = found.hops[hop]
        drawn = found.adjacency.rowptr.diff()[begin:end]
        n = degree[begin:end]
        wanted = n if k == -1 else torch.full_like(n, k) * (n > 0) if replace else n.clamp(max=k)
        assert torch.equal(drawn, wanted)
        begin = end
    assert int(found.adjacency.rowptr[begin]) == found.adjacency.num_edges


def test_every_set_of_neighbours_is_equally_likely():
    graph = star(6)
    sampler = NeighborSampler(graph, [3], seed=5)
    counts = dict.fromkeys(combinations(range(1, 7), 3), 0)
    for position in range(4000):
        found = sampler.sample(torch.tensor([0]), position=position)
        counts[tuple(sorted(found.nodes[1:].tolist()))] += 1
    assert stats.chisquare(list(counts.values())).pvalue > 0.01


@pytest.mark.parametrize(("degree", "fan_out"), [(20, 19), (40, 3), (100, 20), (100, 99)])
def test_every_neighbour_and_every_pair_is_equally_likely(degree, fan_out):
    sampler = NeighborSampler(star(degree), [fan_out], seed=2)
    times, batches = np.zeros((degree, degree)), 2000
    for position in range(batches):
        drawn = sampler.sample(torch.tensor([0]), position=position).nodes[1:].numpy() - 1
        assert len(drawn) == fan_out
        times[np.ix_(drawn, drawn)] += 1
    share = fan_out / degree
    spread = batches * share * (1 - share)
    # Counts of one batch add up to the fan-out, which takes one degree of freedom.
    deviation = ((times.diagonal() - batches * share) ** 2).sum() / spread * (degree - 1) / degree
    assert stats.chi2(degree - 1).sf(deviation) > 0.01
    both = share * (fan_out - 1) / (degree - 1)
    pairs = times[np.triu_indices(degree, 1)]
    largest = np.abs(pairs - batches * both).max() / np.sqrt(batches * both * (1 - both))
    assert 2 * len(pairs) * stats.norm.sf(largest) > 0.001


def test_numbers_of_earlier_batches_are_forgotten_also_when_they_run_out():
    graph, seeds = random_graph(), torch.tensor([7, 3, 5, 30])
    sampler = NeighborSampler(graph, [3, 3])
    expected = [sampler.sample(seeds, position=position) for position in range(6)]
    sampler._kept.room.number_of[:] = sampler._kept.room.base = 2**31 - 200
    sampler._kept.room.number_of -= 1
    for position, one in enumerate(expected):
        again = sampler.sample(seeds, position=position)
        assert torch.equal(again.nodes, one.nodes)
        assert torch.equal(again.adjacency.col, one.adjacency.col)
    assert sampler._kept.room.base < 1000


def test_with_replacement_every_sequence_is_equally_likely():
    sampler = NeighborSampler(star(3), [2], replace=True, seed=1)
    counts = np.zeros((3, 3))
    for position in range(3000):
        found = sampler.sample(torch.tensor([0]), position=position)
        one, two = found.nodes[found.adjacency.col].tolist()
        counts[min(one, two) - 1, max(one, two) - 1] += 1
    expected = np.where(np.eye(3), 1, 2) * 3000 / 9
    upper = np.triu_indices(3)
    assert stats.chisquare(counts[upper], expected[upper]).pvalue > 0.01


def test_nodes_of_one_batch_draw_independently():
    leaves = torch.arange(2, 6)
    edges = torch.cat([torch.stack([leaves, torch.full_like(leaves, hub)]) for hub in (0, 1)], 1)
    sampler = NeighborSampler(Adjacency.from_edge_index(edges), [1])
    counts = np.zeros((4, 4))
    for position in range(4000):
        found = sampler.sample(torch.tensor([0, 1]), position=position)
        one, two = found.nodes[found.adjacency.col].tolist()
        counts[one - 2, two - 2] += 1
    assert stats.chisquare(counts.ravel()).pvalue > 0.01


def test_draws_depend_on_seed_epoch_and_position_alone():
    graph = random_graph(300, 6000)
    seeds = torch.arange(40)

    def edges(seed: int = 0, epoch: int = 0, position: int = 0) -> list[int]:
        return NeighborSampler(graph, [3, 3], seed=seed).sample(seeds, epoch, position).edges.tolist()

    first = edges()
    assert edges() == first
    assert len({tuple(edges(*counters)) for counters in np.eye(3, dtype=int).tolist()} | {tuple(first)}) == 4
    sampler = NeighborSampler(graph, [3, 3])
    with ThreadPoolExecutor(4) as pool:
        batches = list(pool.map(lambda position: sampler.sample(seeds, 0, position), range(40)))
    for position, batch in enumerate(batches):
        assert batch.edges.tolist() == edges(position=position)


def test_long_rows_are_sorted_too():
    leaves = torch.arange(1, 1001)
    edges = torch.cat([torch.stack([leaves.flip(0), torch.zeros_like(leaves)]), torch.tensor([[0], [1]])], 1)
    graph = Adjacency.from_edge_index(edges)
    for k in (-1, 700):
        found = NeighborSampler(graph, [k]).sample(torch.tensor([900, 0, 3, 500]))
        assert bool((found.adjacency.col.diff() >= 0).all())
        assert torch.equal(graph.col[found.edges], found.nodes[found.adjacency.col])


@pytest.mark.parametrize("conv", ["gcn", "sage", "gat", "gatv2", "gin", "linear", "arma"])
@pytest.mark.parametrize("weighted", [False, True])
def test_with_all_neighbours_seeds_get_what_they_get_in_the_whole_graph(conv: Convolution, weighted):
    graph = random_graph(weighted=weighted)
    torch.manual_seed(0)
    options = {"batch_norm": False} if conv == "gin" else {}
    model = GNN(5, 8, 3, conv=conv, **options).double().eval()
    x = torch.randn(60, 5, dtype=torch.float64)
    found = NeighborSampler(graph, [-1, -1]).sample(torch.tensor([3, 5, 9, 59]))
    ours = model(x[found.nodes], found.adjacency)[:4]
    torch.testing.assert_close(ours, model(x, graph)[found.nodes[:4]], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("conv", "options"), [("sgc", {"K": 2}), ("cheb", {"K": 3})])
def test_layers_that_reach_further_need_a_hop_for_each_step(conv: Convolution, options):
    graph = random_graph()
    model = GNN(5, 8, 3, num_layers=1, conv=conv, **options).double().eval()
    x = torch.randn(60, 5, dtype=torch.float64)
    found = NeighborSampler(graph, [-1, -1]).sample(torch.tensor([3, 5, 59]))
    ours = model(x[found.nodes], found.adjacency)[:3]
    torch.testing.assert_close(ours, model(x, graph)[found.nodes[:3]], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_products_with_normalised_samples_are_unbiased(replace, weighted):
    graph = random_graph(30, 300, weighted=weighted)
    x = torch.randn(30, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    seeds = torch.tensor([0, 3, 9, 11])
    sampler = NeighborSampler(graph, [4], replace=replace, seed=2)
    for kind, loops in (("sym", True), ("row", False), ("none", False), ("none", True)):
        draws = []
        for position in range(400):
            found = sampler.sample(seeds, position=position)
            part = found.adjacency.normalized(kind, loops, torch.float64)
            rows = torch.zeros(len(found.nodes), 4, dtype=torch.float64)
            draws.append(rows.index_add(0, part.row, part.weight()[:, None] * x[found.nodes][part.col])[:4])
        whole = graph.normalized(kind, loops, torch.float64)
        exact = torch.zeros_like(x).index_add(0, whole.row, whole.weight()[:, None] * x[whole.col])[seeds]
        stacked = torch.stack(draws)
        error = (stacked.mean(0) - exact) / (stacked.std(0) / len(draws) ** 0.5 + 1e-12)
        assert error.abs().max() < 4.5, (kind, loops)


def test_gradients_reach_learned_weights():
    graph = random_graph(weighted=True)
    weight = graph.value.clone().requires_grad_()
    sampler = NeighborSampler(graph.with_value(weight), [3])
    found = sampler.sample(torch.arange(10))
    found.adjacency.value.sum().backward()
    assert set(weight.grad.nonzero().flatten().tolist()) == set(found.edges.tolist())


def test_an_error_leaves_the_sampler_as_it_was():
    graph = random_graph()
    sampler = NeighborSampler(graph, [3, 3])
    before = sampler.sample(torch.arange(10)).edges
    with pytest.raises(InputError, match="at most once, but 4"):
        sampler.sample(torch.tensor([1, 4, 4]))
    assert torch.equal(sampler.sample(torch.arange(10)).edges, before)


def test_no_seeds_and_no_edges():
    sampler = NeighborSampler(random_graph(), [3, 3])
    assert sampler.sample(torch.arange(0)).hops == (0, 0, 0)
    assert NeighborSampler(random_graph(), []).sample(torch.arange(3)).hops == (3,)
    empty = Adjacency.from_edge_index(torch.zeros(2, 0, dtype=torch.int64), 4)
    found = NeighborSampler(empty, [3]).sample(torch.tensor([2, 1]))
    assert found.hops == (2, 2)
    assert found.adjacency.num_edges == 0
    assert found.adjacency.normalized("sym").num_edges == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fan_out": [3, 0]}, r"one fan-out ≥ 1 per hop.*\[3, 0\]"),
        ({"seed": -1}, "a seed ≥ 0"),
        ({"graph": torch.zeros(2, 3, dtype=torch.int64)}, "an Adjacency on the CPU"),
    ],
)
def test_bad_samplers(change, message):
    given = {"graph": random_graph(), "fan_out": [3]} | change
    with pytest.raises(InputError, match=message):
        NeighborSampler(**given)


@pytest.mark.parametrize(
    "nodes", [torch.tensor([60]), torch.tensor([-1]), torch.rand(3), torch.ones(2, 2).long(), [1]]
)
def test_bad_seeds(nodes):
    with pytest.raises(InputError, match=r"Expected node"):
        NeighborSampler(random_graph(), [3]).sample(nodes)
