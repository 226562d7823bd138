"""Run folders as a whole, whole or not."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from mmgraph.errors import ConfigError, NotARunError, RunDamagedError, RunError, RunSchemaError
from mmgraph.runs import (
    SCHEMA_VERSION,
    RunReader,
    RunWriter,
    delete_run,
    find_runs,
    is_run,
    new_run_name,
    read_config,
    runs_root,
    send_command,
)
from mmgraph.runs.folder import create_folder


def test_runs_of_one_name_are_numbered(tmp_path):
    names = [create_folder(tmp_path / "deep" / "runs", "run", {}).name for _ in range(3)]
    assert names == ["run", "run-2", "run-3"]
    assert sorted(path.name for path in (tmp_path / "deep" / "runs").iterdir()) == names


def test_the_configuration_comes_back_without_what_is_none(tmp_path):
    config = {
        "run": {"recipe": "x", "title": "Ä 大", "git": None},
        "options": {"rate": 0.1, "layers": (1, 2), "path": Path("a/b"), "nan": float("inf"), "on": True},
    }
    folder = create_folder(tmp_path, "run", config)
    assert read_config(folder) == {
        "run": {"recipe": "x", "title": "Ä 大"},
        "options": {"rate": 0.1, "layers": [1, 2], "path": "a/b", "nan": float("inf"), "on": True},
    }


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "../a", "/etc", "a\\b", "a\0b"])
def test_a_name_that_is_no_folder_name_is_refused(tmp_path, name):
    with pytest.raises(ConfigError, match="name of one folder"):
        create_folder(tmp_path / "runs", name, {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("config", [{"a": object()}, {"a": "\udcff"}])
def test_a_configuration_that_toml_cannot_hold_is_refused(tmp_path, config):
    with pytest.raises(ConfigError, match="must fit into TOML"):
        create_folder(tmp_path / "runs", "run", config)
    assert list(tmp_path.iterdir()) == []


def test_a_root_that_is_a_file_is_a_sentence(tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(RunError, match="could not be written"):
        create_folder(tmp_path / "runs", "run", {})


def test_the_root_is_the_one_given_then_the_environment_then_here(monkeypatch):
    monkeypatch.setenv("MMGRAPH_RUNS", "/elsewhere")
    assert runs_root("given") == Path("given")
    assert runs_root() == Path("/elsewhere")
    monkeypatch.delenv("MMGRAPH_RUNS")
    assert runs_root() == Path("runs")


def test_a_name_says_what_and_when():
    assert new_run_name("digits-graph").startswith("digits-graph-20")


def test_runs_are_found_newest_first(tmp_path):
    assert find_runs(tmp_path / "missing") == []
    assert find_runs(tmp_path) == []
    folders = [create_folder(tmp_path, name, {}) for name in ("b", "a", "c")]
    for age, folder in enumerate(folders):
        os.utime(folder / "config.toml", (1000 - age, 1000 - age))
    (tmp_path / "notes").mkdir()
    (tmp_path / "file").touch()
    shutil.copytree(folders[0], tmp_path / ".hidden")
    (folders[2] / "config.toml").unlink()
    assert find_runs(tmp_path) == folders
    assert [is_run(path) for path in (folders[0], tmp_path, tmp_path / "file" / "x")] == [True, False, False]


def version(folder: Path, text: str) -> None:
    with sqlite3.connect(folder / "run.db") as connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (text,))
    connection.close()


@pytest.mark.parametrize("text", [str(SCHEMA_VERSION + 1), "99", "two", "-1", ""])
def test_a_run_of_a_newer_mmgraph_is_refused(tmp_path, text):
    folder = create_folder(tmp_path, "run", {})
    version(folder, text)
    for call in (RunReader, RunWriter, lambda folder: send_command(folder, "stop")):
        with pytest.raises(RunSchemaError, match=f"reads up to {SCHEMA_VERSION}. Update mmgraph"):
            call(folder)
    delete_run(folder)
    assert not folder.exists()


def test_a_run_without_a_version_is_refused(tmp_path):
    folder = create_folder(tmp_path, "run", {})
    with sqlite3.connect(folder / "run.db") as connection:
        connection.execute("DELETE FROM meta")
    connection.close()
    with pytest.raises(RunSchemaError, match="schema unknown"):
        RunReader(folder)


def foreign(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE precious (data TEXT)")
    connection.close()


@pytest.mark.parametrize("sort", ["missing", "empty", "config only", "foreign database", "empty database"])
def test_what_is_no_run_is_refused_and_never_deleted(tmp_path, sort):
    folder = tmp_path / "folder"
    if sort != "missing":
        folder.mkdir()
    if sort == "config only":
        (folder / "config.toml").write_text("")
    if sort == "foreign database":
        foreign(folder / "run.db")
    if sort == "empty database":
        (folder / "run.db").touch()
    before = sorted(folder.rglob("*"))
    for call in (RunReader, RunWriter, lambda path: send_command(path, "stop"), delete_run):
        with pytest.raises(NotARunError, match=r"not a run folder|not of an mmgraph run|holds no run\.db"):
            call(folder)
    assert sorted(path for path in folder.rglob("*") if path.name != "writer.lock") == before


@pytest.mark.parametrize("sort", ["garbage", "truncated"])
def test_a_damaged_database_is_a_sentence(tmp_path, sort):
    with RunWriter.create(tmp_path, "run", {}) as run:
        for step in range(2000):
            run.scalars(step, {"a": step})
    path = run.folder / "run.db"
    whole = path.read_bytes()
    path.write_bytes(
        b"not a database" * 1000 if sort == "garbage" else whole[: len(whole) // 2 // 4096 * 4096]
    )
    with pytest.raises(RunDamagedError, match=r"run\.db"), RunReader(run.folder) as reader:
        reader.poll()
    if sort == "garbage":
        for call in (RunWriter, lambda folder: send_command(folder, "stop")):
            with pytest.raises(RunDamagedError, match="is damaged"):
                call(run.folder)
        delete_run(run.folder)  # its config.toml shows that it was one
        assert not run.folder.exists()


def test_a_damaged_database_without_a_configuration_is_not_deleted(tmp_path):
    (tmp_path / "run.db").write_bytes(b"somebody's own" * 100)
    with pytest.raises(RunDamagedError):
        delete_run(tmp_path)
    assert (tmp_path / "run.db").is_file()


@pytest.mark.parametrize("content", [None, b"a = ", b"\xff\xfe", b"[run\n"])
def test_a_configuration_that_cannot_be_read_is_a_sentence(tmp_path, content):
    folder = create_folder(tmp_path, "run", {})
    if content is None:
        (folder / "config.toml").unlink()
    else:
        (folder / "config.toml").write_bytes(content)
    with pytest.raises(RunDamagedError, match=r"config\.toml' could not be read"):
        RunReader(folder)
    (folder / "config.toml").write_text("")
    RunReader(folder).close()


def test_a_folder_that_cannot_be_made_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("mmgraph.runs.schema.TABLES", "CREATE TABLE meta (x); CREATE TABLE meta (x);")
    with pytest.raises(RunError, match="already exists"):
        create_folder(tmp_path, "run", {})
    assert list(tmp_path.iterdir()) == []
