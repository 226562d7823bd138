from __future__ import annotations

import signal
from collections.abc import Callable
from types import ModuleType
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.base import clone

from mmgraph.errors import InputError, NonFiniteLossError
from mmgraph.graph import Adjacency
from mmgraph.graph.embeddings import DeepWalk, Node2Vec, Progress

QUICK = {"dimensions": 16, "walk_length": 20, "window": 4}
KINDS: list[Callable[..., Any]] = [DeepWalk, lambda **options: Node2Vec(0.5, 2, **options)]


def own_group_is_nearest(vectors: NDArray[np.float32], group: NDArray[np.int64]) -> float:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -2)
    return float((group[similarity.argmax(1)] == group).mean())


@pytest.mark.parametrize("kind", KINDS, ids=["deepwalk", "node2vec"])
@pytest.mark.parametrize("threads", [1, 2])
def test_nodes_of_a_community_come_together(communities, kind: Callable[..., Any], threads: int):
    graph, group = communities
    vectors = kind(**QUICK, walks_per_node=40, learning_rate=0.05, threads=threads).fit_transform(graph)
    assert vectors.shape == (60, 16)
    assert vectors.dtype == np.float32
    assert own_group_is_nearest(vectors, group) > 0.95


@pytest.mark.parametrize("kind", KINDS, ids=["deepwalk", "node2vec"])
def test_one_thread_gives_the_same_bits_for_one_seed(communities, kind: Callable[..., Any]):
    graph, _ = communities
    first = kind(**QUICK, seed=3).fit_transform(graph)
    assert np.array_equal(first, kind(**QUICK, seed=3).fit_transform(graph))
    assert not np.array_equal(first, kind(**QUICK, seed=4).fit_transform(graph))


def test_every_form_of_a_graph_gives_the_same(communities, pyg: ModuleType):
    graph = nx.convert_node_labels_to_integers(communities[0])
    adjacency = Adjacency.from_networkx(graph)
    edge_index = adjacency.edge_index
    forms = [
        adjacency,
        edge_index,
        edge_index.numpy(),
        adjacency.to_scipy(),
        pyg.data.Data(edge_index=edge_index, num_nodes=60),
    ]
    expected = DeepWalk(**QUICK).fit_transform(graph)
    for form in forms:
        assert np.array_equal(DeepWalk(**QUICK).fit_transform(form), expected), type(form)


def test_vectors_are_found_by_node_id(communities):
    graph, _ = communities
    model = DeepWalk(**QUICK).fit(graph)
    assert model.node_ids_ == list(graph)
    assert np.array_equal(model.transform(["n7", "n0", "n7"]), model.embedding_[[7, 0, 7]])
    assert np.array_equal(model.transform(), model.embedding_)
    assert model.transform([]).shape == (0, 16)
    with pytest.raises(InputError, match="'n99' is none of the 60"):
        model.transform(["n1", "n99"])
    with pytest.raises(InputError, match=r"Expected a fitted DeepWalk: call fit\(graph\) first"):
        DeepWalk().transform()


def test_weights_and_directions_count():
    # 0 goes to 1 a thousand times as often as to 2, and 3 is where nobody goes.
    graph = nx.DiGraph()
    graph.add_weighted_edges_from([(0, 1, 1000), (0, 2, 1), (1, 0, 1), (2, 0, 1), (3, 0, 1)])
    model = DeepWalk(dimensions=8, walks_per_node=300, walk_length=10, window=1, learning_rate=0.05).fit(
        graph
    )
    x, y = model.embedding_, model._context
    assert x[0] @ y[1] > x[0] @ y[2] + 1


def test_isolated_nodes_and_dead_ends_are_embedded_too():
    edges = torch.tensor([[0, 1], [1, 2]])
    vectors = DeepWalk(dimensions=4).fit_transform(Adjacency.from_edge_index(edges, 5))
    assert np.isfinite(vectors).all()
    alone = DeepWalk(dimensions=4).fit_transform(Adjacency.from_edge_index(edges[:, :0], 1))
    assert np.abs(alone).max() <= 1 / 8


def test_progress_is_reported_and_training_can_be_cancelled(communities):
    graph, _ = communities
    seen: list[tuple[float, NDArray[np.float32]]] = []

    def watch(progress: Progress) -> None:
        seen.append((progress.fraction, progress.vectors.copy()))
        assert progress.tokens >= 0
        if len(seen) == 2:
            progress.cancel()

    model = DeepWalk(**QUICK, walks_per_node=10**6).fit(graph, on_progress=watch, every=0.02)
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] < fractions[-1] < 1
    assert model.embedding_.shape == seen[0][1].shape == (60, 16)
    assert not np.array_equal(seen[0][1], seen[-1][1])

    finished: list[float] = []
    DeepWalk(**QUICK).fit(graph, on_progress=lambda progress: finished.append(progress.fraction))
    assert finished[0] == 0
    assert finished[-1] == 1


def test_an_error_of_the_callback_ends_training_and_keeps_nothing(communities):
    def fail(progress: Progress) -> None:
        raise RuntimeError("mine")

    model = DeepWalk(**QUICK, walks_per_node=10**6)
    with pytest.raises(RuntimeError, match="mine"):
        model.fit(communities[0], on_progress=fail, every=0.02)
    assert not hasattr(model, "embedding_")


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_keeps_what_was_trained(communities, threads: int):
    graph, _ = communities
    begun = DeepWalk(**QUICK).initial_vectors(60)

    def interrupt(progress: Progress) -> None:
        if progress.tokens:
            signal.raise_signal(signal.SIGINT)

    model = DeepWalk(**QUICK, walks_per_node=10**6, threads=threads)
    with pytest.raises(KeyboardInterrupt):
        model.fit(graph, on_progress=interrupt, every=0.02)
    kept = model.embedding_.copy()
    assert not model.finished_
    assert np.isfinite(kept).all()
    assert not np.array_equal(kept, begun)
    assert model.node_ids_ == list(graph)
    model.set_params(walks_per_node=1).partial_fit(nx.Graph([("n0", "new")]))
    assert model.finished_
    assert len(model.embedding_) == 61
    assert not np.array_equal(kept, model.embedding_[:60])


def test_the_loss_that_is_told_falls_and_looking_on_changes_no_bit(communities):
    graph, _ = communities
    losses: list[float] = []
    watched = DeepWalk(**QUICK, learning_rate=0.2).fit(
        graph, on_progress=lambda progress: losses.extend(progress.metrics.values()), every=0.001
    )
    assert losses[-1] < 0.9 * losses[0]
    assert np.array_equal(watched.embedding_, DeepWalk(**QUICK, learning_rate=0.2).fit_transform(graph))


def test_edges_that_arrive_bring_new_nodes_and_move_old_ones_little(communities):
    graph, group = communities
    model = DeepWalk(**QUICK, walks_per_node=60, learning_rate=0.05).fit(graph)
    before = model.embedding_
    model.partial_fit(nx.Graph([("new", f"n{i}") for i in range(20)]))
    assert model.node_ids_ == [*graph, "new"]
    assert model.graph_.num_edges == 2 * (graph.number_of_edges() + 20)
    cosine = (before * model.embedding_[:60]).sum(1)
    cosine /= np.linalg.norm(before, axis=1) * np.linalg.norm(model.embedding_[:60], axis=1)
    assert cosine.mean() > 0.8
    similarity = model.transform(["new"])[0] @ model.embedding_[:60].T
    assert group[similarity.argmax()] == 0
    fresh = DeepWalk(**QUICK).partial_fit(graph)
    assert np.array_equal(fresh.embedding_, DeepWalk(**QUICK).fit_transform(graph))


def test_scikit_learn_can_clone_and_set_parameters():
    model = Node2Vec(0.25, 4, dimensions=7)
    assert clone(model).get_params() == model.get_params()
    assert model.set_params(q=2.0).q == 2.0
    assert set(DeepWalk().get_params()) == set(model.get_params()) - {"p", "q"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"p": 0.0}, "finite p > 0"),
        ({"dimensions": 0}, "dimensions ≥ 1"),
        ({"window": 0}, "window ≥ 1"),
        ({"negatives": 0}, "negatives ≥ 1"),
        ({"walk_length": 0}, "length ≥ 1"),
        ({"learning_rate": float("nan")}, "finite learning_rate ≥ 0"),
        ({"threads": 0}, "threads ≥ 1"),
        ({"seed": -1}, "seed ≥ 0"),
    ],
)
def test_parameters_out_of_range_are_refused(options: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        Node2Vec(**options).fit(np.array([[0], [1]]))


def test_what_is_not_a_graph_is_refused():
    for wrong, message in [
        ("graph", "but got str"),
        (np.zeros((2, 0), np.int64), "it has none"),
        (np.zeros((3, 4), np.int64), r"shape \(2, E\)"),
        (np.array([[0], [-1]]), "node indices ≥ 0"),
    ]:
        with pytest.raises(InputError, match=message):
            DeepWalk().fit(wrong)
    graph = Adjacency.from_edge_index(torch.tensor([[0], [1]]), 2, torch.tensor([-1.0]))
    with pytest.raises(InputError, match="weights ≥ 0"):
        DeepWalk().fit(graph)


def test_a_learning_rate_that_explodes_is_named(communities):
    with pytest.raises(NonFiniteLossError, match=r"learning rate of 1e\+20"):
        DeepWalk(**QUICK, learning_rate=1e20).fit(communities[0])
