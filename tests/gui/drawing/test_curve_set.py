from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from mmgraph.runs import Series
from mmgraph_gui.drawing import curve_set
from mmgraph_gui.drawing.across import Across
from mmgraph_gui.drawing.curve import Curve
from mmgraph_gui.drawing.curve_set import CurveSet, Thinned


def series(values: Sequence[float] | np.ndarray) -> Series:
    steps = np.arange(1, len(values) + 1)
    return Series(steps, steps / 10, steps.astype(float), np.asarray(values, dtype=np.float64))


def drawn(*curves: Curve, log: bool = False, smoothing: float = 0.0) -> CurveSet:
    made = CurveSet("loss")
    made.update(curves, Across(), log=log, smoothing=smoothing)
    return made


def test_without_curves_there_is_nothing_to_draw() -> None:
    empty = drawn()
    assert empty.by_key == empty.best == empty.values_at(1) == {}
    assert (empty.bad, empty.marks, empty.is_overlaid) == (0, [], False)
    low, high = empty.thin((0, 1), 100).limits(empty.marks)
    assert low < 0 < 1 < high


def test_the_best_is_that_of_the_validation_part_where_there_is_one() -> None:
    train, validation = Curve("train", series([3, 1, 2])), Curve("validation", series([3, 2, 4]))
    assert drawn(train).best == {"train": (2.0, 1.0)}
    assert drawn(train, validation).best == {"validation": (2.0, 2.0)}


def test_what_is_no_number_is_counted_and_marked_and_widens_nothing() -> None:
    curves = drawn(Curve("train", series([1, np.nan, np.inf, 2])))
    assert curves.bad == 2
    assert curves.marks == [(2.0, 1.0)]
    low, high = curves.thin((1, 4), 100).limits(curves.marks)
    assert np.isfinite([low, high]).all()
    assert low < 1 < 2 < high


def test_a_smoothed_curve_has_the_recorded_one_behind_it() -> None:
    values = np.tile([0.0, 1.0], 20)
    thinned = drawn(Curve("train", series(values)), smoothing=0.9).thin((1, 40), 400)
    np.testing.assert_array_equal(thinned.faint["train"][1], values)
    assert np.ptp(thinned.shown["train"][1][20:]) < 0.2
    assert drawn(Curve("train", series(values))).thin((1, 40), 400).faint == {}


def test_limits_hold_points_and_marks() -> None:
    low, high = Thinned({"train": (np.zeros(2), np.array([1.0, 2.0]))}).limits([(0, 5.0)])
    assert low < 1
    assert high > 5


def test_runs_beside_each_other_are_told_by_run_and_part() -> None:
    curves = drawn(
        Curve("train", series([1, 2]), run="a", slot=0), Curve("train", series([5]), run="b", slot=1)
    )
    assert curves.is_overlaid
    assert curves.values_at(1) == {"a train": 1.0, "b train": 5.0}
    assert np.isnan(curves.values_at(0)["a train"])


def test_long_curves_are_made_ready_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    made = CurveSet("loss")
    curves = [
        Curve("train", series(np.full(20, number)), 0.0, f"run {number}", number) for number in range(5)
    ]

    def update(seconds: float) -> dict[str, float]:
        monkeypatch.setattr(curve_set, "BUDGET", seconds)
        made.update(curves, Across(), log=False, smoothing=0.0)
        return made.values_at(20)

    assert update(-1.0) == {}
    assert made.is_partial
    assert len(update(10.0)) == 5
    assert not made.is_partial
    curves[0] = Curve("train", series(np.full(30, 7.0)), 0.0, "run 0", 0)
    assert update(-1.0)["run 0 train"] == 0.0  # what was drawn stays until its turn comes
    assert made.is_partial
    assert update(10.0)["run 0 train"] == 7.0
    assert not made.is_partial


def test_curves_along_the_same_steps_share_their_places() -> None:
    rng = np.random.default_rng(0)
    same = [Curve("train", series(rng.normal(size=9000)), run=name, slot=0) for name in "ab"]
    other = Curve("train", series(rng.normal(size=8000)), run="c", slot=1)
    gap = Curve("train", series(np.where(np.arange(9000) == 50, np.nan, 1.0)), run="d", slot=2)
    together = drawn(*same, other, gap)
    a, b, c, d = (each.raw.places for each in together._drawn.values())
    assert a is b
    assert len({id(places) for places in (a, c, d)}) == 3
    for span in ((1.0, 9000.0), (10.0, 900.0), (40.0, 60.0)):
        found = together.thin(span, 300).shown
        for curve in (*same, other, gap):
            alone = drawn(curve).thin(span, 300).shown[curve.key]
            for one, expected in zip(found[curve.key], alone, strict=True):
                np.testing.assert_array_equal(one, expected)
    assert len(together._places) == 3
    together.update([other], Across(), log=False, smoothing=0.0)
    del a, b, d
    assert len(together._places) == 1
