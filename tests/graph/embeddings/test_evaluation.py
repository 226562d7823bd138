from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from mmgraph.errors import InputError
from mmgraph.graph.embeddings import evaluation
from mmgraph.graph.embeddings.evaluation import f1_scores, label_fractions, likeliest, split_accuracy


def labelled(nodes: int = 120, labels: int = 5, seed: int = 0) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(nodes, 8)).astype(np.float32)
    direction = random.normal(size=(8, labels))
    return vectors, vectors @ direction + random.normal(size=(nodes, labels)) > 1.5


@pytest.mark.parametrize("seed", range(5))
def test_f1_as_in_scikit_learn(seed: int):
    random = np.random.default_rng(seed)
    truth, predicted = random.random((2, 30, 6)) < 0.3
    truth[:, 2] = False
    predicted[:, 2:4] = False
    expected = [f1_score(truth, predicted, average=mean, zero_division=0) for mean in ("macro", "micro")]
    np.testing.assert_allclose(f1_scores(truth, predicted), expected)


def test_f1_of_nothing_is_nothing():
    assert f1_scores(np.zeros((3, 2), np.bool_), np.zeros((3, 2), np.bool_)) == (0.0, 0.0)


def test_as_many_labels_as_a_node_has():
    scores = np.array([[0.1, 0.9, 0.5], [0.2, 0.2, 0.1], [-np.inf, -1.0, np.inf], [0.0, 0.0, 0.0]])
    chosen = likeliest(scores, np.array([2, 1, 1, 0]))
    assert chosen.astype(int).tolist() == [[0, 1, 1], [1, 0, 0], [0, 0, 1], [0, 0, 0]]


def test_every_classifier_is_that_of_liblinear():
    vectors, labels = labelled()
    ours = evaluation._one_versus_rest(vectors[:80], labels[:80], vectors[80:])
    for label in range(labels.shape[1]):
        peer = LogisticRegression(solver="liblinear", tol=1e-8).fit(vectors[:80], labels[:80, label])
        np.testing.assert_allclose(ours[:, label], peer.decision_function(vectors[80:]), atol=0.01)


def test_the_scores_are_those_of_the_protocol_written_out():
    vectors, labels = labelled()
    (score,) = label_fractions(vectors, labels, [0.5], repeats=2, seed=3)
    for repeat in range(2):
        order = np.random.default_rng([3, 0, repeat]).permutation(120)
        train, test = order[:60], order[60:]
        chance = np.stack(
            [
                LogisticRegression(solver="liblinear", tol=1e-8)
                .fit(vectors[train], truth[train])
                .predict_proba(vectors[test])[:, 1]
                for truth in labels.T
            ],
            axis=1,
        )
        predicted = np.zeros_like(labels[test])
        for node, row in enumerate(chance):
            predicted[node, np.argsort(-row)[: labels[test[node]].sum()]] = True
        assert score.macro[repeat] == pytest.approx(
            f1_score(labels[test], predicted, average="macro"), abs=0.02
        )
        assert score.micro[repeat] == pytest.approx(
            f1_score(labels[test], predicted, average="micro"), abs=0.02
        )


def test_one_score_per_repeat_and_the_same_for_one_seed():
    vectors, labels = labelled()
    scores = label_fractions(vectors, labels, [0.2, 0.8], repeats=3, seed=1)
    assert [score.fraction for score in scores] == [0.2, 0.8]
    assert all(len(score.macro) == len(score.micro) == 3 for score in scores)
    assert scores == label_fractions(vectors, labels, [0.2, 0.8], repeats=3, seed=1)
    assert scores != label_fractions(vectors, labels, [0.2, 0.8], repeats=3, seed=2)
    assert np.mean(scores[1].micro) > np.mean(scores[0].micro)


def test_labels_that_all_or_no_training_nodes_have():
    vectors, labels = labelled()
    labels[:, 0], labels[:, 1] = True, False
    (score,) = label_fractions(vectors, labels, [0.5], repeats=1)
    assert 0 < score.micro[0] <= 1


def test_accuracy_on_a_split():
    vectors, labels = labelled()
    classes = labels[:, 0].astype(np.int64) + labels[:, 1]
    train = np.arange(120) < 60
    model = LogisticRegression(max_iter=1000).fit(vectors[train], classes[train])
    expected = float(model.score(vectors[~train], classes[~train]))
    assert split_accuracy(vectors, classes, train, ~train) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"labels": np.zeros((3, 2), np.bool_)}, r"labels \(N, L\), but got \(4, 2\) and \(3, 2\)"),
        ({"labels": np.zeros(4, np.bool_)}, r"labels \(N, L\), but got"),
        ({"labels": np.zeros((4, 2))}, "labels as bool, one column per label, but got float64"),
        ({"embedding": np.full((4, 2), np.nan)}, "finite embedding"),
        ({"fractions": [0.0]}, "0.0 of 4 nodes are 0"),
        ({"fractions": [1.0]}, "1.0 of 4 nodes are 4"),
        ({"repeats": 0}, "at least one repeat, but got 0"),
    ],
)
def test_bad_input_for_fractions(change: dict[str, Any], complaint: str):
    arguments = {"embedding": np.zeros((4, 2)), "labels": np.zeros((4, 2), np.bool_), "fractions": [0.5]}
    with pytest.raises(InputError, match=complaint):
        label_fractions(**(arguments | change))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"labels": np.zeros((4, 2))}, r"labels \(N,\), but got \(4, 2\) and \(4, 2\)"),
        ({"train": np.zeros(4, np.bool_)}, "train as a boolean mask over 4 nodes"),
        ({"test": np.ones(3, np.bool_)}, "test as a boolean mask over 4 nodes"),
        ({"test": np.ones(4)}, "got float64"),
        ({"labels": np.zeros(4, np.int64)}, "two classes or more"),
    ],
)
def test_bad_input_for_a_split(change: dict[str, Any], complaint: str):
    half = np.array([True, True, False, False])
    arguments = {"embedding": np.zeros((4, 2)), "labels": np.arange(4), "train": half, "test": ~half}
    with pytest.raises(InputError, match=complaint):
        split_accuracy(**(arguments | change))
