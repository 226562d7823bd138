from __future__ import annotations

import pytest

from mmgraph_gui.views.caption import Caption


@pytest.fixture
def caption(qtbot):
    caption = Caption()
    qtbot.addWidget(caption)
    caption.resize(300, 20)
    return caption


def test_one_line_is_enough_for_short_texts(caption):
    caption.set_parts(["300 digits", "step 40"])
    assert caption.text() == caption.toolTip() == caption.accessibleName() == "300 digits  ·  step 40"
    assert caption.sizeHint().height() < 2 * caption.fontMetrics().height()


def test_long_texts_get_a_second_line_and_keep_it_until_there_is_more_room(caption):
    caption.setText("many words " * 6)
    two = caption.sizeHint().height()
    assert two > 2 * caption.fontMetrics().height()
    caption.setText("short")
    assert caption.sizeHint().height() == two
    caption.resize(900, two)
    caption.show()
    assert caption.sizeHint().height() < two


def test_what_does_not_fit_into_two_lines_ends_in_dots(caption, qtbot):
    caption.setText("many words " * 30)
    assert caption._shown.endswith(" …")
    assert caption._lines_of(caption._shown) == 2
    assert caption.toolTip() == caption.text() == "many words " * 30
    caption.resize(5000, 40)
    caption.show()
    assert caption._shown == caption.text()
