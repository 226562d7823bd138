from __future__ import annotations

import numpy as np
import pytest

from mmgraph.analysis import block_means, rollout
from mmgraph.errors import InputError


def naive_rollout(layers: list[np.ndarray]) -> np.ndarray:
    """As the paper's equation, entry by entry."""
    tokens = layers[0].shape[-1]
    flow = [[float(i == j) for j in range(tokens)] for i in range(tokens)]
    for layer in layers:
        mixed = [[0.0] * tokens for _ in range(tokens)]
        for i in range(tokens):
            for j in range(tokens):
                mean = sum(float(head[i, j]) for head in layer) / len(layer)
                mixed[i][j] = (mean + (i == j)) / 2
            total = sum(mixed[i])
            mixed[i] = [value / total for value in mixed[i]]
        flow = [
            [sum(mixed[i][k] * flow[k][j] for k in range(tokens)) for j in range(tokens)]
            for i in range(tokens)
        ]
    return np.array(flow)


@pytest.mark.parametrize(("depth", "heads", "tokens"), [(1, 1, 1), (1, 3, 5), (4, 2, 7)])
def test_rollout_is_the_product_of_the_layers(depth: int, heads: int, tokens: int) -> None:
    layers = list(np.random.default_rng(0).dirichlet(np.ones(tokens), size=(depth, heads, tokens)))
    flow = rollout(layers)
    np.testing.assert_allclose(flow, naive_rollout(layers), rtol=1e-12)
    np.testing.assert_allclose(flow.sum(axis=1), 1)


def test_rollout_of_rows_that_do_not_add_up_is_scaled() -> None:
    thinned = np.random.default_rng(0).random((2, 1, 4, 4))
    np.testing.assert_allclose(rollout(iter(thinned)), naive_rollout(list(thinned)), rtol=1e-12)


def test_rollout_refuses_what_has_no_tokens_in_common() -> None:
    with pytest.raises(InputError, match="at least one layer"):
        rollout([])
    with pytest.raises(InputError, match="same tokens"):
        rollout([np.zeros((2, 3, 4))])
    with pytest.raises(InputError, match="as many tokens"):
        rollout([np.eye(3), np.eye(4)])


def test_rollout_keeps_nan_visible() -> None:
    broken = np.full((3, 3), np.nan)
    assert np.isnan(rollout([np.eye(3), broken])).all()


def test_block_means_are_those_of_a_loop() -> None:
    values = np.random.default_rng(0).random((17, 30)).astype(np.float32)
    small = block_means(values, 5, 7)
    assert small.shape == (5, 7)
    rows, columns = [17 * i // 5 for i in range(6)], [30 * i // 7 for i in range(8)]
    for i in range(5):
        for j in range(7):
            block = values[rows[i] : rows[i + 1], columns[j] : columns[j + 1]]
            assert small[i, j] == pytest.approx(block.mean(), rel=1e-5)


def test_block_means_leave_small_pictures_and_show_nan() -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(block_means(values, 8, 8), values)
    values = np.ones((10, 10), np.float32)
    values[0, 0] = np.nan
    small = block_means(values, 2, 2)
    assert np.isnan(small[0, 0])
    assert np.isfinite(small).sum() == 3
    with pytest.raises(InputError, match="room"):
        block_means(values, 0, 2)
