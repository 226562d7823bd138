from __future__ import annotations

import shutil
import threading
import time

import numpy as np
import pytest

from mmgraph.runs import RunReader, RunWriter, Snapshot
from mmgraph_gui.reading.poller import _why_gone
from mmgraph_gui.reading.snapshot_cache import SnapshotCache

pytestmark = pytest.mark.usefixtures("looks_often")


def test_open_run_is_in_the_state_with_items_and_prediction(opened, digits_run_once):
    state = opened.state
    assert state.path == digits_run_once
    assert state.status.state == "finished"
    assert (state.steps(), state.step) == ([10, 20, 30, 40], 40)
    assert len(state.series["train/loss"]) == 40
    assert len(state.items) == 300
    with RunReader(digits_run_once) as run:
        last = run.load(run.snapshots(kind="prediction", step=40)[0]).array
    np.testing.assert_array_equal(state.prediction.classes, last.argmax(1))


def test_prediction_follows_the_step(qtbot, opened):
    opened.state.set_step(10)
    qtbot.waitUntil(lambda: opened.state.prediction.step == 10)


def test_live_run_grows_in_the_state(qtbot, context, write_run, tmp_path):
    run = write_run(tmp_path, steps=(10,), close=False)
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(run.folder)
    assert context.state.status.is_live
    run.scalars(11, {"train/loss": 0.25})
    qtbot.waitUntil(lambda: context.state.series["train/loss"].step[-1] == 11)
    run.close("stopped", "enough")
    qtbot.waitUntil(lambda: context.state.status.state == "stopped")


def test_resumed_run_is_rewound(qtbot, context, write_run, tmp_path):
    folder = write_run(tmp_path, steps=(10, 20))
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(folder)
    run = RunWriter(folder, start_step=12)
    run.scalars(13, {"train/loss": 9.0})
    run.flush()
    qtbot.waitUntil(lambda: context.state.series["train/loss"].step[-1] == 13)
    assert context.state.steps() == [10]
    run.close("finished")


def test_only_the_latest_request_of_a_key_is_delivered(qtbot, opened):
    gate, results = threading.Event(), []

    def slow(job, snapshots):
        gate.wait()
        return "slow", job.cancelled

    follower = opened.follower
    follower.ask("key", [], slow, results.append)
    follower.ask("key", [], lambda job, _: "skipped", results.append)
    follower.ask("key", [], lambda job, _: "latest", results.append)
    gate.set()
    qtbot.waitUntil(lambda: results == ["latest"])


def test_a_view_slower_than_the_snapshots_of_a_live_run_shows_some_of_them(
    qtbot, context, write_run, tmp_path
):
    run = write_run(tmp_path, steps=(10,), close=False)
    follower, state, shown = context.follower, context.state, []

    def slow(job, snapshots):
        time.sleep(0.4)
        return snapshots[0].array

    def draw(topic):
        if topic in ("step", "snapshots") and (info := state.snapshot_at("embedding")) is not None:
            follower.ask("view", [info], slow, lambda _: shown.append(info.step))

    state.subscribe(draw)
    with qtbot.waitSignal(follower.opened):
        follower.open(run.folder)
    for step in range(11, 31):
        vectors = np.full((300, 4), step, dtype=np.float32)
        run.snapshots(step, [Snapshot("embedding", "convs.1", vectors, items="items")], wait=True)
        run.flush()
        qtbot.wait(100)
    assert len([step for step in shown if 10 < step < 30]) >= 2
    assert shown == sorted(shown)
    qtbot.waitUntil(lambda: shown[-1] == 30)
    assert state.step == 30
    run.close("finished")


def test_work_gets_snapshots_and_reports_partial_results(qtbot, opened):
    results = []
    infos = [opened.state.snapshot_at("embedding"), opened.state.snapshot_at("prediction")]

    def work(job, snapshots):
        job.report("half")
        return [snapshot.kind for snapshot in snapshots]

    opened.follower.ask("key", infos, work, results.append)
    qtbot.waitUntil(lambda: len(results) == 2)
    assert results == ["half", ["embedding", "prediction"]]


def test_failures_become_sentences(qtbot, opened):
    told = []
    opened.follower.ask("key", [], lambda job, _: 1 / 0, told.append, lambda text: told.append(text))
    qtbot.waitUntil(lambda: told != [])
    assert "ZeroDivisionError" in told[0]


def test_missing_snapshot_file_is_told(qtbot, context, digits_run):
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(digits_run)
    shutil.rmtree(digits_run / "snapshots")
    told = []
    context.follower.ask("key", [context.state.snapshot_at("filters")], None, told.append, told.append)
    qtbot.waitUntil(lambda: told != [])
    assert "is missing" in told[0]


def test_deleted_run_is_told_and_stays_on_screen(qtbot, context, write_run, tmp_path):
    run = write_run(tmp_path, steps=(10,), close=False)
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(run.folder)
    with qtbot.waitSignal(context.follower.message) as told:
        run.folder.rename(tmp_path / "elsewhere")
    assert "moved or deleted" in told.args[0]
    assert context.state.steps() == [10]
    told_again = []
    context.follower.message.connect(told_again.append)
    run.close()
    with qtbot.waitSignal(context.follower.returned) as returned:
        (tmp_path / "elsewhere").rename(run.folder)
    assert "can be read again" in returned.args[0]
    assert told_again == []
    with RunWriter(run.folder) as later:
        later.scalars(11, {"train/loss": 0.5})
        later.flush()
        qtbot.waitUntil(lambda: context.state.series["train/loss"].step[-1] == 11)
    assert context.state.steps() == [10]


def test_another_run_in_the_place_of_a_deleted_one_is_not_mixed_with_it(qtbot, context, write_run, tmp_path):
    folder = write_run(tmp_path, steps=(10,))
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(folder)
    with qtbot.waitSignal(context.follower.message):
        shutil.rmtree(folder)
    with qtbot.waitSignal(context.follower.message) as told:
        RunWriter.create(tmp_path, folder.name, {"run": {"created": "2027-02-02"}}).close("finished")
    assert "is another run now" in told.args[0]
    assert context.state.steps() == [10]


def test_a_folder_that_may_not_be_looked_into_is_not_called_deleted(tmp_path, monkeypatch):
    def refuse(self, **_given):
        raise PermissionError(13, "Permission denied", str(self))

    assert "moved or deleted" in _why_gone(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(type(tmp_path), "stat", refuse)
        told = _why_gone(tmp_path)
    assert "cannot be read any more (Permission denied)" in told


@pytest.mark.parametrize("content", [None, b"", b"not a database" * 100])
def test_what_is_no_run_is_told(qtbot, context, tmp_path, content):
    if content is not None:
        (tmp_path / "run.db").write_bytes(content)
    with qtbot.waitSignal(context.follower.message) as told:
        context.follower.open(tmp_path)
    assert str(tmp_path) in told.args[0]
    assert context.state.path is None


def test_commands_reach_the_run(qtbot, context, write_run, tmp_path):
    run = write_run(tmp_path, steps=(10,), close=False)
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(run.folder)
    context.follower.send("set-learning-rate", 0.5)
    found = []
    qtbot.waitUntil(lambda: bool(found.extend(run.commands()) or found))
    assert (found[0].name, found[0].argument) == ("set-learning-rate", 0.5)
    run.close()


@pytest.mark.parametrize("then", ["close the window", "open another run"])
def test_what_was_to_be_written_is_written_whatever_comes_next(qtbot, context, write_run, tmp_path, then):
    run = write_run(tmp_path, steps=(10,), close=False)
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(run.folder)
    free = threading.Event()
    context.follower.do(free.wait, lambda _: None)  # the others have to wait for it
    context.follower.send("stop")
    context.follower.do(lambda: (tmp_path / "notes").write_text("kept"), lambda _: None)
    if then == "close the window":
        threading.Timer(0.2, free.set).start()
        context.follower.close()
    else:
        context.follower.open(None)
        free.set()
        qtbot.waitUntil(lambda: not context.follower.is_busy)
    assert (tmp_path / "notes").read_text() == "kept"
    assert [command.name for command in run.commands()] == ["stop"]
    run.close()


def test_cache_keeps_the_latest_within_its_limit(digits_run_once):
    with RunReader(digits_run_once) as run:
        infos = run.snapshots(kind="embedding", layer="encoder")
    size = 300 * 16 * 4
    cache = SnapshotCache(limit=2 * size)
    first = cache.load(digits_run_once, infos[0])
    cache.load(digits_run_once, infos[1])
    assert cache.load(digits_run_once, infos[0]) is first
    cache.load(digits_run_once, infos[2])
    assert (len(cache), cache.nbytes) == (2, 2 * size)
    assert cache.load(digits_run_once, infos[0]) is first
    cache.clear()
    assert (len(cache), cache.nbytes) == (0, 0)
