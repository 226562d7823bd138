from __future__ import annotations

import networkx
import numpy as np
import pytest
import torch

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph import Adjacency


def dense(graph: Adjacency) -> torch.Tensor:
    zeros = torch.zeros(graph.num_nodes, graph.num_nodes, dtype=graph.value.dtype)
    return zeros.index_put((graph.row, graph.col), graph.value, accumulate=True)


@pytest.mark.parametrize("kind", ["sym", "row", "none"])
@pytest.mark.parametrize("weighted", [True, False])
def test_laplacian_is_the_dense_formula(edges, kind, weighted):
    edge_index, num_nodes = edges
    weight = torch.rand(edge_index.size(1), dtype=torch.float64) if weighted else None
    matrix = torch.zeros(num_nodes, num_nodes, dtype=torch.float64)
    values = torch.ones(edge_index.size(1)).double() if weight is None else weight
    matrix.index_put_((edge_index[1], edge_index[0]), values, accumulate=True)
    matrix.fill_diagonal_(0)
    degree = matrix.sum(1)
    eye = torch.eye(num_nodes).double()
    inverse = torch.where(degree > 0, 1 / degree, 0)
    expected = {
        "sym": eye - inverse.sqrt()[:, None] * matrix * inverse.sqrt(),
        "row": eye - inverse[:, None] * matrix,
        "none": torch.diag(degree) - matrix,
    }[kind]
    graph = Adjacency.from_edge_index(edge_index, num_nodes, weight)
    laplacian = graph.laplacian(kind, torch.float64)
    torch.testing.assert_close(dense(laplacian), expected)
    assert graph.laplacian(kind, torch.float64) is laplacian
    assert graph.laplacian(kind).value.dtype == (torch.float64 if weighted else torch.float32)


def test_laplacian_passes_gradients_to_weights():
    edge_index = torch.tensor([[0, 1, 1, 2], [1, 0, 1, 1]])
    weight = torch.tensor([0.5, 2.0, 3.0, 1.5], dtype=torch.float64, requires_grad=True)
    for kind in ("sym", "row", "none"):
        assert torch.autograd.gradcheck(
            lambda w, kind=kind: dense(Adjacency.from_edge_index(edge_index, 3, w).laplacian(kind)), (weight,)
        )


@pytest.mark.parametrize("num_nodes", [2, 10, 64, 65, 300])
def test_largest_eigenvalue_equals_the_dense_solver(num_nodes):
    graph = networkx.gnp_random_graph(num_nodes, 4 / num_nodes, seed=1)
    for u, v in graph.edges:
        graph[u][v]["weight"] = 1 + (u * v) % 5
    adjacency = Adjacency.from_networkx(graph)
    expected = np.linalg.eigvalsh(dense(adjacency.laplacian(dtype=torch.float64)).numpy())[-1]
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    assert adjacency.largest_eigenvalue() == pytest.approx(expected, rel=1e-10)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert (np.random.get_state()[1] == numpy_state).all()


def test_largest_eigenvalue_of_graphs_where_it_is_known():
    pairs = torch.combinations(torch.arange(100)).T
    complete = Adjacency.from_edge_index(torch.cat([pairs, pairs.flip(0)], dim=1), 100)
    assert complete.largest_eigenvalue() == pytest.approx(100 / 99)
    ring = torch.arange(100)
    edges = torch.stack([ring, (ring + 1) % 100])
    bipartite = Adjacency.from_edge_index(torch.cat([edges, edges.flip(0)], dim=1), 100)
    assert bipartite.largest_eigenvalue() == pytest.approx(2)
    nothing = torch.empty(2, 0, dtype=torch.int64)
    assert Adjacency.from_edge_index(nothing, 100).largest_eigenvalue() == pytest.approx(1)
    assert Adjacency.from_edge_index(nothing, 0).largest_eigenvalue() == 2


def test_eigenbasis_takes_the_laplacian_apart(edges):
    graph = Adjacency.from_edge_index(torch.cat([edges[0], edges[0].flip(0)], dim=1), edges[1])
    values, vectors = graph.eigenbasis(torch.float64)
    assert (values.diff() >= -1e-12).all()
    torch.testing.assert_close(vectors * values @ vectors.T, dense(graph.laplacian(dtype=torch.float64)))
    torch.testing.assert_close(vectors.T @ vectors, torch.eye(edges[1]).double())
    assert graph.eigenbasis()[0].dtype == torch.float32


def test_without_self_loops_and_subgraph_keep_the_order_given(edges):
    edge_index, num_nodes = edges
    weight = torch.arange(edge_index.size(1), dtype=torch.float64)
    graph = Adjacency.from_edge_index(edge_index, num_nodes, weight)
    between = edge_index[0] != edge_index[1]
    got_edges, got_weight = graph.without_self_loops().to_edge_index()
    assert torch.equal(got_edges, edge_index[:, between])
    assert torch.equal(got_weight, weight[between])
    nodes = torch.arange(num_nodes).flip(0)[: max(1, num_nodes - 1)]
    inside = torch.isin(edge_index, nodes).all(0)
    got_edges, got_weight = graph.subgraph(nodes).to_edge_index()
    assert torch.equal(nodes[got_edges], edge_index[:, inside])
    assert torch.equal(got_weight, weight[inside])


def test_subgraph_keeps_names():
    graph = Adjacency.from_networkx(networkx.path_graph(["a", "b", "c"]))
    smaller = graph.subgraph(torch.tensor([2, 1]))
    assert smaller.node_ids == ["c", "b"]
    assert smaller.to_edge_index()[0].tolist() == [[1, 0], [0, 1]]
    assert graph.subgraph(torch.empty(0, dtype=torch.int64)).num_nodes == 0


def test_bad_input_is_refused():
    directed = Adjacency.from_edge_index(torch.tensor([[0], [1]]), 2)
    negative = Adjacency.from_edge_index(torch.tensor([[0, 1], [1, 0]]), 2, torch.tensor([-1.0, -1.0]))
    for ask in (Adjacency.largest_eigenvalue, Adjacency.eigenbasis):
        with pytest.raises(InputError, match="Expected an undirected graph"):
            ask(directed)
        with pytest.raises(InputError, match="weights ≥ 0"):
            ask(negative)
    with pytest.raises(UnknownNameError, match="normalisation 'left'"):
        directed.laplacian("left")
    with pytest.raises(InputError, match="num_nodes = 2"):
        directed.subgraph(torch.tensor([2]))
    with pytest.raises(InputError, match="at most once"):
        directed.subgraph(torch.tensor([1, 1]))
    with pytest.raises(InputError, match=r"integers, but got torch\.bool"):
        directed.subgraph(torch.tensor([True, False]))
