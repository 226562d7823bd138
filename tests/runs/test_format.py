"""docs/run-folder.md is true: its snippets run, and it names every table, column and kind."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
from pathlib import Path

import numpy as np
import pytest

from mmgraph.runs import COMMANDS, KIND_AXES, SCHEMA_VERSION, RunReader, Snapshot
from mmgraph.runs.schema import FINAL_STATES, LEVELS, RUNNING_STATES

PAGE = (Path(__file__).parents[2] / "docs" / "run-folder.md").read_text(encoding="utf-8")


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def folder(new_run, monkeypatch):
    run = new_run("my-run")
    for step in (1, 2):
        run.scalars(step, {"train/loss": float("nan") if step == 1 else 0.5, "validation/accuracy": step / 4})
    run.snapshots(2, [Snapshot("embedding", "fc", np.arange(6, dtype=np.float32).reshape(3, 2))], wait=True)
    monkeypatch.chdir(run.folder.parent)
    return run.folder


@pytest.mark.parametrize("snippet", snippets("python"))
def test_python_snippets_run(folder, snippet):
    names: dict[str, object] = {}
    exec(snippet, names)  # noqa: S102 (our own page)
    assert np.array_equal(names["vectors"], np.arange(6).reshape(3, 2))
    if "loss" in names:
        np.testing.assert_array_equal(names["loss"], [[1, np.nan], [2, 0.5]])
        names["run"].close()
    else:
        assert names["accuracy"].tolist() == [0.25, 0.5]


def test_there_are_snippets():
    assert len(snippets("python")) == 2
    assert len(snippets("sql")) == 1


def test_the_sqlite3_line_runs(folder):
    if shutil.which("sqlite3") is None:
        pytest.skip("the sqlite3 command is not installed")
    (line,) = [line for line in PAGE.splitlines() if line.startswith("sqlite3 ")]
    result = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["1|0.25", "2|0.5"]


def test_the_rule_of_sessions_is_that_of_the_views(folder):
    connection = sqlite3.connect(folder / "run.db")
    views = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'view'").fetchall()
    connection.close()
    assert len(views) == 2
    rule = re.sub(r"\s+", " ", snippets("sql")[0].strip())
    for (sql,) in views:
        plain = re.sub(r"\s+", " ", sql).replace("sessions s", "sessions later")
        plain = plain.replace("s.id > r.session", "later.id > s").replace(
            "s.start_step < r.step", "later.start_step < t"
        )
        assert rule in plain


def test_every_table_column_kind_state_and_command_is_named(folder):
    connection = sqlite3.connect(folder / "run.db")
    named = set(re.findall(r"`([A-Za-z_-]+)`", PAGE))
    for (table,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
    ).fetchall():
        assert table in named or f"### {table} (view)" in PAGE
        columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        assert columns <= named, f"columns of {table}"
    connection.close()
    assert {*KIND_AXES, *COMMANDS, *LEVELS, *RUNNING_STATES, *FINAL_STATES} <= named
    for choices in KIND_AXES.values():
        assert all(f"({', '.join(axes)})" in PAGE for axes in choices)
    assert f"**schema version {SCHEMA_VERSION}**" in PAGE


def test_additions_do_not_disturb_this_reader(folder):
    connection = sqlite3.connect(folder / "run.db", isolation_level=None)
    connection.execute("ALTER TABLE status ADD COLUMN colour TEXT")
    connection.execute("ALTER TABLE events ADD COLUMN colour TEXT")
    connection.execute("ALTER TABLE snapshot_rows ADD COLUMN colour TEXT DEFAULT 'red'")
    connection.execute("CREATE TABLE further (x)")
    connection.close()
    with RunReader(folder) as reader:
        update = reader.poll()
    assert len(update.snapshots) == 1
    assert len(update.scalars) == 2
