"""Reading where SQLite cannot share memory with the writer."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from mmgraph.errors import RunDamagedError, RunError
from mmgraph.runs import RunReader, RunWriter, connection
from mmgraph.runs.folder import create_folder

MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:26 / {0}/net rw,relatime - {1} server:/export rw
31 30 0:27 / {0}/net/local\\040disk rw - tmpfs tmpfs rw
32 22 0:28 / {0}/network rw - xfs /dev/vdb rw
"""


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "9p", "virtiofs"])
def test_network_file_systems_are_recognised(tmp_path, monkeypatch, kind):
    table = tmp_path / "mountinfo"
    table.write_text(MOUNTS.format(tmp_path, kind))
    monkeypatch.setattr(connection, "_MOUNTS", table)
    expected = {"net": False, "net/runs/a": False, "net/local disk/a": True, "network": True, "other": True}
    assert {name: connection.is_on_this_machine(tmp_path / name) for name in expected} == expected


def test_where_mounts_are_not_known_the_file_system_counts_as_local(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "_MOUNTS", tmp_path / "missing")
    assert connection.is_on_this_machine(tmp_path)


def test_on_a_network_file_system_no_log_in_shared_memory_is_used(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "is_on_this_machine", lambda folder: False)
    with RunWriter.create(tmp_path, "run", {}) as run, RunReader(run.folder) as reader:
        run.scalars(1, {"a": 1.0})
        run.flush()
        assert reader.series("a").value.tolist() == [1.0]
        assert not (run.folder / "run.db-wal").exists()
        assert not (run.folder / "run.db-shm").exists()


def test_a_log_of_another_machine_is_followed_by_copies(new_run, monkeypatch):
    run = new_run()
    run.scalars(1, {"a": 1.0})
    run.flush()
    monkeypatch.setattr(connection, "is_on_this_machine", lambda folder: False)
    with RunReader(run.folder) as reader:
        (shared,) = run.folder.glob("run.db-shm")
        before = shared.read_bytes()
        first = reader.poll()
        assert first.scalars["a"].value.tolist() == [1.0]
        assert reader.poll(first.cursor).scalars == {}
        run.scalars(2, {"a": 2.0})
        run.flush()
        second = reader.poll(first.cursor)
        assert second.scalars["a"].value.tolist() == [2.0]
        assert reader.status().is_live
        run.close()
        assert reader.status().state == "finished"
        assert reader.series("a").value.tolist() == [1.0, 2.0]
    assert before  # it was there to be used


def test_a_copy_taken_while_the_log_begins_anew_is_taken_again(new_run, monkeypatch):
    run = new_run()
    run.scalars(1, {"a": 1.0})
    run.flush()
    copies = []
    copyfile = shutil.copyfile

    def meddling(source, target):
        copies.append(source)
        copyfile(source, target)
        if len(copies) == 1:  # the log is emptied and written from its start
            with sqlite3.connect(run.folder / "run.db", isolation_level=None) as other:
                other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                other.execute("UPDATE scalar_rows SET value = 5")
            other.close()

    monkeypatch.setattr(connection, "is_on_this_machine", lambda folder: False)
    monkeypatch.setattr(connection.shutil, "copyfile", meddling)
    with RunReader(run.folder) as reader:
        assert reader.series("a").value.tolist() == [5.0]
    assert len(copies) > 3


def test_a_file_that_never_keeps_still_is_a_sentence(tmp_path, monkeypatch):
    run = RunWriter.create(tmp_path, "run", {})
    generation = iter(range(100))
    monkeypatch.setattr(connection, "is_on_this_machine", lambda folder: False)
    monkeypatch.setattr(connection, "_log_generation", lambda path: next(generation))
    with pytest.raises(RunError, match="changed whenever it was copied"):
        RunReader(run.folder)
    run.close()


def test_a_damaged_file_behind_a_copy_is_a_sentence(tmp_path, monkeypatch):
    folder = create_folder(tmp_path, "run", {})
    content = bytearray((folder / "run.db").read_bytes())
    content[18:20] = b"\x02\x02"
    content[20:200] = b"\xff" * 180
    (folder / "run.db").write_bytes(content)
    monkeypatch.setattr(connection, "is_on_this_machine", lambda folder: False)
    with pytest.raises(RunDamagedError, match=r"run\.db"):
        RunReader(folder)


def test_no_copies_are_left_behind(new_run, monkeypatch, tmp_path):
    scratch = Path(tmp_path, "scratch")
    scratch.mkdir()
    monkeypatch.setattr(connection.tempfile, "tempdir", str(scratch))
    monkeypatch.setattr(connection, "is_on_this_machine", lambda folder: False)
    run = new_run()
    with sqlite3.connect(run.folder / "run.db") as other:
        other.execute("PRAGMA journal_mode = WAL")
    other.close()
    with RunReader(run.folder) as reader:
        reader.poll()
    assert list(scratch.iterdir()) == []


def test_a_run_that_is_deleted_while_it_is_opened_is_no_run(tmp_path, monkeypatch):
    run = RunWriter.create(tmp_path, "run", {})
    run.close("finished")
    connect = sqlite3.connect

    def deleted(*arguments, **options):
        shutil.rmtree(run.folder, ignore_errors=True)
        return connect(*arguments, **options)

    monkeypatch.setattr(sqlite3, "connect", deleted)
    with pytest.raises(RunError):
        RunReader(run.folder)
