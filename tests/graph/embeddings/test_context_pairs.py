from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch.nn import functional as F

from mmgraph.graph import Adjacency, SparseFeatures
from mmgraph.graph.embeddings.context_pairs import ContextSampler, descend_encoder, descend_vectors
from mmgraph.graph.walks.walk_graph import WalkGraph

# A triangle with a tail: 0 – 1 – 2 – 0, 2 – 3.
EDGES = torch.tensor([[0, 1, 1, 2, 2, 0, 2, 3], [1, 0, 2, 1, 0, 2, 3, 2]])
NEIGHBOURS = {0: [1, 2], 1: [0, 2], 2: [0, 1, 3], 3: [2]}


def sampler(edges: torch.Tensor = EDGES, nodes: int = 4, **options: Any) -> ContextSampler:
    graph = WalkGraph.of(Adjacency.from_edge_index(edges, nodes))
    settings = {"walk_length": 3, "window": 2, "negatives": 2, "seed": 0} | options
    starts = np.unique(edges[0].numpy())
    return ContextSampler(graph, starts, np.array([2, 0, 3]), np.array([1, 0, 1]), **settings)


def exact_pairs(length: int, window: int) -> dict[tuple[int, int], float]:
    places = [(i, j) for i, j in product(range(length), repeat=2) if 0 < abs(i - j) <= window]
    chance: Counter[tuple[int, int]] = Counter()
    walks = [([node], 1 / 4) for node in range(4)]
    for _ in range(length - 1):
        walks = [
            ([*walk, to], p / len(NEIGHBOURS[walk[-1]])) for walk, p in walks for to in NEIGHBOURS[walk[-1]]
        ]
    for walk, p in walks:
        for i, j in places:
            chance[walk[i], walk[j]] += p / len(places)
    return dict(chance)


@pytest.mark.parametrize(("length", "window"), [(2, 1), (3, 1), (3, 2), (4, 2), (3, 7)])
def test_graph_contexts_are_those_of_walks(length: int, window: int):
    drawn = sampler(walk_length=length, window=window).sample(0, 40_000, 0.0)
    expected = exact_pairs(length, window)
    counts = Counter(zip(drawn.node.tolist(), drawn.context[:, 0].tolist(), strict=True))
    assert set(counts) == set(expected)
    found = [counts[pair] for pair in expected]
    assert chisquare(found, [40_000 * p for p in expected.values()]).pvalue > 0.01


def test_negatives_of_graph_contexts_are_any_node_with_edges():
    edges = torch.tensor([[0, 1, 4, 1], [1, 0, 1, 4]])
    drawn = sampler(edges, 6).sample(0, 9_000, 0.0)
    counts = Counter(drawn.context[:, 1:].ravel().tolist())
    assert set(counts) == {0, 1, 4}
    assert chisquare(list(counts.values())).pvalue > 0.01


def test_label_contexts_share_the_label_and_their_negatives_do_not():
    drawn = sampler().sample(0, 30_000, 1.0)
    label = {2: 1, 0: 0, 3: 1}
    pairs = Counter(zip(drawn.node.tolist(), drawn.context[:, 0].tolist(), strict=True))
    assert set(pairs) == {(0, 0), (2, 2), (2, 3), (3, 2), (3, 3)}
    third = 30_000 / 3
    expected = [third if pair == (0, 0) else third / 2 for pair in pairs]
    assert chisquare(list(pairs.values()), expected).pvalue > 0.01
    for node, others in zip(drawn.node[:500].tolist(), drawn.context[:500, 1:].tolist(), strict=True):
        assert all(label[other] != label[node] for other in others)


def test_the_share_of_label_contexts():
    drawn = sampler(edges=torch.tensor([[1, 5], [5, 1]]), nodes=6).sample(0, 20_000, 0.25)
    of_labels = np.isin(drawn.node, [0, 2, 3]).mean()
    assert of_labels == pytest.approx(0.25, abs=0.015)


def test_a_pair_depends_on_its_number_alone():
    whole = sampler(seed=5).sample(0, 300, 0.3)
    parts = [sampler(seed=5).sample(first, count, 0.3) for first, count in ((0, 100), (100, 1), (101, 199))]
    assert np.array_equal(whole.node, np.concatenate([part.node for part in parts]))
    assert np.array_equal(whole.context, np.concatenate([part.context for part in parts]))
    assert not np.array_equal(whole.node, sampler(seed=6).sample(0, 300, 0.3).node)


def test_no_pairs_and_walks_that_end_at_once():
    assert sampler().sample(0, 0, 0.5).context.shape == (0, 3)
    # All edges lead to node 1, which nothing leaves: walks from 1 are too short for a pair.
    graph = WalkGraph.of(Adjacency.from_edge_index(torch.tensor([[0], [1]]), 2))
    one = ContextSampler(
        graph, np.array([1]), np.array([0, 1]), np.array([0, 1]), walk_length=4, window=2, negatives=1, seed=0
    )
    drawn = one.sample(0, 20, 0.0)
    assert (drawn.node == -1).all()
    vectors = np.ones((2, 3), np.float32)
    assert descend_vectors(*drawn, np.float32(1), vectors, vectors.copy()) == 0.0
    assert (vectors == 1).all()


def pair_loss(vector: torch.Tensor, w: torch.Tensor, context: list[int]) -> torch.Tensor:
    scores = w[context] @ vector
    return -F.logsigmoid(scores[0]) - F.logsigmoid(-scores[1:]).sum()


def test_a_step_on_vectors_goes_down_the_gradient():
    random = np.random.default_rng(0)
    e, w = random.normal(size=(2, 6, 4)).astype(np.float32)
    vectors, contexts = (torch.tensor(part, requires_grad=True) for part in (e, w))
    loss = pair_loss(vectors[1], contexts, [2, 5, 0])
    loss.backward()
    found = descend_vectors(np.array([1, -1]), np.array([[2, 5, 0], [0, 0, 0]]), np.float32(0.1), e, w)
    assert found == pytest.approx(float(loss.detach()), rel=1e-5)
    np.testing.assert_allclose(e, (vectors - 0.1 * vectors.grad).detach(), atol=1e-6)
    np.testing.assert_allclose(w, (contexts - 0.1 * contexts.grad).detach(), atol=1e-6)


def test_a_step_on_the_encoder_goes_down_the_gradient():
    random = np.random.default_rng(1)
    x = (random.random((6, 5)) * (random.random((6, 5)) < 0.5)).astype(np.float32)
    weight, bias = random.normal(size=(5, 4)).astype(np.float32), random.normal(size=4).astype(np.float32)
    w = random.normal(size=(6, 4)).astype(np.float32)
    parts = [torch.tensor(part, requires_grad=True) for part in (weight, bias, w)]
    loss = pair_loss(torch.relu(torch.tensor(x[3]) @ parts[0] + parts[1]), parts[2], [1, 4, 0])
    loss.backward()
    features = SparseFeatures.from_dense(torch.tensor(x))
    found = descend_encoder(
        np.array([3]),
        np.array([[1, 4, 0]]),
        np.float32(0.1),
        features.pattern.rowptr.numpy(),
        features.pattern.col.numpy(),
        features.value.numpy(),
        weight,
        bias,
        w,
    )
    assert found == pytest.approx(float(loss.detach()), rel=1e-5)
    for ours, part in zip((weight, bias, w), parts, strict=True):
        np.testing.assert_allclose(ours, (part - 0.1 * part.grad).detach(), atol=1e-6)


def test_scores_beyond_the_range_of_exp_stay_finite():
    e, w = np.full((2, 1), 1e3, np.float32), np.full((2, 1), -1e3, np.float32)
    assert descend_vectors(np.array([0]), np.array([[1, 1]]), np.float32(0.1), e, w) == pytest.approx(1e6)
    assert np.isfinite(e).all()
    assert np.isfinite(w).all()
