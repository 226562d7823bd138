from __future__ import annotations

import threading

import pytest

from mmgraph.errors import InputError, UsageError
from mmgraph.whole_file import whole_file


def test_a_file_takes_its_name_when_it_is_complete(tmp_path):
    path = tmp_path / "a.txt"
    with whole_file(path) as part:
        part.write_text("whole")
        assert not path.exists()
        assert (part.parent, part.name[0], part.suffix) == (tmp_path, ".", ".part")
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("end", [InputError, KeyboardInterrupt, GeneratorExit])
def test_what_ends_half_way_leaves_what_was_there(tmp_path, end):
    path = tmp_path / "a.txt"
    path.write_text("before")

    def stop_half_way():
        with whole_file(path, UsageError) as part:
            part.write_text("half")
            raise end

    with pytest.raises(end):
        stop_half_way()
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "before"


def test_a_body_that_writes_nothing_is_refused_and_so_is_a_folder_in_the_place(tmp_path):
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "a"):
        pass
    (tmp_path / "b" / "full").mkdir(parents=True)
    with (
        pytest.raises(UsageError, match=r"'.*b' could not be written: "),
        whole_file(tmp_path / "b", UsageError) as part,
    ):
        part.write_text("")
    assert [one.name for one in tmp_path.iterdir()] == ["b"]


def test_what_cannot_be_written_is_refused_in_the_words_that_were_asked_for(tmp_path):
    path = tmp_path / "no" / "such"
    with (
        pytest.raises(InputError, match=f"'{path}' could not be written: No such file or directory."),
        whole_file(path, InputError) as part,
    ):
        part.write_text("")
    with pytest.raises(FileNotFoundError), whole_file(path) as part:
        part.write_text("")


def test_threads_that_write_the_same_file_do_not_meet(tmp_path):
    path, both, seen = tmp_path / "a", threading.Barrier(2), []

    def write(text: str) -> None:
        with whole_file(path) as part:
            part.write_text(text)
            both.wait()
            seen.append(part)

    threads = [threading.Thread(target=write, args=(text * 9,)) for text in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == 2
    assert path.read_text() in ("a" * 9, "b" * 9)
    assert list(tmp_path.iterdir()) == [path]
