"""The table of layers in narrow and wide windows."""

from __future__ import annotations

import pytest

from mmgraph_gui.views.model.table import FEWEST_LETTERS, NamedRows, shared

HEADINGS = ("layer", "type", "output", "parameters", "FLOPs", "time (ms)")
LONG = "encoder.frames.backbone.layers.3.branches.1.expand.convolution"
ROWS = [
    ("model", "VideoClassifier", "n × 8", 123_456_789, 9_876_543_210, 123.456),
    (LONG, "NonDynamicallyQuantizableLinear", "n × 16 × 3 × 112 × 112", 1_234_567, None, 0.5),
    ("head", "Linear", "n × 8", 72, 9, None),
]


@pytest.fixture
def table(qtbot):
    table = NamedRows(HEADINGS, whole=("output",))
    qtbot.addWidget(table)
    table.show()
    return table


def widths(table):
    return [table.columnWidth(column) for column in range(len(HEADINGS))]


@pytest.mark.parametrize(
    ("wanted", "room", "given"),
    [
        ([], 10, []),
        ([50, 30], 100, [50, 30]),
        ([50, 30], 70, [40, 30]),
        ([50, 30], 40, [20, 20]),
        ([90, 60, 20], 120, [50, 50, 20]),
        ([90, 60, 20], -5, [10, 10, 10]),
        ([5, 90], 20, [5, 15]),
        ([5, 90], 3, [5, 10]),
    ],
)
def test_the_widest_give_until_all_fit(wanted, room, given):
    assert shared(wanted, room, 10) == given


def test_names_give_way_and_numbers_stay_whole(qtbot, table):
    table.resize(2000, 300)
    table.show_rows(ROWS)
    wide = widths(table)
    assert wide == [
        max(table.sizeHintForColumn(n), table.horizontalHeader().sectionSizeHint(n)) for n in range(6)
    ]
    table.resize(700, 300)
    assert sum(widths(table)) <= table.viewport().width()
    assert not table.horizontalScrollBar().isVisible()
    assert widths(table)[2:] == wide[2:]
    assert widths(table)[0] < wide[0]
    table.resize(2000, 300)
    assert widths(table) == wide
    assert table.model().index(1, 0).data(3) == LONG  # the tool tip


def test_in_no_room_at_all_it_scrolls_rather_than_hides(table):
    table.resize(100, 100)
    table.show_rows(ROWS)
    assert min(widths(table)) >= table.fontMetrics().averageCharWidth() * FEWEST_LETTERS
    table.show_rows([])
    assert table.rows == []


def test_the_longest_of_very_many_rows_is_found_by_measuring_a_few(table, monkeypatch):
    asked = []
    measure = table.sizeHintForIndex
    monkeypatch.setattr(table, "sizeHintForIndex", lambda index: asked.append(index.row()) or measure(index))
    table.resize(2000, 300)
    rows = [(f"layers.{n % 7}", "Linear", "n × 8", n, None, 0.5) for n in range(5_000)]
    rows[4_321] = (LONG, *rows[4_321][1:])
    table.show_rows(rows)
    assert table.columnWidth(0) >= table.fontMetrics().horizontalAdvance(LONG)
    assert 4_321 in asked
    assert len(asked) < 100
