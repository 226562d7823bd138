from __future__ import annotations

import os
from pathlib import Path

import pytest

from mmgraph import datasets
from mmgraph.datasets.text_files import read_text
from mmgraph.errors import InputError


def test_the_sonnets_come_with_the_package() -> None:
    text = datasets.load("sonnets")
    assert text.name == "sonnets"
    poems = text.text.strip().split("\n\n")
    assert len(poems) > 20
    assert all(len(poem.splitlines()) == 14 for poem in poems)
    assert "Shall I compare thee to a summer's day?" in text.text


REAL = Path(os.environ.get("MMGRAPH_DATA", "").split(os.pathsep)[0])


@pytest.mark.data
@pytest.mark.skipif(
    not (REAL / "tinyshakespeare").is_dir(), reason="$MMGRAPH_DATA has no folder tinyshakespeare"
)
def test_tinyshakespeare(monkeypatch) -> None:
    monkeypatch.setenv("MMGRAPH_DATA", str(REAL))
    text = datasets.load("tinyshakespeare")
    assert len(text) == 1_115_394
    assert len(set(text.text)) == 65


def test_line_ends_and_byte_order_marks_of_every_system(tmp_path) -> None:
    path = tmp_path / "some.txt"
    path.write_bytes("\ufeffμῆνιν\r\nἄειδε\rθεά\n".encode())
    found = read_text(path)
    assert (found.name, found.text) == ("some", "μῆνιν\nἄειδε\nθεά\n")


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"", "is empty"), (b"abc\xff", "not a text in UTF-8"), (None, r"cannot be read \(No such file")],
)
def test_what_is_no_text_is_refused(tmp_path, content, error) -> None:
    path = tmp_path / "some.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=error):
        read_text(path)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path) -> None:
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.truncate((1 << 30) + 1)
    with pytest.raises(InputError, match="of at most"):
        read_text(path)
