from __future__ import annotations

import importlib

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness

from mmgraph.analysis.stable_layout import LayoutProgress, stable_layout
from mmgraph.errors import InputError

DIGITS = load_digits().data[:300].astype(np.float32)
METHODS = ("t-SNE", "UMAP")


def last(steps: object) -> LayoutProgress:
    *_, step = steps
    return step


@pytest.fixture(scope="module", params=METHODS)
def fresh(request: pytest.FixtureRequest) -> tuple[str, np.ndarray]:
    return request.param, last(stable_layout(DIGITS, request.param)).places


def test_unchanged_vectors_do_not_move_at_all(fresh: tuple[str, np.ndarray]) -> None:
    method, places = fresh
    same = last(stable_layout(DIGITS, method, earlier_vectors=DIGITS, earlier_places=places))
    np.testing.assert_array_equal(same.places, places)
    changed = DIGITS.copy()
    changed[:30] += np.random.default_rng(0).normal(size=(30, 64)).astype(np.float32)
    moved = last(stable_layout(changed, method, earlier_vectors=DIGITS, earlier_places=places)).places
    np.testing.assert_array_equal(moved[30:], places[30:])
    assert (moved[:30] != places[:30]).all()


def test_vectors_that_all_change_a_little_move_little_and_stay_as_trustworthy(
    fresh: tuple[str, np.ndarray],
) -> None:
    method, places = fresh
    changed = DIGITS + np.random.default_rng(0).normal(scale=0.5, size=DIGITS.shape).astype(np.float32)
    warm = last(stable_layout(changed, method, earlier_vectors=DIGITS, earlier_places=places)).places
    anew = last(stable_layout(changed, method)).places
    assert trustworthiness(changed, warm) > trustworthiness(changed, anew) - 0.05
    size = np.linalg.norm(places - places.mean(axis=0), axis=1).mean()
    assert np.linalg.norm(warm - places, axis=1).mean() < 0.25 * size


def test_new_and_lost_items(fresh: tuple[str, np.ndarray]) -> None:
    method, places = fresh
    earlier, now = places.copy(), DIGITS.copy()
    earlier[:5] = np.nan
    now[299] = np.inf
    layout = last(stable_layout(now, method, earlier_vectors=DIGITS, earlier_places=earlier)).places
    assert np.isfinite(layout[:299]).all()
    assert np.isnan(layout[299]).all()
    np.testing.assert_array_equal(layout[5:299], places[5:299])


def test_more_than_can_be_laid_out_are_placed_among_their_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(
        "mmgraph.analysis.stable_layout"
    )  # the package has a function of that name
    monkeypatch.setattr(module, "MOST_LAID_OUT", 150)
    step = last(stable_layout(DIGITS, "UMAP"))
    assert step.laid_out == 150
    assert np.isfinite(step.places).all()
    assert trustworthiness(DIGITS, step.places) > 0.9


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_vectors(count: int) -> None:
    assert last(stable_layout(DIGITS[:count], "t-SNE", dimensions=3)).places.shape == (count, 3)


def test_bad_input() -> None:
    with pytest.raises(InputError, match="not 'LLE'"):
        last(stable_layout(DIGITS, "LLE"))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Earlier places"):
        last(stable_layout(DIGITS, "UMAP", earlier_vectors=DIGITS[:3], earlier_places=np.zeros((3, 2))))
