"""What stands beside the colours of curves fits where it stands."""

from __future__ import annotations

import math

import pytest
from PySide6.QtGui import QFont, QFontMetricsF

from mmgraph_gui.drawing.legend_words import GAP, run_words, swatch, value_words

READ = {"train": 0.012345, "validation": 1234.5678, "test": -0.00098765}


@pytest.fixture
def metrics(qapp) -> QFontMetricsF:
    return QFontMetricsF(QFont())


def width(words: dict[str, str], metrics: QFontMetricsF) -> float:
    return sum(metrics.horizontalAdvance(text) + swatch(metrics) for text in words.values()) - GAP


@pytest.mark.parametrize("room", [110, 160, 200, 300, 500])
@pytest.mark.parametrize("read", [READ, {"train": 0.5}, {f"part-{n}": n / 7 for n in range(4)}])
def test_it_fits(metrics, read, room):
    words = value_words(read, metrics, room, told=False)
    assert list(words) == list(read)[: len(words)]
    assert len(words) == len(read) or room < 300
    assert width(words, metrics) <= room


def test_much_room_has_names_and_values_and_little_room_names_that_are_cut(metrics):
    assert value_words(READ, metrics, 2000, told=False) == {
        "train": "train 0.01235",
        "validation": "validation 1235",
        "test": "test -0.0009877",
    }
    cut = value_words(READ, metrics, 90, told=False)
    assert cut["train"] == "train"
    assert cut["validation"].endswith("…")
    assert "test" not in cut


def test_names_are_kept_longer_than_values(metrics):
    """A value alone does not say whose it is."""

    def room_for(words: dict[str, str]) -> float:
        return width(words, metrics)

    named = {key: key for key in READ}
    assert value_words(READ, metrics, room_for(named), told=False) == named
    short = {"train": "train", "validation": "valid.", "test": "test"}
    assert value_words(READ, metrics, room_for(short), told=False) == short
    for room in range(40, 600, 7):
        for key, text in value_words(READ, metrics, room, told=False).items():
            assert text[:2] == key[:2]


def test_an_unknown_value_is_left_out_unless_it_is_told(metrics):
    assert value_words({"train": math.nan}, metrics, 500, told=False) == {"train": "train"}
    assert value_words({"train": math.nan}, metrics, 500, told=True) == {"train": "train nan"}
    assert value_words({}, metrics, 500, told=False) == {}


def test_runs_are_cut_in_the_middle_and_the_last_left_out(metrics):
    runs = [(f"k{number}", f"a-rather-long-name-of-run-{number}") for number in range(9)]
    assert run_words(runs, metrics, 5000) == dict(runs)
    few = run_words(runs, metrics, 300)
    assert 1 <= len(few) < 9
    assert all("…" in name for name in few.values())
    assert width(few, metrics) <= 300
