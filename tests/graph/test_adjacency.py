from __future__ import annotations

import networkx
import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph import Adjacency


def dense(adjacency: Adjacency) -> torch.Tensor:
    """a[i, j] summed from the list of edges, not from the rows."""
    edge_index, weight = adjacency.to_edge_index()
    weight = torch.ones(edge_index.size(1)) if weight is None else weight
    matrix = torch.zeros(adjacency.num_nodes, adjacency.num_nodes, dtype=weight.dtype)
    return matrix.index_put((edge_index[1], edge_index[0]), weight, accumulate=True)


def weights_for(edge_index: torch.Tensor) -> torch.Tensor:
    return torch.arange(1.0, edge_index.size(1) + 1, dtype=torch.float64)


def test_edges_come_back_in_the_order_given(edges):
    edge_index, num_nodes = edges
    weight = weights_for(edge_index)
    adjacency = Adjacency.from_edge_index(edge_index, num_nodes, weight)
    again, weight_again = adjacency.to_edge_index()
    assert torch.equal(again, edge_index)
    assert torch.equal(weight_again, weight)
    assert torch.equal(adjacency.edge_index, edge_index[:, adjacency.order])
    assert torch.equal(adjacency.in_given_order(adjacency.value), weight)


def test_rows_are_targets_sorted_by_source(edges):
    edge_index, num_nodes = edges
    adjacency = Adjacency.from_edge_index(edge_index, num_nodes)
    assert adjacency.rowptr[0] == 0
    assert adjacency.rowptr[-1] == adjacency.num_edges
    for node in range(num_nodes):
        row = adjacency.col[adjacency.rowptr[node] : adjacency.rowptr[node + 1]]
        assert row.tolist() == sorted(edge_index[0, edge_index[1] == node].tolist())


@given(
    st.integers(1, 6).flatmap(
        lambda n: st.tuples(
            st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=20)
        )
    )
)
def test_transpose_and_self_loops_of_any_graph(graph):
    num_nodes, pairs = graph
    edge_index = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).T
    adjacency = Adjacency.from_edge_index(edge_index, num_nodes, weights_for(edge_index))
    matrix = dense(adjacency)

    assert torch.equal(dense(adjacency.transpose()), matrix.T)
    assert torch.equal(dense(adjacency.transpose().transpose()), matrix)
    assert adjacency.transpose() is adjacency.transpose()
    assert adjacency.is_symmetric == (
        sorted(pairs) == sorted((t, s) for s, t in pairs) and same_weights(adjacency)
    )

    looped = dense(adjacency.with_self_loops())
    off_diagonal = ~torch.eye(num_nodes, dtype=torch.bool)
    assert torch.equal(looped[off_diagonal], matrix[off_diagonal])
    loops = {s: float(w) for w, (s, t) in enumerate(pairs, start=1) if s == t}
    assert looped.diagonal().tolist() == [loops.get(node, 1.0) for node in range(num_nodes)]


def same_weights(adjacency: Adjacency) -> bool:
    edge_index, weight = adjacency.to_edge_index()
    forward = sorted(zip(*edge_index.tolist(), weight.tolist(), strict=True))
    backward = sorted(zip(*edge_index.flip(0).tolist(), weight.tolist(), strict=True))
    return forward == backward


def test_self_loops_come_after_the_other_edges():
    adjacency = Adjacency.from_edge_index(torch.tensor([[2, 1, 0], [0, 1, 2]]), 3).with_self_loops()
    assert adjacency.to_edge_index()[0].tolist() == [[2, 0, 0, 1, 2], [0, 2, 0, 1, 2]]
    assert adjacency.value is None


@pytest.mark.parametrize("self_loops", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_normalisations_equal_dense_matrices(edges, weighted, self_loops):
    edge_index, num_nodes = edges
    weight = weights_for(edge_index) if weighted else None
    adjacency = Adjacency.from_edge_index(edge_index, num_nodes, weight)
    matrix = dense(adjacency.with_self_loops() if self_loops else adjacency).double()
    degree = matrix.sum(1)
    scale = torch.where(degree > 0, degree, torch.inf).reciprocal()
    expected = {
        "sym": scale.sqrt()[:, None] * matrix * scale.sqrt()[None, :],
        "row": scale[:, None] * matrix,
        "none": matrix,
    }
    for kind, wanted in expected.items():
        got = adjacency.normalized(kind, self_loops=self_loops, dtype=torch.float64)
        torch.testing.assert_close(dense(got).double(), wanted, rtol=1e-12, atol=1e-12)
        assert adjacency.normalized(kind, self_loops=self_loops, dtype=torch.float64) is got


def test_gradients_reach_weights_through_the_normalisation():
    edge_index = torch.tensor([[0, 1, 2, 2], [1, 0, 1, 2]])

    def normalized(weight: torch.Tensor) -> torch.Tensor:
        adjacency = Adjacency.from_edge_index(edge_index, 4, weight)
        return torch.cat([adjacency.normalized(kind).value for kind in ("sym", "row", "none")])

    weight = torch.tensor([0.5, 1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(normalized, (weight,))


def test_learned_weights_are_never_cached():
    weight = torch.ones(2, requires_grad=True)
    adjacency = Adjacency.from_edge_index(torch.tensor([[0, 1], [1, 0]]), 2).with_value(weight)
    for _ in range(2):
        adjacency.normalized().value.sum().backward()
    assert adjacency.normalized() is not adjacency.normalized()
    assert adjacency.transpose() is not adjacency.transpose()


def test_of_takes_both_kinds_and_checks_the_size():
    edge_index = torch.tensor([[0, 1], [1, 2]])
    adjacency = Adjacency.of(edge_index, 4)
    assert adjacency.num_nodes == 4
    assert Adjacency.of(adjacency, 4) is adjacency
    with pytest.raises(InputError, match="4 nodes and the features have 3 rows"):
        Adjacency.of(adjacency, 3)
    with pytest.raises(InputError, match="from_networkx"):
        Adjacency.of(networkx.path_graph(3), 3)


def test_empty_graphs():
    nothing = torch.empty(2, 0, dtype=torch.int64)
    assert Adjacency.from_edge_index(nothing).num_nodes == 0
    assert Adjacency.from_edge_index(nothing).normalized().num_edges == 0
    assert Adjacency.from_edge_index(nothing, 3).with_self_loops().num_edges == 3
    assert Adjacency.from_edge_index(torch.tensor([[0], [4]])).num_nodes == 5


@pytest.mark.parametrize(
    ("edge_index", "num_nodes", "weight", "message"),
    [
        (torch.zeros(2, 3), None, None, r"integers, but got torch\.float32"),
        (torch.zeros(2, 3, dtype=torch.bool), None, None, "integers"),
        (torch.zeros(3, 2, dtype=torch.int64), None, None, r"\(2, E\), but got \(3, 2\)"),
        (torch.zeros(4, dtype=torch.int64), None, None, r"\(2, E\)"),
        ([[0], [1]], None, None, "dense tensor .* got list"),
        (torch.zeros(2, 2).to_sparse(), None, None, "dense tensor .* got torch.sparse_coo"),
        (torch.tensor([[0], [5]]), 5, None, "num_nodes = 5, but edge_index goes from 0 to 5"),
        (torch.tensor([[0], [-1]]), None, None, "from -1 to 0"),
        (torch.tensor([[0], [0]]), 0, None, "num_nodes = 0"),
        (torch.tensor([[0], [0]]), -1, None, "number of nodes ≥ 0 and ≤ 3,037,000,499, but got -1"),
        (torch.tensor([[0], [1]]), None, torch.ones(2), r"one weight per edge, \(1,\), but got \(2,\)"),
        (torch.tensor([[0], [1]]), None, torch.ones(1, 1), "one weight per edge"),
        (torch.tensor([[0], [1]]), None, torch.ones(1, dtype=torch.int64), "floating-point"),
        (torch.tensor([[0, 1], [1, 0]]), None, torch.tensor([1.0, torch.nan]), "edge 1 has nan"),
        (torch.tensor([[0], [1]]), None, torch.tensor([torch.inf]), "edge 0 has inf"),
    ],
)
def test_bad_edges_are_refused(edge_index, num_nodes, weight, message):
    with pytest.raises(InputError, match=message):
        Adjacency.from_edge_index(edge_index, num_nodes, weight)


def test_normalisation_refuses_what_it_cannot_do():
    adjacency = Adjacency.from_edge_index(torch.tensor([[0], [1]]), 2, torch.tensor([-1.0]))
    with pytest.raises(InputError, match="≥ 0 for the normalisation 'sym', but the smallest is -1"):
        adjacency.normalized()
    assert adjacency.normalized("none", self_loops=False).value.tolist() == [-1.0]
    with pytest.raises(UnknownNameError, match=r"normalisation 'symm'\. Did you mean 'sym'"):
        adjacency.normalized("symm")


def test_data_goes_in(pyg):
    edge_index = torch.tensor([[0, 2], [1, 0]])
    weight = torch.tensor([2.0, 3.0])
    data = pyg.data.Data(edge_index=edge_index, edge_weight=weight, num_nodes=5)
    adjacency = Adjacency.from_data(data)
    assert adjacency.num_nodes == 5
    assert torch.equal(adjacency.to_edge_index()[1], weight)
    assert Adjacency.from_data(pyg.data.Data(edge_index=edge_index, x=torch.ones(3, 1))).value is None
    with pytest.raises(InputError, match="this Data has none"):
        Adjacency.from_data(pyg.data.Data(x=torch.ones(3, 1)))
    with pytest.raises(InputError, match="this HeteroData has none"):
        Adjacency.from_data(pyg.data.HeteroData())


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_scipy_both_ways(dtype):
    matrix = scipy.sparse.random(7, 7, 0.3, rng=np.random.default_rng(0))
    matrix.data = np.ceil(matrix.data * 9)
    matrix = matrix.astype(dtype)
    adjacency = Adjacency.from_scipy(matrix)
    np.testing.assert_array_equal(dense(adjacency).numpy().T, matrix.toarray())
    np.testing.assert_array_equal(adjacency.to_scipy().toarray(), matrix.toarray())


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("in_order", [False, True])
def test_compressed_rows_of_scipy_give_what_a_list_of_edges_gives(weighted, in_order):
    # Row 0 has an edge twice, row 2 has none, and one entry is an explicit zero.
    indptr = np.array([0, 4, 6, 6, 7])
    indices = np.array([0, 1, 3, 3, 1, 2, 0] if in_order else [3, 1, 3, 0, 2, 1, 0])
    values = np.array([1.0, 2, 3, 4, 0, 6, 7]) if weighted else np.ones(7, bool)
    for kind in (scipy.sparse.csr_array, scipy.sparse.csr_matrix):
        matrix = kind((values, indices, indptr), shape=(4, 4))
        ours, expected = Adjacency.from_scipy(matrix), Adjacency.from_scipy(matrix.tocoo())
        for name in ("rowptr", "col", "order"):
            assert torch.equal(getattr(ours, name), getattr(expected, name))
        assert (ours.value is None) == (not weighted)
        if ours.value is not None and expected.value is not None:
            assert torch.equal(ours.value, expected.value)
    broken = scipy.sparse.csr_array((values, indices, indptr), shape=(4, 4))
    broken.indices[2] = 9
    with pytest.raises(InputError, match="valid matrix in compressed rows"):
        Adjacency.from_scipy(broken)
    with pytest.raises(InputError, match="finite"):
        Adjacency.from_scipy(scipy.sparse.csr_array([[0, np.nan], [1, 0]]))


def test_scipy_agrees_with_torch_geometric(pyg):
    from torch_geometric.utils import from_scipy_sparse_matrix

    matrix = scipy.sparse.random(9, 9, 0.2, rng=np.random.default_rng(1))
    edge_index, weight = from_scipy_sparse_matrix(matrix)
    expected = Adjacency.from_edge_index(edge_index, 9, weight)
    assert torch.equal(dense(Adjacency.from_scipy(matrix)), dense(expected))


def test_scipy_special_cases():
    assert Adjacency.from_scipy(scipy.sparse.eye_array(3, dtype=bool)).value is None
    assert Adjacency.from_scipy(scipy.sparse.csr_array((3, 3))).num_edges == 0
    duplicated = Adjacency.from_edge_index(torch.tensor([[0, 0], [1, 1]]), 2)
    np.testing.assert_array_equal(duplicated.to_scipy().toarray(), [[0, 2], [0, 0]])
    with pytest.raises(InputError, match="square"):
        Adjacency.from_scipy(scipy.sparse.csr_array((3, 4)))
    with pytest.raises(InputError, match="SciPy sparse matrix, but got ndarray"):
        Adjacency.from_scipy(np.eye(3))
    with pytest.raises(InputError, match="real numbers"):
        Adjacency.from_scipy(scipy.sparse.eye_array(3, dtype=complex))
    with pytest.raises(InputError, match="detach"):
        Adjacency.from_edge_index(torch.tensor([[0], [1]]), 2, torch.ones(1, requires_grad=True)).to_scipy()


@pytest.mark.parametrize(
    "kind", [networkx.Graph, networkx.DiGraph, networkx.MultiGraph, networkx.MultiDiGraph]
)
@pytest.mark.parametrize("weighted", [True, False])
def test_networkx_both_ways(kind, weighted):
    graph = kind()
    graph.add_nodes_from(["lonely", (1, 2), frozenset({3}), 4])
    pairs = [("lonely", (1, 2)), ((1, 2), 4), (4, 4), (4, (1, 2))]
    graph.add_edges_from((u, v, {"weight": i + 0.5} if weighted else {}) for i, (u, v) in enumerate(pairs))

    adjacency = Adjacency.from_networkx(graph)
    assert adjacency.node_ids == tuple(graph)
    assert (adjacency.value is not None) == weighted
    np.testing.assert_array_equal(dense(adjacency).numpy().T, networkx.to_numpy_array(graph))

    again = adjacency.to_networkx(directed=graph.is_directed())
    assert again.is_directed() == graph.is_directed()
    assert list(again) == list(graph)
    np.testing.assert_array_equal(networkx.to_numpy_array(again), networkx.to_numpy_array(graph))


def test_networkx_special_cases():
    empty = Adjacency.from_networkx(networkx.Graph())
    assert (empty.num_nodes, empty.num_edges) == (0, 0)
    assert Adjacency.from_networkx(networkx.empty_graph(3)).num_nodes == 3

    part = networkx.cycle_graph("abcd").subgraph("dba")
    np.testing.assert_array_equal(dense(Adjacency.from_networkx(part)).numpy(), networkx.to_numpy_array(part))

    graph = networkx.DiGraph()
    graph.add_edge("a", "b", weight=2, cost=7)
    graph.add_edge("b", "a", cost=8)
    assert Adjacency.from_networkx(graph).to_edge_index()[1].tolist() == [2.0, 1.0]
    assert Adjacency.from_networkx(graph, "cost").to_edge_index()[1].tolist() == [7.0, 8.0]
    assert Adjacency.from_networkx(graph, None).value is None
    with pytest.raises(InputError, match="directed=True"):
        Adjacency.from_networkx(graph).to_networkx(directed=False)

    graph["a"]["b"]["weight"] = "heavy"
    with pytest.raises(InputError, match="numbers as edge attribute 'weight'"):
        Adjacency.from_networkx(graph)
    graph["a"]["b"]["weight"] = float("nan")
    with pytest.raises(InputError, match="finite"):
        Adjacency.from_networkx(graph)


def test_a_graph_moves_between_devices():
    adjacency = Adjacency.from_edge_index(torch.tensor([[0], [1]]), 2, torch.ones(1))
    assert adjacency.to("cpu") is adjacency
    moved = adjacency.to("meta")
    assert moved.device.type == "meta"
    assert (moved.num_nodes, moved.num_edges) == (2, 1)
    assert repr(adjacency) == "Adjacency(2 nodes, 1 edges, weighted, cpu)"
