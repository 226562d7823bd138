from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from mmgraph.errors import ConfigError, MMGraphError, UnknownNameError
from mmgraph.reproduction import Measure, Row, Table
from mmgraph.reproduction import recorded as recorded_runs
from mmgraph.reproduction.reproduce import reproduce
from mmgraph.runs import RunReader, find_runs

SMALL = {"epochs": 2, "hidden": 2, "heads": 1, "features": 8}


def row(method="GAT", dataset="digits", recipe="digits-graph", seeds=2, **options) -> Row:
    return Row(
        method=method,
        dataset=dataset,
        recipe=recipe,
        options=options,
        measures=(Measure(published=50.0, source="nobody 1999"),),
        seeds=seeds,
    )


def table(*rows: Row) -> Table:
    return Table(name="small", title="Small", rows=rows)


def test_runs_are_trained_recorded_and_reused(tmp_path):
    small = table(row(**SMALL))
    standings = []
    first = reproduce(small, tmp_path, on_progress=standings.append)
    (score,) = first.scores
    assert (score.seeds, score.num_runs, score.note) == (2, 2, "")
    assert not first.stopped
    assert not first.failures
    assert [(s.done, s.total) for s in standings] == [(0, 2), (1, 2), (2, 2)]
    assert standings[-1].seconds_left == 0
    assert standings[0].seconds_left == 20
    folders = find_runs(tmp_path)
    assert {folder.name for folder in folders} == {"gat-digits-seed-0", "gat-digits-seed-1"}
    accuracies = set()
    for folder in folders:
        with RunReader(folder) as run:
            assert run.status().state == "finished"
            assert (run.config["options"]["device"], run.config["options"]["threads"]) == ("cpu", 1)
            accuracies.add(100 * run.status().metrics["test/accuracy"])
    assert accuracies == set(score.values)

    again = reproduce(small.with_seeds(3), tmp_path)
    assert again.reused == 2
    assert again.scores[0].values[:2] == score.values
    assert len(find_runs(tmp_path)) == 3


def test_other_options_are_other_runs(tmp_path):
    reproduce(table(row(seeds=1, **SMALL)), tmp_path)
    other = reproduce(table(row(seeds=1, **{**SMALL, "epochs": 1})), tmp_path)
    assert other.reused == 0
    assert len(find_runs(tmp_path)) == 2
    recorded_otherwise = row(seeds=1, **SMALL, snapshots_per_second=0.0, checkpoint_seconds=600.0)
    assert reproduce(table(recorded_otherwise), tmp_path, train=False).reused == 1


def test_runs_of_another_version_do_not_count(tmp_path, monkeypatch):
    small = table(row(seeds=1, **SMALL))
    reproduce(small, tmp_path)
    monkeypatch.setattr(recorded_runs, "__version__", "999")
    assert reproduce(small, tmp_path, train=False).scores[0].seeds == 0


def test_reading_only_trains_nothing(tmp_path):
    result = reproduce(table(row(**SMALL)), tmp_path / "nowhere", train=False)
    assert result.scores[0].seeds == 0
    assert not (tmp_path / "nowhere").exists()


def test_a_run_that_fails_does_not_lose_the_others(tmp_path):
    bad = row(method="Bad", seeds=1, **{**SMALL, "learning_rate": 1e30, "epochs": 20})
    result = reproduce(table(bad, row(seeds=1, **SMALL)), tmp_path)
    assert [score.seeds for score in result.scores] == [0, 1]
    (failure,) = result.failures
    assert failure.startswith("bad-digits-seed-0: The loss became")


def test_a_bug_in_a_recipe_is_a_failure_of_that_run(tmp_path, monkeypatch):
    def broken(*arguments, **options):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("mmgraph.recipes.launch.train", broken)
    result = reproduce(table(row(seeds=1, **SMALL)), tmp_path)
    assert result.failures == ("gat-digits-seed-0: ZeroDivisionError: oh",)


def test_data_that_is_not_here_is_asked_for_once(tmp_path, monkeypatch):
    monkeypatch.setenv("MMGRAPH_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    absent = row(method="GCN", dataset="PubMed", recipe="node-classification", dataset_="pubmed")
    absent.options.pop("dataset_")
    absent.options["dataset"] = "pubmed"
    standings = []
    result = reproduce(table(absent, row(seeds=1, **SMALL)), tmp_path, on_progress=standings.append)
    assert [s.outcome.state for s in standings[1:]] == ["absent", "finished"]
    assert "ind.pubmed" in standings[1].outcome.message
    assert result.scores[0].note == "the data is not here"
    assert not result.failures


def test_ctrl_c_keeps_what_there_is(tmp_path):
    def interrupt(standing):
        if standing.done == 1:
            signal.raise_signal(signal.SIGINT)

    small = table(row(seeds=3, **SMALL))
    result = reproduce(small, tmp_path, on_progress=interrupt)
    assert result.stopped
    assert result.scores[0].note == "1 of 3 seeds"
    assert reproduce(small, tmp_path).reused == 1


def test_ctrl_c_within_a_run_stops_and_the_run_goes_on_later(tmp_path, monkeypatch):
    from mmgraph.recipes import launch

    train = launch.train

    def interrupted(*arguments, **options):
        return train(*arguments, **options, on_report=lambda report: signal.raise_signal(signal.SIGINT))

    small = table(row(seeds=2, **{**SMALL, "epochs": 4}))
    with monkeypatch.context() as patch:
        patch.setattr(launch, "train", interrupted)
        result = reproduce(small, tmp_path)
    assert result.stopped
    assert result.scores[0].seeds == 0
    assert len(find_runs(tmp_path)) == 1
    continued = reproduce(small, tmp_path)
    assert len(find_runs(tmp_path)) == 2
    assert continued.scores[0].values == reproduce(small, tmp_path / "whole").scores[0].values


def test_a_killed_run_goes_on_from_its_checkpoint(tmp_path):
    options = {**SMALL, "epochs": 40, "checkpoint_seconds": 0.0}
    script = f"""
from pathlib import Path
from mmgraph.reproduction import Measure, Row, Table
from mmgraph.reproduction.reproduce import reproduce
row = Row(method="GAT", dataset="digits", recipe="digits-graph", options={options!r}, measures=(Measure(),), seeds=1)
reproduce(Table(name="small", title="Small", rows=(row,)), Path({str(tmp_path)!r}))
"""
    process = subprocess.Popen([sys.executable, "-c", script])
    try:
        while _step(tmp_path) < 5:
            assert process.poll() is None
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    (folder,) = find_runs(tmp_path)
    with RunReader(folder) as run:
        assert run.status().state == "interrupted"
    result = reproduce(table(row(seeds=1, **options)), tmp_path)
    assert (result.reused, result.scores[0].seeds) == (0, 1)
    with RunReader(folder) as run:
        assert run.status().step == 40
        resumed = [event.step for event in run.poll().events if event.kind == "resume"]
    assert resumed
    assert resumed[0] >= 5


def _step(root) -> int:
    for folder in find_runs(root):
        try:
            with RunReader(folder) as run:
                return run.status().step
        except MMGraphError:
            return 0
    return 0


def test_several_at_a_time_give_the_same_numbers(tmp_path):
    small = table(
        row(seeds=3, **SMALL), row(method="Bad", seeds=1, **{**SMALL, "learning_rate": 1e30, "epochs": 20})
    )
    standings = []
    result = reproduce(small, tmp_path / "two", jobs=2, on_progress=standings.append)
    assert result.scores[0].values == reproduce(small, tmp_path / "one").scores[0].values
    assert (standings[-1].done, standings[-1].total) == (4, 4)
    assert len(result.failures) == 1


def test_bad_input(tmp_path):
    with pytest.raises(ConfigError, match="at least one job"):
        reproduce(table(row()), tmp_path, jobs=0)
    with pytest.raises(UnknownNameError, match="device"):
        reproduce(table(row()), tmp_path, device="abacus")
