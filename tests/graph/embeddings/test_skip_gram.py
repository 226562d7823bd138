from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats

from mmgraph.errors import InputError
from mmgraph.graph import Adjacency, DeepWalk
from mmgraph.graph.embeddings.skip_gram import (
    GROUP,
    MAX_DIMENSIONS,
    alias_table,
    sigmoid_table,
    train_on_walks,
)
from mmgraph.graph.walks.streams import GAMMA, KEY_GAMMA

MASK = 2**64 - 1


def mixed(z: int) -> int:
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return z ^ (z >> 31)


def sigmoid(z: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-z))


def reference(
    walk: list[int], number: int, seed: int, window: int, negatives: int, rate: float, x: NDArray, y: NDArray
) -> None:
    """The update from its formula, one node of the walk and one context after the other, in float64."""
    threshold, alias = alias_table(np.ones(len(x)))
    key, drawn = mixed((seed + (number + 1) * KEY_GAMMA) & MASK), 0

    def draw() -> int:
        nonlocal drawn
        drawn += 1
        return mixed((key + (drawn - 1) * GAMMA) & MASK)

    for at, node in enumerate(walk):
        reach = window - ((draw() >> 32) * window >> 32)
        contexts = [walk[i] for i in range(max(0, at - reach), min(len(walk), at + reach + 1)) if i != at]
        if not contexts:
            continue
        outputs = [node]
        for _ in range(negatives):
            bits = draw()
            chosen = (bits >> 32) * len(x) >> 32
            outputs.append(chosen if bits & 0xFFFFFFFF < threshold[chosen] else int(alias[chosen]))
        label = np.array([1.0] + [0.0] * negatives)
        said = np.array([True] + [output != node for output in outputs[1:]])
        slopes = rate * (label - sigmoid(x[contexts] @ y[outputs].T)) * said
        before = y.copy()
        for context, slope in zip(contexts, slopes, strict=True):
            for first in range(0, len(outputs), GROUP):
                group, part = outputs[first : first + GROUP], slope[first : first + GROUP]
                np.add.at(y, group, part[:, None] * x[context])
                x[context] += part @ before[group]


@pytest.mark.parametrize(
    ("dim", "window", "negatives"), [(1, 1, 1), (7, 3, 2), (16, 5, 5), (33, 10, 6), (8, 2, 13)]
)
def test_vectors_move_as_the_formula_says(dim: int, window: int, negatives: int):
    rng = np.random.default_rng(1)
    walks = rng.integers(0, 12, (3, 20)).astype(np.int32)
    walks[1, 9:] = -1
    walks[2, 1:] = -1
    x, y = rng.standard_normal((2, 12, dim)).astype(np.float32)
    expected_x, expected_y = x.astype(np.float64), y.astype(np.float64)
    numbers = np.array([4, 0, 7])
    tokens = train_on_walks(
        walks,
        numbers,
        np.uint64(11),
        window,
        negatives,
        *alias_table(np.ones(12)),
        sigmoid_table(),
        np.float32(0.01),
        x,
        y,
    )
    for walk, number in zip(walks, numbers, strict=True):
        reference(
            [int(v) for v in walk if v >= 0], int(number), 11, window, negatives, 0.01, expected_x, expected_y
        )
    assert tokens == 20 + 9 + 1
    # σ comes from a table: its error times the rate, for every pair.
    np.testing.assert_allclose(x, expected_x, atol=5e-3)
    np.testing.assert_allclose(y, expected_y, atol=5e-3)
    assert np.abs(x - expected_x).mean() < 5e-4


def test_the_sigmoid_is_exact_to_a_thousandth():
    table = sigmoid_table()
    logits = np.linspace(-7.99, 7.99, 9999)
    read = table[((logits + 8) / 16 * len(table)).astype(int)]
    np.testing.assert_allclose(read, sigmoid(logits), atol=1e-3)


@pytest.mark.parametrize("weight", [[1.0], [1.0, 1.0], [0.1, 5.0, 0.0, 2.0, 1e-3, 7.0]])
def test_the_alias_table_draws_in_proportion(weight: list[float]):
    expected = np.array(weight) / np.sum(weight)
    threshold, alias = alias_table(np.array(weight))
    rng = np.random.default_rng(0)
    item = rng.integers(0, len(weight), 200_000)
    below = rng.integers(0, 2**32, 200_000) < threshold[item]
    counts = np.bincount(np.where(below, item, alias[item]), minlength=len(weight))
    assert (counts[expected == 0] == 0).all()
    if len(weight) > 1:
        some = expected > 0
        assert stats.chisquare(counts[some], 200_000 * expected[some]).pvalue > 0.01


def test_more_dimensions_than_the_kernel_has_room_for_are_refused():
    pair = Adjacency.from_edge_index(torch.tensor([[0, 1], [1, 0]]))
    with pytest.raises(InputError, match="at most 4176 dimensions, but got 4177"):
        DeepWalk(dimensions=MAX_DIMENSIONS + 1).fit(pair)
