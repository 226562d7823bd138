from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.graph import Adjacency
from mmgraph.graph.embeddings import NetMF, SpectralEmbedding


def weighted() -> nx.Graph:
    graph = nx.connected_watts_strogatz_graph(30, 4, 0.3, seed=1)
    rng = np.random.default_rng(2)
    for a, b in graph.edges:
        graph[a][b]["weight"] = rng.uniform(0.5, 2)
    return graph


def test_spectral_vectors_are_eigenvectors_of_the_laplacian():
    graph = weighted()
    laplacian = nx.normalized_laplacian_matrix(graph).toarray()
    value, vector = np.linalg.eigh(laplacian)
    ours = SpectralEmbedding(5).fit_transform(graph)
    for column in range(5):
        assert abs(ours[:, column] @ vector[:, column + 1]) == pytest.approx(1, abs=1e-4)
        residual = laplacian @ ours[:, column] - value[column + 1] * ours[:, column]
        assert np.abs(residual).max() < 1e-4
        assert np.abs(ours[:, column]).max() == ours[:, column].max()


@pytest.mark.parametrize("rank", [None, 29])
def test_netmf_factorises_the_matrix_of_its_formula(rank: int | None):
    graph = weighted()
    weight = nx.to_numpy_array(graph)
    step = weight / weight.sum(1, keepdims=True)
    powers = sum(np.linalg.matrix_power(step, r) for r in range(1, 4))
    matrix = np.log(np.maximum(1, weight.sum() / (2.0 * 3) * powers / weight.sum(1)))
    left, value, _ = np.linalg.svd(matrix)
    ours = NetMF(6, window=3, negatives=2.0, rank=None).fit_transform(graph)
    expected = left[:, :6] * np.sqrt(value[:6])
    np.testing.assert_allclose(np.abs(ours), np.abs(expected), atol=2e-3)
    if rank is not None:
        near = NetMF(6, window=3, negatives=2.0, rank=rank).fit_transform(graph)
        assert np.abs(np.abs(near) - np.abs(expected)).mean() < 0.2


@pytest.mark.parametrize("kind", [SpectralEmbedding, NetMF])
def test_communities_come_together_and_seeds_decide(communities, kind: type[SpectralEmbedding] | type[NetMF]):
    graph, group = communities
    model = kind(2).fit(graph)
    assert model.node_ids_ == list(graph)
    assert np.array_equal(model.embedding_, kind(2).fit_transform(graph))
    centre = np.stack([model.embedding_[group == g].mean(0) for g in range(3)])
    distance = np.linalg.norm(model.embedding_[:, None] - centre, axis=2)
    assert (distance.argmin(1) == group).mean() > 0.9


@pytest.mark.parametrize("kind", [SpectralEmbedding, NetMF])
def test_directed_edges_isolated_nodes_and_parts(kind: type[SpectralEmbedding] | type[NetMF]):
    edges = torch.tensor([[0, 1, 2, 4, 5, 6], [1, 2, 0, 5, 6, 4]])
    vectors = kind(2).fit_transform(Adjacency.from_edge_index(edges, 8))
    assert vectors.shape == (8, 2)
    assert np.isfinite(vectors).all()
    both = kind(2).fit_transform(Adjacency.from_edge_index(torch.cat([edges, edges.flip(0)], 1), 8))
    np.testing.assert_allclose(np.abs(vectors @ vectors.T), np.abs(both @ both.T), atol=1e-4)


@pytest.mark.parametrize("kind", [SpectralEmbedding, NetMF])
def test_too_many_dimensions_and_negative_weights_are_refused(kind: type[SpectralEmbedding] | type[NetMF]):
    edges = torch.tensor([[0, 1], [1, 0]])
    with pytest.raises(InputError, match="Expected from 1 to 1 eigenvectors"):
        kind(2).fit(edges)
    with pytest.raises(InputError, match="weights ≥ 0"):
        kind(1).fit(Adjacency.from_edge_index(edges, 3, torch.tensor([1.0, -2.0])))
    with pytest.raises(InputError, match="window ≥ 1 and negatives > 0"):
        NetMF(1, window=0).fit(Adjacency.from_edge_index(edges, 3))
