from __future__ import annotations

import numpy as np
import pytest

from mmgraph.reproduction import Measure, Row
from mmgraph.reproduction.recorded import Recorded, read
from mmgraph.reproduction.scores import scores
from mmgraph.runs import RunWriter


def row(*measures: Measure, seeds: int = 2, folds: int = 0) -> Row:
    return Row(method="A", dataset="B", recipe="r", options={}, measures=measures, seeds=seeds, folds=folds)


def recorded(root, name, curve, final, config=None):
    with RunWriter.create(root, name, config or {}) as run:
        for epoch, value in enumerate(curve):
            run.scalars(epoch + 1, {"fold/accuracy": value}, epoch=epoch + 1)
        run.status(metrics={"test/accuracy": final}, seconds=2.0)
    return read(run.folder)


def test_mean_spread_and_difference(tmp_path):
    entry = row(Measure(published=50.0), seeds=3)
    finished = {
        run: recorded(tmp_path, run.name, [], value)
        for run, value in zip(entry.runs(), (0.5, 0.6, 0.4), strict=True)
    }
    (score,) = scores(entry, finished)
    assert score.mean == pytest.approx(50.0)
    assert score.spread == pytest.approx(np.std([50, 60, 40], ddof=1))
    assert score.difference == pytest.approx(0.0)
    assert (score.seeds, score.num_runs, score.seconds, score.note) == (3, 3, 6.0, "")


def test_nothing_one_and_some():
    (score,) = scores(row(Measure()), {})
    assert (score.mean, score.spread, score.difference, score.seeds) == (None, None, None, 0)
    assert score.note == "0 of 2 seeds"
    (score,) = scores(row(Measure()), {}, "the data is not here")
    assert score.note == "the data is not here"


def test_one_seed_has_no_spread(tmp_path):
    entry = row(Measure())
    (score,) = scores(entry, {next(entry.runs()): recorded(tmp_path, "a", [], 0.5)})
    assert (score.mean, score.spread, score.note) == (50.0, None, "1 of 2 seeds")


def test_a_number_that_was_not_recorded(tmp_path):
    entry = row(Measure(tag="test/macro_f1"), seeds=1)
    (score,) = scores(entry, {next(entry.runs()): recorded(tmp_path, "a", [], 0.5)})
    assert score.mean is None
    assert "test/macro_f1" in score.note


def test_a_measure_may_have_a_scale_of_its_own(tmp_path):
    entry = row(Measure(name="CPU seconds", tag="cpu-seconds", scale=1.0), seeds=1)
    finished = {run: Recorded(tmp_path, "finished", {"cpu-seconds": 31.5}, 40.0) for run in entry.runs()}
    (score,) = scores(entry, finished)
    assert score.values == (31.5,)


def test_folds_with_the_epoch_of_the_mean_curve_and_with_chosen_weights(tmp_path):
    entry = row(Measure(epoch="common"), Measure(), seeds=1, folds=3)
    curves = np.array([[0.1, 0.9, 0.5, 0.4], [0.2, 0.1, 0.6, 0.5], [0.3, 0.2, 0.4, 0.9]])
    finals = [0.4, 0.5, 0.9]
    finished = {}
    for run, curve, final in zip(entry.runs(), curves, finals, strict=True):
        options = {"fold": run.fold, "folds": 3}
        config = {"run": {"recipe": "graph-classification"}, "options": options}
        finished[run] = recorded(tmp_path, run.name, curve, final, config)
    common, chosen = scores(entry, finished)
    best = curves.mean(axis=0).argmax()
    assert common.values == pytest.approx(tuple(100 * curves[:, best]))
    assert chosen.values == pytest.approx((40.0, 50.0, 90.0))
    assert common.seeds == chosen.seeds == 1
    _, *rest = entry.runs()
    (common, _) = scores(entry, {run: finished[run] for run in rest})
    assert (common.values, common.note) == ((), "0 of 1 seeds")
