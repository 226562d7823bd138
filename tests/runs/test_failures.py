"""Killed processes, full disks, read-only folders: what was recorded is kept, and one sentence says why."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mmgraph.errors import RunBusyError, RunError, RunReadOnlyError
from mmgraph.runs import (
    ItemSet,
    RunReader,
    RunWriter,
    Snapshot,
    delete_run,
    queue,
    send_command,
    writer,
)

RECORDER = """
    import sys
    import numpy as np
    from mmgraph.runs import RunWriter, Snapshot
    run = RunWriter.create(sys.argv[1], "run", {"run": {"recipe": "killed"}})
    step = 0
    while True:
        step += 1
        run.scalars(step, {"loss": 1 / step})
        run.snapshots(step, [Snapshot("embedding", "fc", np.full((200, 50), step, np.float32))])
        if step % 7 == 0:
            run.flush()
            print(step, flush=True)
"""


@pytest.mark.parametrize("seed", range(4))
def test_a_killed_process_leaves_all_it_had_flushed(tmp_path, seed):
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(RECORDER), str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    flushed = 0
    with process:
        for _ in range(random.Random(seed).randrange(1, 12)):
            flushed = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        # What it said between the last line read and its death counts too.
        flushed = max([flushed, *map(int, process.stdout.read().split("\n")[:-1])])
    folder = tmp_path / "run"
    copy = shutil.copytree(folder, tmp_path / "copy")  # with the log, but where nobody has memory of it
    for place in (folder, copy):
        with RunReader(place) as reader:
            loss = reader.series("loss")
            assert len(loss) >= flushed
            assert loss.value.tolist() == [1 / step for step in range(1, len(loss) + 1)]
            assert reader.status().state == "interrupted"
            infos = reader.snapshots()
            assert [info.step for info in infos] == list(range(1, len(infos) + 1))
            assert len(infos) >= flushed
            for info in infos:
                assert (reader.load(info).array == info.step).all()
    with RunWriter(folder) as again:  # the lock died with the process, leftovers go
        again.scalars(len(loss) + 1, {"loss": 0.0})
    assert not list(folder.rglob(".*.part"))
    with RunReader(folder) as reader:
        assert len(reader.series("loss")) == len(loss) + 1


def test_a_file_is_in_place_before_it_is_listed(new_run, monkeypatch):
    run = new_run()
    seen = []
    index = queue.Tables.index

    def look(self, capture, name):
        seen.append((run.folder / "snapshots" / name).is_file())
        with RunReader(run.folder) as reader:
            seen.append(reader.snapshots())
        index(self, capture, name)

    monkeypatch.setattr(queue.Tables, "index", look)
    run.snapshots(1, [Snapshot("embedding", "fc", np.ones((1, 1)))], wait=True)
    assert seen == [True, []]


def test_a_full_disk_stops_snapshots_with_a_sentence_and_keeps_the_rest(new_run, monkeypatch):
    run = new_run()
    run.scalars(1, {"a": 1.0})
    run.snapshots(1, [Snapshot("embedding", "fc", np.ones((1, 1)))], wait=True)

    def full(self, data):
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    run.scalars(2, {"a": 2.0})
    with pytest.raises(RunError, match=r"disk that holds .* is full .* What was recorded before is kept"):
        run.snapshots(2, [Snapshot("embedding", "fc", np.ones((1, 1)))], wait=True)
    for call in (run.flush, run.commands, lambda: run.scalars(3, {"a": 3.0}), lambda: run.status(step=3)):
        with pytest.raises(RunError, match="is full"):
            call()
    with pytest.raises(RunError, match="is full"):
        run.close()
    run.close()
    monkeypatch.undo()
    with RunReader(run.folder) as reader:
        assert reader.series("a").value.tolist() == [1.0, 2.0]
        assert [info.step for info in reader.snapshots()] == [1]
        assert (reader.status().state, "is full" in reader.status().message) == ("failed", True)
        assert [event.kind for event in reader.poll().events] == ["failed"]
    with RunWriter(run.folder) as again:
        again.scalars(3, {"a": 3.0})


def test_a_full_disk_stops_numbers_with_a_sentence_and_keeps_the_rest(new_run, monkeypatch):
    def small(connection, folder):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 8}")

    monkeypatch.setattr(writer, "make_durable", small)
    run = new_run()
    run.scalars(0, {"a": 0.0})
    run.flush()

    def record() -> None:
        for step in range(1, 100_000):
            run.scalars(step, {"a": step})
            if step % 100 == 0:
                run.flush()

    with pytest.raises(RunError, match=r"is full \(database or disk is full\)"):
        record()
    with pytest.raises(RunError, match="is full"):
        run.close()
    with RunReader(run.folder) as reader:
        kept = reader.series("a")
        assert len(kept) >= 100
        assert kept.value.tolist() == list(range(len(kept)))


def test_a_full_disk_while_items_are_written(new_run, monkeypatch):
    run = new_run()
    run.items(ItemSet(texts=("old",)))

    def full(data, path):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(RunError, match="is full"):
            run.items(ItemSet(texts=("new",)))
    with RunReader(run.folder) as reader:
        assert reader.items().texts == ("old",)
    assert not list(run.folder.rglob(".*.part"))


def test_whoever_waits_is_told_when_the_thread_fails(new_run, monkeypatch):
    run = new_run()
    waiting = threading.Event()

    def failing(*arguments):
        waiting.wait()
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(queue, "write_snapshots", failing)
    run.snapshots(1, [Snapshot("embedding", "fc", np.ones((1, 1)))])
    told = []

    def flush() -> None:
        with pytest.raises(RunError, match="Input/output error") as caught:
            run.flush()
        told.append(caught.value)

    threads = [threading.Thread(target=flush) for _ in range(3)]
    for thread in threads:
        thread.start()
    waiting.set()
    for thread in threads:
        thread.join()
    assert len(told) == 3
    with pytest.raises(RunError):
        run.close()


def test_a_failure_at_the_end_of_a_program_is_a_sentence_not_a_traceback(tmp_path):
    code = f"""
        import errno, pathlib
        import numpy as np
        from mmgraph.runs import RunWriter, Snapshot
        run = RunWriter.create({str(tmp_path)!r}, "run", {{}})
        def full(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")
        pathlib.Path.write_bytes = full
        run.snapshots(1, [Snapshot("embedding", "fc", np.ones((1, 1)))])
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert result.stderr.startswith("mmgraph: The disk that holds ")
    assert result.stderr.count("\n") == 1


def test_somebody_who_locks_the_database_delays_but_does_not_stop_a_run(new_run, monkeypatch):
    run = new_run()
    busy = threading.Event()
    write = queue.Tables.write

    def impatient(self, batch):
        self._connection.execute("PRAGMA busy_timeout = 1")
        try:
            write(self, batch)
        except sqlite3.OperationalError:
            busy.set()
            raise

    monkeypatch.setattr(queue.Tables, "write", impatient)
    other = sqlite3.connect(run.folder / "run.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    run.scalars(1, {"a": 1.0})
    command = run.commands()
    busy.wait()
    other.execute("COMMIT")
    other.close()
    run.scalars(2, {"a": 2.0})
    run.close()
    with RunReader(run.folder) as reader:
        assert reader.series("a").value.tolist() == [1.0, 2.0]
    assert command == []


def test_closing_does_not_wait_for_a_lock_for_ever(new_run, monkeypatch):
    run = new_run()
    monkeypatch.setattr(queue, "FLUSH_SECONDS", 3600)
    run.flush()
    run._queue._tables._connection.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(run.folder / "run.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RunError, match="database is locked"):
        run.close()
    other.close()


# -- folders that cannot be written -------------------------------------------------------------------------


@contextlib.contextmanager
def nobody() -> Iterator[None]:
    """Permissions stop root from nothing, so tests that run as root put on another user."""
    if os.name != "posix":
        pytest.skip("needs POSIX permissions")
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user may look into, unlike those that pytest makes."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)
    shutil.rmtree(folder)


def lock_away(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o555 if path.is_dir() else 0o444)


def test_a_read_only_root_holds_no_new_run(public):
    public.chmod(0o555)
    with nobody(), pytest.raises(RunReadOnlyError, match=r"cannot be written to .*--runs"):
        RunWriter.create(public, "run", {})
    assert list(public.iterdir()) == []


@pytest.mark.parametrize("ended", ["closed", "killed", "killed without its log"])
def test_a_read_only_run_is_read_but_not_written(public, ended):
    run = RunWriter.create(public, "run", {})
    run.scalars(1, {"a": 1.0})
    run.snapshots(1, [Snapshot("embedding", "fc", np.ones((1, 1)))], wait=True)
    folder = run.folder
    if ended == "closed":
        run.close()
    else:
        folder = shutil.copytree(folder, public / "copy", ignore=shutil.ignore_patterns("*-shm"))
        run.close()
    if ended == "killed without its log":
        connection = sqlite3.connect(folder / "run.db", isolation_level=None)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.close()
    lock_away(folder)
    with nobody():
        with RunReader(folder) as reader:
            assert reader.series("a").value.tolist() == [1.0]
            assert reader.load(reader.snapshots()[0]).array.tolist() == [[1.0]]
            assert not reader.poll().is_empty
            assert reader.status().step == 0
        for call in (
            lambda: RunWriter(folder),
            lambda: send_command(folder, "stop"),
            lambda: delete_run(folder),
        ):
            with pytest.raises(RunReadOnlyError, match="cannot be written to"):
                call()
        with RunReader(folder) as reader:
            assert len(reader.series("a")) == 1


def test_a_run_is_deleted_but_not_while_it_is_written(new_run):
    run = new_run()
    with pytest.raises(RunBusyError):
        delete_run(run.folder)
    run.scalars(1, {"a": 1.0})
    run.close()
    delete_run(run.folder)
    assert not run.folder.exists()
