from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from mmgraph_gui.state.colouring import Colouring
from mmgraph_gui.views.points.legend import WIDEST, WIDEST_HEADING, Legend


@pytest.fixture
def legend(theme, qtbot):
    legend = Legend(theme)
    qtbot.addWidget(legend)
    legend.show()
    return legend


def test_a_long_heading_ends_in_dots_and_takes_no_room_from_the_picture(legend):
    title = "k-means, gnn.convs.1.input of a long layer"
    legend.show_colouring(Colouring(title, codes=np.array([0, 1, 1]), names=("1", "2"), slots=(0, 1)))
    assert legend.width() <= WIDEST_HEADING
    assert legend.heading.text() == title
    assert legend.heading.shown.startswith("k-means")
    assert legend.heading.shown.endswith("…")


def test_it_is_as_wide_as_its_entries_up_to_a_limit(legend):
    legend.show_colouring(
        Colouring("Label", codes=np.array([0]), names=("a name that is long" * 5,), slots=(0,))
    )
    assert legend.width() == WIDEST
    assert legend.heading.shown == "Label"


def test_a_long_name_is_cut_before_the_number_of_its_items(legend):
    names = ("short", "probabilistic methods of a long name", "a name that is long" * 5)
    legend.show_colouring(Colouring("Label", np.array([0, 1, 2] * 400), names=names, slots=(0, 1, 2)))
    short, *long = (legend.classes.item(row) for row in range(3))
    assert short.text() == "short  (400)"
    for item, name in zip(long, names[1:], strict=True):
        assert item.text().endswith("…  (400)")
        assert item.text().startswith(name[:6])
        assert item.data(Qt.ItemDataRole.AccessibleTextRole) == f"{name}  (400)"
        assert name in item.toolTip()
    assert legend.classes.sizeHintForColumn(0) <= legend.classes.viewport().width()
