from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QGuiApplication

from mmgraph_gui.drawing.palettes import OKABE_ITO, PALETTES, extended
from mmgraph_gui.drawing.theme import DARK, LIGHT, UNKNOWN, Palette, Theme
from mmgraph_gui.state.colouring import CORRECT, WRONG, Colouring


def luminance(colour: str) -> float:
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_text_is_readable_on_every_ground(palette: Palette):
    for text in (palette.foreground, palette.muted, palette.good, palette.warning, palette.error):
        for ground in (palette.window, palette.background):
            assert contrast(text, ground) >= 4.5
    assert contrast(palette.on_accent, palette.accent) >= 4.5


def test_at_least_twenty_distinct_categories():
    categories = extended(OKABE_ITO)
    assert len(set(categories)) == len(categories) >= 20


def test_mode_switches_application_palette_and_is_remembered(qtbot, qapp, tmp_path):
    settings = QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat)
    theme = Theme(settings)
    with qtbot.waitSignal(theme.changed):
        theme.set_mode("dark")
    assert theme.is_dark
    assert QGuiApplication.palette().window().color().name() == DARK.window
    assert Theme(settings).mode == "dark"
    theme.set_mode("light")
    assert QGuiApplication.palette().window().color().name() == LIGHT.window


def test_colours_of_classes_and_numbers(theme):
    colours = theme.colours(Colouring("c", codes=np.array([0, 1, -1]), names=("a", "b"), slots=(5, 4)))
    assert ["#" + bytes(c).hex() for c in colours] == [OKABE_ITO[5], OKABE_ITO[4], UNKNOWN]
    numbers = theme.colours(Colouring("n", values=np.array([1.0, 3.0, np.nan]), low=1.0, high=3.0))
    assert numbers.shape == (3, 3)
    assert numbers[0].tolist() != numbers[1].tolist()
    assert "#" + bytes(numbers[2]).hex() == UNKNOWN
    assert theme.colours(Colouring("n", values=np.array([2.0]), low=2.0, high=2.0)).shape == (1, 3)


def test_legend_names_classes_or_ends(theme):
    assert theme.legend(Colouring("c", codes=np.array([0]), names=("a",), slots=(0,))) == [
        ("a", OKABE_ITO[0])
    ]
    ends = theme.legend(Colouring("n", values=np.array([0.5]), low=0.5, high=1.25))
    assert [name for name, _ in ends] == ["0.5", "1.25"]


def test_chosen_colours_are_used_and_remembered(qtbot, qapp, tmp_path):
    settings = QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat)
    theme = Theme(settings)
    assert theme.classes == OKABE_ITO
    chosen = PALETTES["Tol, high contrast"]
    with qtbot.waitSignal(theme.changed):
        theme.set_classes(chosen)
    settings.sync()
    again = Theme(QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat))
    assert again.classes == chosen
    assert again.category(2) == chosen[2]
    assert again.category(9) == chosen[0]  # 3 colours, 3 darker, 3 lighter ones: then they start over
    assert again.category(-1) == UNKNOWN
    codes = np.array([[0, 2], [9, -1]])
    named = [["#" + bytes(c).hex() for c in row] for row in again.categories(codes)]
    assert named == [[chosen[0], chosen[2]], [chosen[0], UNKNOWN]]


def test_right_and_wrong_look_the_same_with_every_palette(theme):
    colouring = Colouring("p", np.array([0, 1]), ("wrong", "correct"), (WRONG, CORRECT))
    before = theme.legend(colouring)
    theme.set_classes(("#000000", "#111111"))
    assert theme.legend(colouring) == before == [("wrong", "#d55e00"), ("correct", "#0072b2")]


@pytest.mark.parametrize("stored", ["#ffffff", ["#fff", "#000000"], ["red", "blue"], [], ["#000000"] * 99])
def test_damaged_colours_are_not_used(qapp, tmp_path, stored):
    settings = QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat)
    settings.setValue("colours", stored)
    assert Theme(settings).classes == OKABE_ITO


def test_numbers_are_coloured_with_viridis(theme):
    ends = theme.continuous(np.array([0.0, 0.5, 1.0]))
    np.testing.assert_allclose(ends, [(68, 1, 84), (33, 145, 140), (253, 231, 37)], atol=1)
