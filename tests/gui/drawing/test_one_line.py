from __future__ import annotations

import pytest

from mmgraph_gui.drawing.one_line import END_OF_ISOLATE, ISOLATE, in_one_line


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("", ""),
        ("cat", "cat"),
        ("two\nlines\tand a tab\r\n", "two lines and a tab"),
        ("bell \a and null \0", "bell and null"),
        ("evil \u202egnp.exe", "evil gnp.exe"),
        ("\u2067cat", "cat"),
        ("👩‍👩‍👧 family", "👩‍👩‍👧 family"),
        ("日本語", "日本語"),
        ("שלום\nעולם", f"{ISOLATE}שלום עולם{END_OF_ISOLATE}"),
        ("مرحبا 3", f"{ISOLATE}مرحبا 3{END_OF_ISOLATE}"),
    ],
)
def test_a_name_is_one_line_and_turns_nothing_around(name, line):
    assert in_one_line(name) == line
