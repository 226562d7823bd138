"""Reading a run while it grows, is resumed, and after."""

from __future__ import annotations

import contextlib
import math
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmgraph.errors import RunDamagedError, UnknownNameError
from mmgraph.runs import Cursor, Outline, RunReader, RunWriter, Snapshot, Update, reader, tables


def matrix(step: int) -> list[Snapshot]:
    return [Snapshot("matrix", "m", np.full((1, 1), step))]


class Follower:
    """What somebody holds who follows a run by polling, as the rules of `Update` tell."""

    def __init__(self) -> None:
        self.cursor = Cursor()
        self.points: dict[str, list[tuple[int, float]]] = {}
        self.snapshots: list[tuple[int, int]] = []
        self.events: list[str] = []

    def take(self, update: Update) -> None:
        if (start := update.rewound_to) is not None:
            self.points = {tag: [p for p in held if p[0] <= start] for tag, held in self.points.items()}
            self.snapshots = [entry for entry in self.snapshots if entry[0] <= start]
        for tag, series in update.scalars.items():
            self.points.setdefault(tag, []).extend(
                zip(series.step.tolist(), series.value.tolist(), strict=True)
            )
        self.snapshots.extend((info.step, info.id) for info in update.snapshots)
        self.events.extend(event.message for event in update.events)
        self.cursor = update.cursor

    def held(self) -> tuple[dict[str, list[tuple[int, float]]], list[tuple[int, int]], list[str]]:
        return {tag: held for tag, held in self.points.items() if held}, self.snapshots, self.events


def test_a_resumed_run_leaves_out_what_no_longer_counts(new_run):
    run = new_run()
    for step in range(1, 11):
        run.scalars(step, {"loss": step})
        run.snapshots(step, matrix(step))
    run.close("stopped")
    with RunReader(run.folder) as before:
        cursor = before.poll().cursor
    again = RunWriter(run.folder, start_step=6)
    for step in range(7, 9):
        again.scalars(step, {"loss": -step})
        again.snapshots(step, matrix(-step))
    again.close()
    with RunReader(run.folder) as now:
        assert now.series("loss").value.tolist() == [1, 2, 3, 4, 5, 6, -7, -8]
        assert [int(now.load(info).array[0, 0]) for info in now.snapshots()] == [1, 2, 3, 4, 5, 6, -7, -8]
        update = now.poll(cursor)
        assert update.rewound_to == 6
        assert update.scalars["loss"].value.tolist() == [-7, -8]
        assert [info.step for info in update.snapshots] == [7, 8]
        assert now.poll(update.cursor).is_empty
        assert not now.poll(cursor).is_empty
    with sqlite3.connect(run.folder / "run.db") as plain:
        views = plain.execute("SELECT value FROM scalars ORDER BY step").fetchall()
        assert [value for (value,) in views] == [1, 2, 3, 4, 5, 6, -7, -8]
        assert plain.execute("SELECT count(*) FROM snapshots").fetchone() == (8,)
        assert plain.execute("SELECT count(*) FROM scalar_rows").fetchone() == (12,)  # nothing is deleted
    plain.close()


def test_a_run_opened_again_without_a_step_keeps_everything(new_run):
    run = new_run()
    run.scalars(10, {"loss": 1.0})
    run.snapshots(12, matrix(12))
    run.close()
    again = RunWriter(run.folder)
    again.event("a word more")
    again.close()
    with RunReader(run.folder) as now:
        assert len(now.series("loss")) == 1
        assert len(now.snapshots()) == 1
        assert now.status().step == 12


actions = st.one_of(
    st.tuples(st.just("record"), st.integers(1, 4), st.sampled_from(["a", "b"])),
    st.tuples(st.just("resume"), st.integers(0, 12)),
    st.tuples(st.just("poll")),
    st.tuples(st.just("poll other")),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(actions, max_size=25))
def test_any_number_of_polls_gives_what_one_full_read_gives(sequence):
    root = Path(tempfile.mkdtemp())
    run = RunWriter.create(root, "run", {})
    followers, step, value = (Follower(), Follower()), 0, 0
    try:
        with RunReader(run.folder) as live:
            for name, *arguments in sequence:
                if name == "record":
                    for _ in range(arguments[0]):
                        step, value = step + 1, value + 1
                        run.scalars(step, {arguments[1]: value})
                        run.event(str(value))
                    run.snapshots(step, matrix(value))
                elif name == "resume":
                    run.close("stopped")
                    step = min(arguments[0], step)
                    run = RunWriter(run.folder, start_step=step)
                else:
                    run.flush()
                    follower = followers[name != "poll"]
                    follower.take(live.poll(follower.cursor))
            run.flush()
            whole = Follower()
            whole.take(live.poll())
            for follower in followers:
                follower.take(live.poll(follower.cursor))
                assert follower.held() == whole.held()
            for tag, points in whole.held()[0].items():
                series = live.series(tag)
                assert list(zip(series.step.tolist(), series.value.tolist(), strict=True)) == points
    finally:
        run.close()
        shutil.rmtree(root)


def test_a_session_that_begins_during_a_poll_is_not_half_seen(new_run, monkeypatch):
    run = new_run()
    run.scalars(5, {"loss": 5})
    run.close("stopped")
    follower = Follower()
    with RunReader(run.folder) as live:
        follower.take(live.poll())
        scalars_after = RunReader._scalars_after

        def resumed_meanwhile(self, *arguments):
            monkeypatch.setattr(RunReader, "_scalars_after", scalars_after)
            with RunWriter(run.folder, start_step=2) as again:
                again.scalars(3, {"loss": 3})
            return scalars_after(self, *arguments)

        monkeypatch.setattr(RunReader, "_scalars_after", resumed_meanwhile)
        follower.take(live.poll(follower.cursor))
        follower.take(live.poll(follower.cursor))
    assert follower.held()[0] == {"loss": [(3, 3.0)]}


def test_two_readers_follow_while_a_third_party_writes(new_run):
    run, done, steps = new_run(), threading.Event(), 3000
    followers = [Follower(), Follower()]

    def follow(follower: Follower) -> None:
        with RunReader(run.folder) as live:
            while not done.is_set():
                follower.take(live.poll(follower.cursor))
            follower.take(live.poll(follower.cursor))

    threads = [threading.Thread(target=follow, args=(follower,)) for follower in followers]
    for thread in threads:
        thread.start()
    for step in range(steps):
        run.scalars(step, {"a": step})
        if step % 500 == 0:
            run.snapshots(step, matrix(step), wait=True)
    run.flush()
    done.set()
    for thread in threads:
        thread.join()
    for follower in followers:
        assert follower.points["a"] == [(step, float(step)) for step in range(steps)]
        assert [step for step, _ in follower.snapshots] == list(range(0, steps, 500))


def test_tags_series_and_their_parts(new_run):
    run = new_run()
    for step in (1, 2, 3):
        run.scalars(step, {"train/loss": step})
    run.close()
    with RunReader(run.folder) as live:
        assert live.tags() == ["train/loss"]
        assert live.name == "run"
        series = live.series("train/loss")
        with pytest.raises(UnknownNameError, match="Did you mean 'train/loss'"):
            live.series("train/los")
    assert series.before(2).step.tolist() == [1, 2]
    joined = series.before(1).joined(series)
    assert joined.value.tolist() == [1, 1, 2, 3]
    assert len(joined.epoch) == len(joined.wall_time) == 4


def test_snapshots_are_found_by_kind_layer_and_step(new_run):
    run = new_run()
    for step in (1, 2):
        vectors = np.zeros((2, 2))
        run.snapshots(
            step, [Snapshot("embedding", "a", vectors), Snapshot("prediction", "b", vectors)], epoch=0.5
        )
    run.close()
    with RunReader(run.folder) as live:
        found = [(info.step, info.kind) for info in live.snapshots(kind="embedding")]
        assert found == [(1, "embedding"), (2, "embedding")]
        assert [info.kind for info in live.snapshots(step=2)] == ["embedding", "prediction"]
        assert [info.step for info in live.snapshots(layer="b", step=1)] == [1]
        assert live.snapshots(kind="graph") == []
        info = live.snapshots()[0]
        assert (info.epoch, info.shape, info.dtype, info.axes) == (
            0.5,
            (2, 2),
            "float64",
            ("items", "features"),
        )


def test_a_run_without_anything_recorded(new_run):
    run = new_run()
    run.close()
    with RunReader(run.folder) as live:
        update = live.poll()
        assert update.is_empty
        assert (live.tags(), live.snapshots(), live.item_names(), live.checkpoints()) == ([], [], [], [])
        assert live.config["run"]["recipe"] == "digits-graph"
        assert live.config["options"] == {"epochs": 10, "learning_rate": 0.01}


def test_checkpoints_are_listed_without_half_written_ones(new_run):
    run = new_run()
    folder = run.folder / "checkpoints"
    folder.mkdir()
    for name in ("last.safetensors", "best.safetensors", ".last.safetensors.12.part", "notes.txt"):
        (folder / name).touch()
    run.close()
    with RunReader(run.folder) as live:
        assert [path.name for path in live.checkpoints()] == ["best.safetensors", "last.safetensors"]


def heartbeat(folder: Path, seconds_ago: float, host: str | None = None) -> None:
    with sqlite3.connect(folder / "run.db") as connection:
        connection.execute(
            "UPDATE status SET state = 'running', heartbeat = ?, host = ifnull(?, host)",
            (time.time() - seconds_ago, host),
        )
    connection.close()


def test_a_silent_writer_counts_as_gone(new_run, monkeypatch):
    run = new_run()
    run.close()
    heartbeat(run.folder, 0)
    with RunReader(run.folder) as live:
        assert live.status().state == "running"  # this process is alive
    heartbeat(run.folder, reader.HEARTBEAT_SECONDS + 5)
    with RunReader(run.folder) as live:
        assert live.status().state == "running"  # it has not had the processor
    heartbeat(run.folder, reader.STARVED_SECONDS + 5)
    with RunReader(run.folder) as live:
        assert live.status().state == "interrupted"
        assert "gone" in live.status().message


def test_a_run_that_was_just_made_is_starting(new_run, monkeypatch):
    run = new_run()
    run.close()
    with contextlib.closing(sqlite3.connect(run.folder / "run.db")) as connection, connection:
        connection.execute("DELETE FROM status")
    with RunReader(run.folder) as live:
        assert (live.status().state, live.status().message) == ("running", "starting")
        later = reader.time.time() + reader.STARVED_SECONDS + 1
        monkeypatch.setattr(reader.time, "time", lambda: later)
        assert (live.status().state, live.status().message) == (
            "interrupted",
            "the run was made but never started",
        )


def test_the_clock_of_another_machine_may_be_wrong(new_run, monkeypatch):
    run = new_run()
    run.close()
    now = [100.0]
    monkeypatch.setattr(reader.time, "monotonic", lambda: now[0])
    heartbeat(run.folder, 3600, "elsewhere")  # its clock is an hour behind
    with RunReader(run.folder) as live:
        assert live.status().state == "interrupted"
        heartbeat(run.folder, 3599, "elsewhere")
        assert live.status().state == "running"
        now[0] += reader.HEARTBEAT_SECONDS + 1
        assert live.status().state == "interrupted"
    heartbeat(run.folder, -3600, "elsewhere")  # an hour ahead
    with RunReader(run.folder) as live:
        assert live.status().state == "running"
        now[0] += reader.HEARTBEAT_SECONDS + 1
        assert live.status().state == "interrupted"


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE status SET metrics = '{'",
        "UPDATE status SET metrics = '[1]'",
        "DROP TABLE scalar_rows",
        "DROP TABLE status",
        "UPDATE scalar_rows SET value = 'many'",
        "UPDATE snapshot_rows SET axes = 'items'",
    ],
)
def test_damaged_tables_are_one_sentence(new_run, damage):
    run = new_run()
    run.scalars(1, {"a": 1.0})
    run.snapshots(1, matrix(1))
    run.close()
    with sqlite3.connect(run.folder / "run.db") as connection:
        connection.execute(damage)
    connection.close()
    with RunReader(run.folder) as live, pytest.raises(RunDamagedError, match=r"run\.db' could not be read"):
        live.poll()


def test_the_views_can_be_read_by_the_sqlite3_command(new_run):
    if shutil.which("sqlite3") is None:
        pytest.skip("the sqlite3 command is not installed")
    run = new_run()
    run.scalars(1, {"a": 0.5, "b": float("nan"), "c": float("-inf")}, epoch=0.25)
    run.snapshots(1, matrix(1), wait=True)
    command = ["sqlite3", "-readonly", str(run.folder / "run.db")]
    query = (
        "SELECT step, epoch, tag, value FROM scalars ORDER BY tag; SELECT step, kind, layer FROM snapshots"
    )
    result = subprocess.run([*command, query], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines() == ["1|0.25|a|0.5", "1|0.25|b|", "1|0.25|c|-Inf", "1|matrix|m"]


def test_a_transaction_that_fails_leaves_the_known_tags_as_before(tmp_path, new_run):
    run = new_run()
    run.close()
    connection = sqlite3.connect(run.folder / "run.db", isolation_level=None)
    session = tables.Tables(connection, 0)
    batch = tables.Batch(scalars=[(1, None, 0.0, (("new", 1.0),))], events=[(1, 0.0, "info", "log", None)])
    with pytest.raises(sqlite3.IntegrityError):
        session.write(batch)
    batch.events.clear()
    session.write(batch)
    session.close()
    with RunReader(run.folder) as live:
        assert live.series("new").value.tolist() == [1.0]


def test_a_database_that_another_takes_the_place_of_is_read_anew(tmp_path):
    """As programs that synchronise folders do it: a new file is renamed over the old one."""
    run = RunWriter.create(tmp_path, "run", {})
    run.scalars(1, {"loss": 1.0})
    run.close("stopped")
    copy = tmp_path / "copy"
    shutil.copytree(run.folder, copy)
    with RunReader(copy) as reader:
        update = reader.poll()
        later = RunWriter(run.folder, start_step=1)
        later.scalars(2, {"loss": 0.5})
        later.close("finished")
        shutil.copy(run.folder / "run.db", copy / "new")
        (copy / "new").replace(copy / "run.db")
        update = reader.poll(update.cursor)
        assert update.scalars["loss"].value.tolist() == [0.5]
        assert update.status.state == "finished"
        (copy / "run.db").unlink()
        assert reader.status().state == "finished"  # what was read stays


def naive_outline(run: RunReader, tag: str, columns: int) -> list[tuple[float, float]]:
    """Part by part, from the numbers themselves."""
    series = run.series(tag)
    finite = np.isfinite(series.value)
    steps, values = series.step[finite], series.value[finite]
    if not len(steps):
        return []
    parts = (steps - steps[0]) * columns // (steps[-1] - steps[0] + 1)
    return [(values[parts == part].min(), values[parts == part].max()) for part in np.unique(parts)]


def test_the_outline_of_a_curve_is_that_of_its_numbers(new_run):
    run, rng = new_run(), np.random.default_rng(0)
    values = rng.normal(size=500)
    values[[3, 70, 499]] = math.nan, math.inf, -math.inf
    for step, value in enumerate(values.tolist(), start=10):
        run.scalars(step * 3, {"noise": value, "other": 1e9})
    run.scalars(7, {"one": 4.5, "none": math.nan})
    run.close()
    with RunWriter(run.folder, start_step=900) as again:  # what came after is superseded
        again.scalars(903, {"noise": -7.0})
    with RunReader(run.folder) as reader:
        for columns in (1, 7, 40, 5000):
            outline = reader.outline("noise", columns)
            pairs = list(zip(outline.lows, outline.highs, strict=True))
            assert pairs == naive_outline(reader, "noise", columns)
            assert outline.last == -7.0
        assert reader.outline("one", 9) == Outline((4.5,), (4.5,), 4.5)
        for tag in ("none", "never recorded"):
            empty = reader.outline(tag, 9)
            assert (empty.lows, empty.highs) == ((), ())
            assert math.isnan(empty.last)
