from __future__ import annotations

import numpy as np
import pytest

from mmgraph.analysis import judge
from mmgraph.errors import InputError


def test_each_row_by_hand() -> None:
    outcomes = judge(
        np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [np.nan, 0.5, 0.5], [0.2, 0.5, 0.3], [0, 1, 0]]),
        np.array([0, 0, 1, -1, 2]),
    )
    assert outcomes.predictions.tolist() == [0, 2, -1, 1, 1]
    assert outcomes.correct.tolist() == [True, False, False, False, False]
    assert outcomes.wrong.tolist() == [False, True, True, False, True]
    np.testing.assert_allclose(outcomes.confidences, [0.7, 0.6, np.nan, 0.5, 1])
    np.testing.assert_allclose(
        outcomes.losses, [-np.log(0.7), -np.log(0.1), np.inf, np.nan, -np.log(1e-12)], rtol=1e-12
    )
    assert outcomes.most_wrong().tolist() == [2, 4, 1, 0, 3]
    assert outcomes.least_confident().tolist() == [2, 3, 1, 0, 4]


def test_losses_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import log_loss

    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.ones(4), size=50)
    labels = generator.integers(0, 4, size=50)
    outcomes = judge(probabilities, labels)
    assert outcomes.losses.mean() == pytest.approx(log_loss(labels, probabilities, labels=range(4)))
    order = outcomes.most_wrong()
    assert sorted(order) == list(range(50))
    assert (np.diff(outcomes.losses[order]) <= 0).all()


def test_without_labels_the_least_confident_come_first() -> None:
    outcomes = judge(np.array([[0.9, 0.1], [0.5, 0.5], [0.3, 0.7]]))
    assert np.isnan(outcomes.losses).all()
    assert not outcomes.wrong.any()
    assert outcomes.most_wrong().tolist() == [1, 2, 0]


def test_no_items() -> None:
    assert judge(np.zeros((0, 3)), np.zeros(0)).most_wrong().shape == (0,)


@pytest.mark.parametrize(
    ("probabilities", "labels", "message"),
    [
        (np.zeros(3), None, "shape"),
        (np.zeros((3, 0)), None, "shape"),
        (np.ones((3, 2)), np.zeros(2), "as many labels"),
        (np.ones((2, 2)), np.array([0, 2]), "0 to 1"),
        (np.ones((2, 2)), np.array([0, -2]), "-2"),
    ],
)
def test_bad_input(probabilities: np.ndarray, labels: np.ndarray | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        judge(probabilities, labels)
