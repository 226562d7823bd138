from __future__ import annotations

import tomllib

import pytest

from mmgraph.errors import ConfigError, NotARunError
from mmgraph.runs import RunNotes, RunReader, RunWriter, read_notes, write_notes


@pytest.fixture
def folder(tmp_path):
    run = RunWriter.create(tmp_path, "run", {})
    run.close("finished")
    return run.folder


@pytest.mark.parametrize(
    "notes",
    [
        RunNotes(),
        RunNotes(("baseline",)),
        RunNotes(("a", "two words", "עברית", "🦊"), "first line\nsecond \"line\" \\ '''\n\n\tשלום 🦊"),
        RunNotes((), "text alone"),
    ],
)
def test_what_is_written_is_read(folder, notes):
    write_notes(folder, RunNotes(("before",), "before"))
    write_notes(folder, notes)
    assert read_notes(folder) == notes
    assert (folder / "notes.toml").exists() == (notes != RunNotes())
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_the_file_is_plain_toml_and_no_reader_minds_it(folder):
    write_notes(folder, RunNotes(("x", "x"), "y"))
    assert tomllib.loads((folder / "notes.toml").read_text()) == {"tags": ["x"], "notes": "y"}
    with RunReader(folder) as run:
        assert run.status().state == "finished"


def test_a_run_that_is_being_written_can_be_noted(tmp_path):
    with RunWriter.create(tmp_path, "live", {}) as run:
        write_notes(run.folder, RunNotes(("live",)))
        assert read_notes(run.folder).tags == ("live",)


@pytest.mark.parametrize("tag", ["", "  ", "a,b", "a\nb", "a" * 61])
def test_bad_tags_are_refused_and_change_nothing(folder, tag):
    write_notes(folder, RunNotes(("good",)))
    with pytest.raises(ConfigError, match="A tag is"):
        write_notes(folder, RunNotes((tag,)))
    assert read_notes(folder).tags == ("good",)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"tags = 3\nnotes = [1]", b"tags =", b'notes = "x"\ntags = [1, 1, "1"]']
)
def test_a_file_of_somebody_else_is_never_an_error(folder, content):
    (folder / "notes.toml").write_bytes(content)
    assert isinstance(read_notes(folder), RunNotes)


def test_what_is_no_run_has_no_notes(tmp_path):
    assert read_notes(tmp_path) == RunNotes()
    with pytest.raises(NotARunError):
        write_notes(tmp_path, RunNotes(("a",)))
    assert list(tmp_path.iterdir()) == []
