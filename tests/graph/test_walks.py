from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numba.core import caching
from numpy.typing import NDArray
from scipy import stats

from mmgraph.compiled import kernel
from mmgraph.errors import InputError
from mmgraph.graph import Adjacency, random_walks
from mmgraph.graph.walks.walk_graph import WalkGraph

PARAMETERS = [(1.0, 1.0), (0.25, 4.0), (4.0, 0.25), (0.5, 1.0), (2.0, 3.0)]


def dense_graph(*, weighted: bool, directed: bool) -> NDArray[np.float64]:
    """M[j, i] is the weight of j → i; with a self-loop, a leaf and, where directed, one-way edges and a dead end."""
    rng = np.random.default_rng(7)
    matrix = np.triu(rng.random((9, 9)) < 0.45, 1).astype(float)
    matrix += matrix.T
    matrix[2, 2] = 1
    matrix[:, 8] = matrix[8, :] = 0
    matrix[8, 0] = matrix[0, 8] = 1
    if weighted:
        weight = rng.uniform(0.1, 3, matrix.shape)
        matrix *= weight + weight.T
    if directed:
        matrix *= rng.random(matrix.shape) < 0.8
        matrix[5] = 0
    return matrix


def small_world() -> NDArray[np.float64]:
    """So many nodes of so few edges that filters make mistakes and rows are searched."""
    nodes = np.arange(200)
    matrix = np.zeros((200, 200))
    for jump in (1, 2, 7):
        matrix[nodes, (nodes + jump) % 200] = matrix[(nodes + jump) % 200, nodes] = 1
    return matrix


def adjacency_of(matrix: NDArray[np.float64]) -> Adjacency:
    source, target = np.nonzero(matrix)
    weight = torch.from_numpy(matrix[source, target])
    return Adjacency.from_edge_index(
        torch.from_numpy(np.stack([source, target])), len(matrix), None if (weight == 1).all() else weight
    )


def second_order(matrix: NDArray[np.float64], p: float, q: float) -> NDArray[np.float64]:
    """P[t, v, x] of the step to x after t → v, from the definition; 0 where v is a dead end."""
    edge = matrix > 0
    alpha = np.where(edge[:, None, :], 1.0, 1 / q)
    nodes = np.arange(len(matrix))
    alpha[nodes, :, nodes] = 1 / p
    mass = alpha * matrix[None]
    total = mass.sum(2, keepdims=True)
    return np.divide(mass, total, out=np.zeros_like(mass), where=total > 0)


def p_value(walks: NDArray[np.int32], probability: NDArray[np.float64]) -> float:
    """χ² of observed against expected steps given the two nodes before; every observed step must be possible."""
    t, v, x = (walks[:, i : walks.shape[1] - 2 + i].ravel() for i in range(3))
    counts = np.zeros(probability.shape)
    np.add.at(counts, (t[x >= 0], v[x >= 0], x[x >= 0]), 1)
    assert counts[probability == 0].sum() == 0
    expected = counts.sum(2, keepdims=True) * probability
    tested = (expected >= 5).all(2, where=probability > 0, keepdims=True) & (expected > 0)
    assert tested.sum() > 20
    freedom = tested.sum() - tested.any(2).sum()
    statistic = ((counts - expected)[tested] ** 2 / expected[tested]).sum()
    return float(stats.chi2.sf(statistic, freedom))


@pytest.mark.parametrize(("p", "q"), PARAMETERS)
@pytest.mark.parametrize(
    "matrix",
    [
        pytest.param(lambda: dense_graph(weighted=False, directed=False), id="plain"),
        pytest.param(lambda: dense_graph(weighted=True, directed=False), id="weighted"),
        pytest.param(lambda: dense_graph(weighted=False, directed=True), id="directed"),
        pytest.param(lambda: dense_graph(weighted=True, directed=True), id="weighted and directed"),
        pytest.param(small_world, id="sparse"),
    ],
)
def test_steps_have_the_exact_second_order_probabilities(
    matrix: Callable[[], NDArray[np.float64]], p: float, q: float
):
    weights = matrix()
    per_node = 300 if len(weights) > 100 else 2500
    walks = random_walks(adjacency_of(weights), 40, per_node, p, q, seed=2, threads=1)
    assert p_value(walks, second_order(weights, p, q)) > 0.01


@pytest.mark.parametrize("weighted", [False, True])
def test_the_first_step_is_uniform_or_in_proportion_to_the_weights(weighted: bool):
    weights = dense_graph(weighted=weighted, directed=False)
    expected = weights / weights.sum(1, keepdims=True)
    for p, q in PARAMETERS[:2]:
        walks = random_walks(adjacency_of(weights), 2, 5000, p, q, threads=1)
        counts = np.zeros_like(weights)
        np.add.at(counts, (walks[:, 0], walks[:, 1]), 1)
        seen = expected > 0
        statistic = ((counts - 5000 * expected)[seen] ** 2 / (5000 * expected[seen])).sum()
        assert stats.chi2.sf(statistic, seen.sum() - len(weights)) > 0.01


@pytest.mark.parametrize(("p", "q"), PARAMETERS[:2])
def test_walks_do_not_depend_on_threads_or_on_how_many_there_are(p: float, q: float):
    graph = adjacency_of(small_world())
    one = random_walks(graph, 7, 40, p, q, seed=5, threads=1)
    assert np.array_equal(one, random_walks(graph, 7, 40, p, q, seed=5, threads=2))
    assert np.array_equal(one[:600], random_walks(graph, 7, 3, p, q, seed=5, threads=3))
    assert np.array_equal(one[:, :4], random_walks(graph, 4, 40, p, q, seed=5))
    assert not np.array_equal(one, random_walks(graph, 7, 40, p, q, seed=6))


@pytest.mark.parametrize(("p", "q"), PARAMETERS[:2])
@pytest.mark.parametrize("weight", [None, [1.0, 2.0, 3.0]])
def test_walks_end_where_no_edge_leads_on(p: float, q: float, weight: list[float] | None):
    edge_index = torch.tensor([[0, 1, 2], [1, 2, 3]])
    graph = Adjacency.from_edge_index(edge_index, 5, None if weight is None else torch.tensor(weight))
    walks = random_walks(graph, 6, 2, p, q)
    ends = [[0, 1, 2, 3, -1, -1], [1, 2, 3, -1, -1, -1], [2, 3, -1, -1, -1, -1]]
    ends += [[3, -1, -1, -1, -1, -1], [4, -1, -1, -1, -1, -1]]
    assert walks.dtype == np.int32
    assert walks.tolist() == ends * 2


@pytest.mark.parametrize(("p", "q"), PARAMETERS)
def test_graphs_with_hardly_any_choice(p: float, q: float):
    pair = adjacency_of(np.array([[0.0, 1.0], [1.0, 0.0]]))
    assert random_walks(pair, 5, 1, p, q).tolist() == [[0, 1, 0, 1, 0], [1, 0, 1, 0, 1]]
    loop = adjacency_of(np.array([[1.0]]))
    assert random_walks(loop, 4, 2, p, q).tolist() == [[0] * 4] * 2
    assert random_walks(pair, 1, 2, p, q).tolist() == [[0], [1]] * 2
    empty = Adjacency.from_edge_index(torch.empty(2, 0, dtype=torch.int64), 2)
    assert random_walks(empty, 3, 1, p, q).tolist() == [[0, -1, -1], [1, -1, -1]]


def test_equal_edges_add_up_and_edges_of_weight_zero_are_not_there():
    edge_index = torch.tensor([[0, 0, 0, 0], [1, 2, 1, 1]])
    walks = random_walks(Adjacency.from_edge_index(edge_index, 3), 2, 4000, threads=1)[::3]
    assert abs((walks[:, 1] == 1).mean() - 0.75) < 0.03
    weight = torch.tensor([1.0, 0.0, 1.0, 2.0])
    layout = WalkGraph.of(Adjacency.from_edge_index(edge_index, 3, edge_weight=weight))
    assert layout.col.tolist() == [1, 3]


def test_weights_of_every_size_keep_their_proportions():
    edge_index = torch.tensor([[0, 0, 1, 1], [1, 2, 0, 2]])
    weight = torch.tensor([1e-30, 3e-30, 1e30, 3e30], dtype=torch.float64)
    walks = random_walks(Adjacency.from_edge_index(edge_index, 3, weight), 2, 4000, threads=1)
    for node in (0, 1):
        assert abs((walks[node::3, 1] == 2).mean() - 0.75) < 0.03


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": 0.0}, "finite p > 0"),
        ({"q": -1.0}, "finite q > 0"),
        ({"q": float("nan")}, "finite q > 0"),
        ({"length": 0}, "length ≥ 1"),
        ({"walks_per_node": 0}, "walks_per_node ≥ 1"),
        ({"threads": 0}, "threads ≥ 1"),
        ({"seed": -1}, "seed ≥ 0"),
    ],
)
def test_numbers_out_of_range_are_refused(arguments: dict[str, float], message: str):
    graph = adjacency_of(np.array([[0.0, 1.0], [1.0, 0.0]]))
    with pytest.raises(InputError, match=message):
        random_walks(graph, **{"length": 3, "walks_per_node": 1, **arguments})


def test_graphs_that_cannot_be_walked_on_are_refused():
    edge_index = torch.tensor([[0], [1]])
    with pytest.raises(InputError, match=r"weights ≥ 0 for walks, but the smallest is -1"):
        random_walks(Adjacency.from_edge_index(edge_index, 2, torch.tensor([-1.0])), 3, 1)
    with pytest.raises(InputError, match="it has none"):
        random_walks(Adjacency.from_edge_index(torch.empty(2, 0, dtype=torch.int64)), 3, 1)
    with pytest.raises(InputError, match="Expected an Adjacency"):
        random_walks(edge_index, 3, 1)


def test_compiling_is_announced_once(tmp_path):
    code = (
        "import torch\n"
        "from mmgraph.graph.walks.alias import fill_aliases\n"
        "import numpy as np\n"
        "bounds, ones = np.array([0, 1]), np.ones(1)\n"
        "fill_aliases(bounds, ones, np.zeros(1, np.uint64))\n"
        "fill_aliases(bounds, ones.astype(np.float32), np.zeros(1, np.uint64))\n"
    )
    first, second = (
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            env={"NUMBA_CACHE_DIR": str(tmp_path), "PATH": ""},
        ).stderr
        for _ in range(2)
    )
    assert first.count("Compiling kernels") == 1
    assert second == ""
    assert logging.getLogger("mmgraph").level == logging.NOTSET


def test_kernels_compile_where_nothing_can_be_written(monkeypatch):
    def plus_one(number: int) -> int:
        return number + 1

    monkeypatch.setattr(caching.CompileResultCacheImpl, "_locator_classes", [])
    assert kernel(plus_one)(1) == 2
