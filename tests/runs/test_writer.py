"""Recording and reading back."""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

from mmgraph.errors import InputError, NotARunError, RunBusyError, RunError, UnknownNameError
from mmgraph.runs import RunReader, RunWriter, Snapshot, send_command

VALUES = [0.5, -0.0, math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308, 3]


def writer_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("mmgraph-writer")]


def test_numbers_come_back_as_they_were(new_run):
    run = new_run()
    for step, value in enumerate(VALUES):
        run.scalars(step, {"x": value}, epoch=step / 4)
    run.close()
    with RunReader(run.folder) as reader:
        series = reader.series("x")
    np.testing.assert_array_equal(series.value, VALUES)
    assert series.step.tolist() == list(range(len(VALUES)))
    assert series.epoch.tolist() == [step / 4 for step in range(len(VALUES))]
    assert series.step.dtype == np.int64
    assert (np.diff(series.wall_time) >= 0).all()


def test_many_steps(new_run):
    run, steps = new_run(), 100_000
    expected = np.random.default_rng(0).normal(size=(steps, 2))
    for step, (a, b) in enumerate(expected.tolist()):
        run.scalars(step, {"a": a, "b": b})
    run.close()
    with RunReader(run.folder) as reader:
        scalars = reader.poll().scalars
    assert np.array_equal(scalars["a"].value, expected[:, 0])
    assert np.array_equal(scalars["b"].value, expected[:, 1])
    assert np.array_equal(scalars["b"].step, np.arange(steps))


def test_numbers_of_other_kinds_become_floats(new_run):
    run = new_run()
    run.scalars(np.int64(7), {"a": np.float32(0.5), "b": np.array(2), "c": True}, epoch=np.float32(1.5))
    run.close()
    with RunReader(run.folder) as reader:
        assert reader.series("a").value.tolist() == [0.5]
        assert reader.series("b").step.tolist() == [7]
        assert reader.series("c").epoch.tolist() == [1.5]


@pytest.mark.parametrize(
    ("step", "values"),
    [
        (1.5, {"a": 1.0}),
        ("1", {"a": 1.0}),
        (-1, {"a": 1.0}),
        (2**53, {"a": 1.0}),
        (1, {"a": "0.5"}),
        (1, {"a": None}),
        (1, {"a": np.zeros(2)}),
        (1, {"a": 10**400}),
        (1, {3: 1.0}),
    ],
)
def test_what_is_no_number_is_refused_at_once_and_harms_nothing(new_run, step, values):
    run = new_run()
    run.scalars(0, {"a": 1.0})
    with pytest.raises(InputError):
        run.scalars(step, values)
    run.scalars(1, {"a": 2.0})
    run.close()
    with RunReader(run.folder) as reader:
        assert reader.series("a").value.tolist() == [1.0, 2.0]


def test_given_mappings_and_arrays_may_be_changed_afterwards(new_run):
    run = new_run()
    values, array = {"a": 1.0}, np.ones((2, 3), np.float32)
    rows = np.arange(2)
    run.scalars(1, values)
    run.status(metrics=values)
    run.snapshots(1, [Snapshot("embedding", "fc", array, extras={"rows": rows})])
    values["a"] = 9.0
    array[:] = 9
    rows[:] = 9
    run.close()
    with RunReader(run.folder) as reader:
        assert reader.series("a").value.tolist() == [1.0]
        assert reader.status().metrics == {"a": 1.0}
        loaded = reader.load(reader.snapshots()[0])
    assert (loaded.array == 1).all()
    assert loaded.extras["rows"].tolist() == [0, 1]


def test_events_come_back_with_every_sort_of_text(new_run):
    run = new_run()
    texts = ["", "Größe 大きさ 🙂 'quoted' \"\n\t", "half \udcff a name", "x" * 100_000]
    for text in texts:
        run.event(text, level="warning", kind="item", step=3)
    run.event("no step")
    run.close()
    with RunReader(run.folder) as reader:
        events = reader.poll().events
    assert [event.message for event in events] == [
        texts[0],
        texts[1],
        "half \\udcff a name",
        texts[3],
        "no step",
    ]
    assert {(event.level, event.kind, event.step) for event in events[:-1]} == {("warning", "item", 3)}
    assert events[-1].step is None


def test_an_unknown_level_is_refused(new_run):
    with pytest.raises(UnknownNameError, match=r"There is no level 'warn'\. Did you mean 'warning'\?"):
        new_run().event("x", level="warn")


def test_status_comes_back(new_run):
    run = new_run()
    run.status(step=5, epoch=0.5, total_steps=10, seconds=1.5, seconds_left=None, learning_rate=1e-3)
    run.status(metrics={"a": math.nan, "b": math.inf, "c": np.float32(0.5)}, steps_per_second=math.nan)
    run.flush()
    with RunReader(run.folder) as reader:
        status = reader.status()
        assert (status.state, status.is_live) == ("running", True)
        assert (status.step, status.epoch, status.total_steps, status.seconds) == (5, 0.5, 10, 1.5)
        assert status.seconds_left is None
        assert status.steps_per_second is None
        assert math.isnan(status.metrics["a"])
        assert (status.metrics["b"], status.metrics["c"]) == (math.inf, 0.5)
        assert (status.pid, status.learning_rate) == (os.getpid(), 1e-3)
        run.close("stopped", "asked to")
        assert (reader.status().state, reader.status().message) == ("stopped", "asked to")
        assert not reader.status().is_live


@pytest.mark.parametrize(
    "fields", [{"speed": 1}, {"state": "done"}, {"step": 1.5}, {"epoch": "one"}, {"metrics": {"a": "b"}}]
)
def test_a_wrong_status_is_refused(new_run, fields):
    with pytest.raises((UnknownNameError, InputError)):
        new_run().status(**fields)


def test_the_context_sets_the_final_state(tmp_path):
    for error, state in ((None, "finished"), (KeyboardInterrupt(), "stopped"), (OSError("no"), "failed")):
        run = RunWriter.create(tmp_path, "run", {})
        try:
            with run:
                if error is not None:
                    raise error
        except (KeyboardInterrupt, OSError):
            pass
        with RunReader(run.folder) as reader:
            assert reader.status().state == state
            assert reader.status().message == (str(error) if error else "")


def test_closing_ends_the_thread_and_lets_others_write(new_run):
    run = new_run()
    assert len(writer_threads()) == 1
    run.scalars(1, {"a": 1.0})
    run.close()
    run.close("failed")
    assert writer_threads() == []
    assert sorted(path.name for path in run.folder.iterdir()) == ["config.toml", "run.db", "writer.lock"]
    for call in (lambda: run.scalars(2, {"a": 1.0}), run.flush, run.commands, lambda: run.event("x")):
        with pytest.raises(RunError, match="is closed"):
            call()
    with RunReader(run.folder) as reader:
        assert reader.status().state == "finished"
    RunWriter(run.folder).close()


def test_a_second_writer_is_refused_and_the_first_goes_on(new_run):
    run = new_run()
    with pytest.raises(RunBusyError, match="Another process is writing the run"):
        RunWriter(run.folder)
    code = f"from mmgraph.runs import RunWriter; RunWriter({str(run.folder)!r})"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "RunBusyError" in other.stderr
    run.scalars(1, {"a": 1.0})
    run.close()
    with RunReader(run.folder) as reader:
        assert reader.series("a").value.tolist() == [1.0]


def test_threads_record_flush_and_close_at_once(new_run):
    run, count = new_run(), 200
    start = threading.Barrier(5)
    kept = [0] * 4

    def record(number: int) -> None:
        start.wait()
        for step in range(count):
            try:
                run.scalars(step, {f"t{number}": step})
                kept[number] = step + 1
                if step % 50 == 0:
                    run.flush()
                    run.snapshots(step, [Snapshot("embedding", f"t{number}", np.zeros((1, 1)))], wait=True)
            except RunError:
                return

    threads = [threading.Thread(target=record, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    start.wait()
    closers = [threading.Thread(target=run.close) for _ in range(2)]
    while not any(kept):
        run.flush()
    for thread in closers:
        thread.start()
    for thread in [*threads, *closers]:
        thread.join()
    with RunReader(run.folder) as reader:
        scalars = reader.poll().scalars
        for number, steps in enumerate(kept):
            # What a call took without an error is there.
            assert len(scalars.get(f"t{number}", ())) == steps
        for info in reader.snapshots():
            assert reader.load(info).array.shape == (1, 1)


def test_a_forked_child_cannot_record_and_leaves_its_parent_alone(tmp_path):
    code = f"""
        import os, sys
        from mmgraph.errors import RunError
        from mmgraph.runs import RunWriter, RunReader
        run = RunWriter.create({str(tmp_path)!r}, "forked", {{}})
        run.scalars(1, {{"a": 1.0}})
        if os.fork() == 0:
            try:
                run.scalars(2, {{"a": 2.0}})
            except RunError as error:
                run.close()
                os._exit(0 if "forked" in str(error) else 4)
            os._exit(3)
        status = os.wait()[1]
        run.scalars(3, {{"a": 3.0}})
        run.close()
        with RunReader(run.folder) as reader:
            print(os.waitstatus_to_exitcode(status), reader.series("a").value.tolist())
    """
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.stdout.strip(), result.stderr) == ("0 [1.0, 3.0]", "")


def test_a_program_that_forgets_to_close_loses_nothing(tmp_path):
    code = f"""
        from mmgraph.runs import RunWriter
        run = RunWriter.create({str(tmp_path)!r}, "left", {{}})
        run.scalars(1, {{"a": 1.0}})
        raise SystemExit(3)
    """
    result = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, check=False)
    assert (result.returncode, result.stderr) == (3, b"")
    with RunReader(tmp_path / "left") as reader:
        assert reader.series("a").value.tolist() == [1.0]
        assert reader.status().state == "interrupted"


def test_commands_reach_the_writer_and_are_answered_once(new_run):
    run = new_run()
    assert run.commands() == []
    number = send_command(run.folder, "set-learning-rate", 0.1)
    send_command(run.folder, "pause")
    first, second = run.commands()
    assert (first.id, first.name, first.argument, second.name) == (number, "set-learning-rate", 0.1, "pause")
    run.answer(first, "learning rate is 0.1", step=4)
    assert run.commands() == [second]
    run.flush()
    assert run.commands() == [second]
    run.close()
    with RunReader(run.folder) as reader:
        (event,) = reader.poll().events
    assert (event.kind, event.step, event.message) == (
        "command",
        4,
        "set-learning-rate: learning rate is 0.1",
    )
    again = RunWriter(run.folder)
    assert again.commands() == []  # "pause" was meant for the process that has ended
    again.close()


def test_a_folder_that_is_no_run_is_refused_and_left_as_it_is(tmp_path):
    with pytest.raises(NotARunError, match=r"holds no run\.db"):
        RunWriter(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_snapshots_are_dropped_and_counted_when_the_disk_is_behind(new_run, monkeypatch):
    from mmgraph.runs import queue

    run = new_run(queue_bytes=1000)
    released, started = threading.Event(), threading.Event()
    write = queue.write_snapshots

    def slow(*arguments):
        started.set()
        released.wait()
        write(*arguments)

    monkeypatch.setattr(queue, "write_snapshots", slow)
    vectors = np.zeros((10, 10), np.float64)
    assert run.snapshots(1, [Snapshot("embedding", "fc", vectors)])
    started.wait()
    assert run.snapshots(2, [])
    assert not run.snapshots(2, [Snapshot("embedding", "fc", vectors)])
    assert not run.snapshots(3, [Snapshot("embedding", "fc", vectors)])
    run.scalars(3, {"a": 1.0})
    waiting = threading.Thread(
        target=run.snapshots, args=(4, [Snapshot("embedding", "fc", vectors)]), kwargs={"wait": True}
    )
    waiting.start()
    released.set()
    waiting.join()
    run.close()
    with RunReader(run.folder) as reader:
        assert [info.step for info in reader.snapshots()] == [1, 4]
        assert reader.status().dropped == 2
        assert [event.step for event in reader.poll().events if event.kind == "dropped"] == [2, 3]
        assert len(reader.series("a")) == 1
    RunWriter(run.folder).close()
    with RunReader(run.folder) as reader:
        assert reader.status().dropped == 2  # a later session goes on counting


def test_one_capture_larger_than_the_queue_is_still_taken(new_run):
    run = new_run(queue_bytes=10)
    assert run.snapshots(1, [Snapshot("embedding", "fc", np.zeros((10, 10)))])


def test_a_layer_is_recorded_once_in_a_capture_but_any_number_of_times_at_a_step(new_run):
    run = new_run()
    one, two = (Snapshot("embedding", "fc", np.full((1, 1), value)) for value in (1.0, 2.0))
    with pytest.raises(InputError, match="'embedding/fc' is there twice"):
        run.snapshots(1, [one, two])
    run.snapshots(1, [one])
    run.snapshots(1, [two])
    run.close()
    with RunReader(run.folder) as reader:
        assert [float(reader.load(info).array[0, 0]) for info in reader.snapshots(step=1)] == [1.0, 2.0]


def test_runs_of_before_gpu_memory_was_recorded_are_read_and_resumed(new_run):
    run = new_run()
    run.status(step=3, device_memory=2**30)
    run.close()
    with RunReader(run.folder) as reader:
        assert reader.status().device_memory == 2**30
    with contextlib.closing(sqlite3.connect(run.folder / "run.db")) as connection, connection:
        connection.execute("ALTER TABLE status DROP COLUMN device_memory")
    with RunReader(run.folder) as reader:
        assert (reader.status().step, reader.status().device_memory) == (3, None)
    with RunWriter(run.folder) as again:
        again.status(step=4, device_memory=5)
    with RunReader(run.folder) as reader:
        assert (reader.status().step, reader.status().device_memory) == (4, 5)
