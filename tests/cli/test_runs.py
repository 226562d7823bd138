from __future__ import annotations

import json

import pytest

from mmgraph.runs import RunNotes, RunWriter, read_notes


@pytest.fixture
def folder(tmp_path):
    run = RunWriter.create(tmp_path, "run", {})
    run.close("finished")
    return run.folder


def test_tags_are_given_taken_away_and_listed(mmgraph, folder):
    assert "no tags" in mmgraph("runs", "tag", folder).out
    assert mmgraph("runs", "tag", folder, "baseline", "two words").out == "baseline, two words\n"
    assert mmgraph("runs", "tag", folder, "new", "-r", "baseline").out == "two words, new\n"
    assert read_notes(folder).tags == ("two words", "new")
    assert mmgraph("runs", "tag", folder, "a,b").code == 2
    listed = json.loads(mmgraph("runs", "list", "--runs", folder.parent, "--tag", "new", "--json").out)[
        "runs"
    ]
    assert [run["name"] for run in listed] == ["run"]
    assert "No run" in mmgraph("runs", "list", "--runs", folder.parent, "--tag", "baseline").out


def test_notes_are_written_added_to_and_shown(mmgraph, folder):
    assert "no notes" in mmgraph("runs", "note", folder).out
    mmgraph("runs", "note", folder, "first 🦊")
    mmgraph("runs", "note", folder, "second", "--append")
    assert mmgraph("runs", "note", folder).out == "first 🦊\nsecond\n"
    mmgraph("runs", "tag", folder, "x")
    assert read_notes(folder) == RunNotes(("x",), "first 🦊\nsecond")
    shown = mmgraph("runs", "show", folder).out
    assert "tags: x" in shown
    assert "second" in shown
    assert json.loads(mmgraph("runs", "show", folder, "--json").out)["tags"] == ["x"]
    mmgraph("runs", "note", folder, "")
    assert read_notes(folder) == RunNotes(("x",))
