from __future__ import annotations

import numpy as np
import pytest

from mmgraph.runs import Series
from mmgraph_gui.drawing.across import Across, start_of


def series(steps, epochs, seconds) -> Series:
    return Series(np.array(steps), np.array(epochs, float), np.array(seconds, float), np.zeros(len(steps)))


@pytest.fixture
def known() -> Series:
    return series([0, 10, 20], [0, 1, 2], [100, 105, 130])


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(("kind", "at"), [("step", [0, 10, 20]), ("epoch", [0, 1, 2]), ("time", [0, 5, 30])])
def test_numbers_lie_where_they_were_recorded(known, kind, log, at):
    across = Across.of(kind, log, [known])
    places = across.places_of(known, start_of([known]))
    if log:
        assert np.isnan(places[0])
        assert np.isnan(across.place(0))
        np.testing.assert_allclose(10 ** places[1:], at[1:])
    else:
        np.testing.assert_array_equal(places, at)
    for step, place in zip((10, 20), places[1:], strict=True):
        assert across.place(step) == pytest.approx(place)
        assert across.step(place) == pytest.approx(step)
    assert across.step(across.place(15)) == pytest.approx(15)


def test_words(known):
    assert Across.of("step", True, [known]).words(3.0) == "step 1,000"
    assert Across.of("epoch", False, [known]).words(1.25) == "epoch 1.25"
    assert Across.of("time", False, [known]).words(12.34) == "12.34 s"


def test_nothing_recorded_or_no_epochs_is_no_error(known):
    assert start_of([]) == 0.0
    empty = Across.of("epoch", False, [])
    assert np.isnan(empty.place(3))
    assert empty.step(3.0) == 0.0
    without = series([1, 2], [np.nan, np.nan], [0, 1])
    across = Across.of("epoch", False, [without])
    assert np.isnan(across.places_of(without, 0.0)).all()
    assert np.isnan(across.place(1))


def test_a_step_lies_where_all_that_was_recorded_of_it_is_there(known):
    tested = series(
        [5, 10, 20, 30], [0.5, 1, 2, 3], [103, 109, 138, 200]
    )  # 5 and 30 are no steps of the longer one
    more = series(range(0, 41, 10), [0, 1, 2, 3, np.nan], [100, 105, 130, 160, 170])
    across = Across.of("time", False, [more, tested])
    assert [across.place(step) for step in (0, 10, 20, 30, 40)] == [0, 9, 38, 100, 100]
    assert Across.of("epoch", False, [more, tested]).place(30) == 3
    assert across.step(9) == 10
