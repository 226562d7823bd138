from __future__ import annotations

import signal
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import networkx as nx
import numpy as np
import pytest
import scipy.sparse
import torch
from sklearn.base import clone

from mmgraph import datasets
from mmgraph.errors import InputError, NonFiniteLossError
from mmgraph.graph import Adjacency, SparseFeatures
from mmgraph.graph.embeddings import Planetoid, Progress

QUICK: dict[str, Any] = {"dimensions": 8, "hidden": 8, "rounds": 60, "pretraining_pairs": 500}


@pytest.fixture(scope="module")
def case() -> SimpleNamespace:
    """Three groups of 40 nodes with noisy words, four labels each, and every third other node for validation."""
    random = np.random.default_rng(0)
    group = np.repeat(np.arange(3), 40)
    graph = nx.planted_partition_graph(3, 40, 0.25, 0.01, seed=2)
    x = (random.random((120, 30)) < np.where(group[:, None] == np.arange(30) % 3, 0.5, 0.1)).astype(
        np.float32
    )
    train = np.isin(np.arange(120) % 40, range(4))
    validation = ~train & (np.arange(120) % 3 == 0)
    return SimpleNamespace(
        graph=Adjacency.from_networkx(graph),
        y=np.array(["a", "b", "c"])[group],
        x=x,
        train=train,
        validation=validation,
        rest=~train & ~validation,
    )


def fitted(case: SimpleNamespace, **options: Any) -> Planetoid:
    return Planetoid(**(QUICK | options)).fit(
        case.graph, case.y, x=case.x, train=case.train, validation=case.validation
    )


@pytest.mark.parametrize("inductive", [False, True])
def test_a_few_labels_are_enough_for_groups(case, inductive: bool):
    model = fitted(case, inductive=inductive)
    assert (model.predict() == case.y)[case.rest].mean() > 0.85
    assert model.classes_.tolist() == ["a", "b", "c"]
    assert model.embedding_.shape == (120, 8)
    assert model.embedding_.dtype == np.float32
    np.testing.assert_allclose(model.predict_proba().sum(1), 1, rtol=1e-5)
    assert model.predict([5, 0]).tolist() == model.predict()[[5, 0]].tolist()
    assert np.array_equal(model.transform([7]), model.embedding_[[7]])


def test_unseen_nodes_are_classified_by_their_features(case):
    seen = np.flatnonzero(~case.rest)
    edges = case.graph.edge_index.numpy()
    kept = np.isin(edges, seen).all(0)
    graph = Adjacency.from_edge_index(torch.tensor(np.searchsorted(seen, edges[:, kept])), len(seen))
    model = Planetoid(inductive=True, **QUICK).fit(
        graph, case.y[seen], x=case.x[seen], train=case.train[seen], validation=case.validation[seen]
    )
    unseen = case.x[case.rest]
    assert (model.predict(x=unseen) == case.y[case.rest]).mean() > 0.6
    assert model.embed(unseen).shape == (len(unseen), 8)
    np.testing.assert_allclose(model.embed(case.x[seen]), model.embedding_, atol=1e-6)
    np.testing.assert_allclose(model.predict_proba(x=case.x[seen]), model.predict_proba(), atol=1e-6)


@pytest.mark.parametrize("inductive", [False, True])
def test_one_seed_gives_the_same_bits_and_leaves_the_callers_random_state_alone(case, inductive: bool):
    before = torch.get_rng_state()
    first = fitted(case, inductive=inductive, seed=1, rounds=5)
    assert torch.equal(torch.get_rng_state(), before)
    again = fitted(case, inductive=inductive, seed=1, rounds=5)
    assert np.array_equal(first.embedding_, again.embedding_)
    assert np.array_equal(first.probabilities_, again.probabilities_)
    assert not np.array_equal(
        first.embedding_, fitted(case, inductive=inductive, seed=2, rounds=5).embedding_
    )


def test_classes_beyond_training_and_validation_nodes_are_not_looked_at(case):
    hidden = np.where(case.rest, "z", case.y)
    expected = fitted(case, rounds=5).probabilities_
    model = Planetoid(**(QUICK | {"rounds": 5})).fit(
        case.graph, hidden, x=case.x, train=case.train, validation=case.validation
    )
    assert np.array_equal(model.probabilities_, expected)


def test_every_form_of_features_and_nodes_gives_the_same(case):
    expected = fitted(case, rounds=3).embedding_
    forms = [
        torch.tensor(case.x),
        scipy.sparse.csr_array(case.x),
        SparseFeatures.from_dense(torch.tensor(case.x)),
        5 * case.x,
    ]
    for x in forms:
        model = Planetoid(**(QUICK | {"rounds": 3})).fit(
            case.graph,
            torch.tensor(np.unique(case.y, return_inverse=True)[1]),
            x=x,
            train=np.flatnonzero(case.train),
            validation=torch.tensor(case.validation),
        )
        np.testing.assert_allclose(model.embedding_, expected, atol=1e-5)


def test_data_brings_all_that_is_needed(case, pyg: ModuleType):
    label = np.unique(case.y, return_inverse=True)[1]
    data = pyg.data.Data(
        edge_index=case.graph.edge_index,
        x=torch.tensor(case.x),
        y=torch.tensor(label),
        train_mask=torch.tensor(case.train),
        val_mask=torch.tensor(case.validation),
    )
    model = Planetoid(**(QUICK | {"rounds": 3})).fit(data)
    assert np.array_equal(model.embedding_, fitted(case, rounds=3).embedding_)


def test_progress_is_reported_and_training_can_be_cancelled(case):
    seen = []

    def watch(progress: Any) -> None:
        seen.append((progress.fraction, progress.tokens, progress.vectors.shape))
        if len(seen) == 3:
            progress.cancel()

    model = Planetoid(**QUICK).fit(case.graph, case.y, x=case.x, train=case.train, on_progress=watch, every=0)
    assert len(seen) == 4
    assert [shape for _, _, shape in seen] == [(120, 8)] * 4
    assert seen[0][1] < seen[1][1] < seen[2][1] == seen[3][1]
    assert model.predict().shape == (120,)


def test_ctrl_c_keeps_the_best_round_so_far(case):
    seen: list[float] = []

    def interrupt(progress: Progress) -> None:
        seen.append(progress.metrics.get("validation/accuracy", 0.0))
        if progress.step == 40:
            signal.raise_signal(signal.SIGINT)

    model = Planetoid(**QUICK)
    options = {"x": case.x, "train": case.train, "validation": case.validation}
    with pytest.raises(KeyboardInterrupt):
        model.fit(case.graph, case.y, **options, on_progress=interrupt, every=0)
    assert len(seen) == 40
    assert not model.finished_
    right = (model.predict() == case.y)[case.validation].mean()
    assert right == pytest.approx(max(seen))


@pytest.mark.parametrize("inductive", [False, True])
def test_what_was_saved_predicts_the_same(case, tmp_path: Path, inductive: bool):
    model = fitted(case, inductive=inductive, rounds=3)
    model.save(tmp_path / "model.npz")
    loaded = Planetoid.load(tmp_path / "model.npz")
    assert loaded.get_params() == model.get_params()
    assert np.array_equal(loaded.predict([3, 1]), model.predict([3, 1]))
    assert np.array_equal(loaded.embedding_, model.embedding_)
    if inductive:
        assert np.array_equal(loaded.predict_proba(x=case.x), model.predict_proba(x=case.x))
    model.save(tmp_path / "vectors.txt")
    assert np.array_equal(Planetoid.load(tmp_path / "vectors.txt").embedding_, model.embedding_)
    with pytest.raises(InputError, match="vectors alone"):
        Planetoid.load(tmp_path / "vectors.txt").predict()


def test_it_is_an_estimator():
    model = Planetoid(inductive=True, rounds=7)
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(InputError, match="Expected a fitted Planetoid"):
        model.predict()


def test_nodes_without_edges_or_words_are_classified_too(case):
    x = np.vstack([case.x, np.zeros((1, 30), np.float32)])
    graph = Adjacency.from_edge_index(case.graph.edge_index, 121)
    model = Planetoid(**(QUICK | {"rounds": 2})).fit(
        graph, np.append(case.y, "a"), x=x, train=np.flatnonzero(case.train)
    )
    assert np.isfinite(model.predict_proba([120])).all()


def test_a_learning_rate_far_too_large_is_an_error(case):
    with pytest.raises(NonFiniteLossError, match="use smaller ones"):
        fitted(case, context_learning_rate=1e30)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"y": None}, "Expected y, or a torch_geometric Data with y"),
        ({"x": None}, "Expected x, or a torch_geometric Data with x"),
        ({"train": None}, "Expected train, or a torch_geometric Data with train_mask"),
        ({"y": np.zeros(5)}, r"one class per node, \(120,\), but got y of shape \(5,\)"),
        ({"y": np.zeros(120)}, "two classes or more, but got 1"),
        ({"x": np.zeros((5, 2))}, r"features of 120 nodes, but got \(5, 2\)"),
        ({"x": np.zeros(120)}, r"Expected features \(N, F\)"),
        ({"x": np.full((120, 2), np.nan)}, "Expected finite features"),
        ({"train": np.zeros(5, np.bool_)}, "train as a mask over 120 nodes or as node numbers"),
        ({"train": np.array([0.5])}, "train as a mask"),
        ({"train": np.array([0, 120])}, "train nodes from 0 to 119, but got 0 to 120"),
        ({"validation": np.array([-1])}, "validation nodes from 0 to 119"),
        ({"validation": np.array([0])}, "some are both"),
        ({"graph": Adjacency.from_edge_index(torch.zeros(2, 0, dtype=torch.int64), 120)}, "it has none"),
    ],
)
def test_bad_input(case, change: dict[str, Any], complaint: str):
    given = {"graph": case.graph, "y": case.y, "x": case.x, "train": case.train} | change
    with pytest.raises(InputError, match=complaint):
        Planetoid(**QUICK).fit(given.pop("graph"), **given)


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"dimensions": 0}, "dimensions ≥ 1"),
        ({"rounds": 0}, "rounds ≥ 1"),
        ({"feature_length": 0.0}, "finite feature_length > 0"),
        ({"walk_length": 1}, "walk_length ≥ 2"),
        ({"pretraining_pairs": -1}, "pretraining_pairs ≥ 0"),
        ({"learning_rate": -1.0}, "finite learning_rate ≥ 0"),
        ({"label_share": 1.5}, "label_share from 0 to 1"),
        ({"dropout": 1.0}, "dropout from 0 to 0.99"),
        ({"seed": -1}, "seed ≥ 0"),
    ],
)
def test_parameters_out_of_range(case, parameters: dict[str, Any], complaint: str):
    with pytest.raises(InputError, match=complaint):
        fitted(case, **parameters)


def test_free_vectors_say_nothing_about_unseen_nodes(case):
    model = fitted(case, rounds=1)
    for ask in (model.embed, lambda x: model.predict(x=x)):
        with pytest.raises(InputError, match=r"Planetoid\(inductive=True\)"):
            ask(case.x)
    with pytest.raises(InputError, match=r"features \(n, 30\), but got \(120, 2\)"):
        fitted(case, inductive=True, rounds=1).embed(case.x[:, :2] + 1)


@pytest.mark.data
@pytest.mark.parametrize(("name", "inductive", "least"), [("cora", False, 0.7), ("citeseer", True, 0.6)])
def test_citation_networks(real_data, name: str, inductive: bool, least: float):
    data: Any = datasets.load(name)
    if inductive:
        known = ~data.test_mask
        data.edge_index = data.edge_index[:, known[data.edge_index].all(0)]
    right = torch.from_numpy(Planetoid(inductive=inductive).fit(data).predict()) == data.y
    assert float(right[data.test_mask].float().mean()) > least
