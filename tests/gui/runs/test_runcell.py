from __future__ import annotations

import time
from pathlib import Path

import pytest

from mmgraph.runs import RunSummary
from mmgraph_gui.runs.runcell import CURVE_WIDTH, NARROWEST_CURVE, card_words
from mmgraph_gui.runs.runentry import RunEntry


def letters(text: str) -> int:
    return 8 * len(text)


def entry(state: str = "interrupted", seconds: float = 11 * 60 + 5, curve: bool = True) -> RunEntry:
    summary = RunSummary(Path("run"), state, heartbeat=time.time() - seconds)
    return RunEntry(summary, trace=(0.0, 1.0) if curve else ())


@pytest.mark.parametrize(
    ("room", "words", "has_curve"),
    [
        (400, "interrupted, 11 min ago", True),
        (230, "interrupted, 11 min ago", True),
        (200, "interrupted, 11 min", True),
        (185, "interrupted, 11 min ago", False),
        (160, "interrupted, 11 min", False),
        (120, "interrupted", False),
        (10, "interrupted", False),
    ],
)
def test_a_card_says_as_much_as_there_is_room_for(room, words, has_curve):
    told, curve = card_words(entry(), room, letters("validation 0.9"), letters)
    assert told == words
    assert (curve >= NARROWEST_CURVE) is has_curve
    assert curve <= CURVE_WIDTH
    if room > 100:
        assert letters(told) + curve <= room


def test_a_long_number_leaves_no_room_for_the_curve_and_all_for_the_words():
    assert card_words(entry(), 200, 190, letters) == ("interrupted, 11 min ago", 0)


def test_without_curve_or_age_nothing_is_cut_that_fits():
    assert card_words(entry(curve=False), 190, 0, letters) == ("interrupted, 11 min ago", 0)
    assert card_words(entry("running", 2), 60, 0, letters) == ("running", 0)
    assert card_words(entry("running", 2), 100, 0, letters)[1] >= NARROWEST_CURVE
