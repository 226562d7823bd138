from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from mmgraph_gui.drawing.palettes import FEWEST, OKABE_ITO, PALETTES, VISIONS, alike, seen
from mmgraph_gui.frame.colours_dialog import OWN, ColoursDialog


@pytest.fixture
def dialog(qtbot, theme):
    made = ColoursDialog(theme)
    qtbot.addWidget(made)
    made.show()
    return made


def test_a_palette_is_used_as_soon_as_it_is_chosen_and_cancel_puts_the_former_back(dialog, theme):
    dialog.chooser.setCurrentText("Tol, muted")
    dialog.chooser.textActivated.emit("Tol, muted")
    assert theme.classes == PALETTES["Tol, muted"]
    dialog.reject()
    assert theme.classes == OKABE_ITO


def test_colours_are_changed_added_and_removed(dialog, theme, qtbot):
    dialog.set_colour(0, "#123456")
    assert theme.classes == ("#123456", *OKABE_ITO[1:])
    assert dialog.chooser.currentText() == OWN
    qtbot.mouseClick(dialog.add, Qt.MouseButton.LeftButton)
    assert len(theme.classes) == len(set(theme.classes)) == len(OKABE_ITO) + 1
    while dialog.remove.isEnabled():
        qtbot.mouseClick(dialog.remove, Qt.MouseButton.LeftButton)
    assert len(theme.classes) == FEWEST
    dialog.accept()
    assert len(theme.classes) == FEWEST


def test_what_cannot_be_told_apart_is_said(dialog):
    assert "can be told apart" in dialog.verdict.text()
    dialog.set_colour(0, OKABE_ITO[1])
    assert f"{OKABE_ITO[1]} and {OKABE_ITO[1]}" in dialog.verdict.text()


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("name", PALETTES)
def test_the_palettes_can_be_told_apart_by_everybody(name, vision):
    assert alike(PALETTES[name], vision) == []


def test_visions():
    assert seen(["#336699", "#ffffff"], "ordinary") == ["#336699", "#ffffff"]
    for vision in VISIONS:  # grey is seen by everybody
        assert seen(["#ffffff", "#000000"], vision) == ["#ffffff", "#000000"]
    red_and_green = ["#b00000", "#006e00"]
    assert alike(red_and_green) == []
    near = seen(red_and_green, "without green cones")
    far = seen(red_and_green, "without blue cones")

    def apart(pair):
        first, second = ([int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in pair)
        return sum((a - b) ** 2 for a, b in zip(first, second, strict=True))

    assert apart(near) < apart(far) / 4
