from __future__ import annotations

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QSlider, QSpinBox, QToolButton

from mmgraph_gui.accessible import named
from mmgraph_gui.views.choosers import Chooser, Choosers


@pytest.fixture
def widgets(qtbot):
    box, switch, entry, slider, number, line = (
        named(QComboBox(), "Projection"), named(QToolButton(), "Thumbnails"), QAction("&Trails\tR"), QSlider(),
        QSpinBox(), QLineEdit(),
    )  # fmt: skip
    box.addItems(["PCA", "UMAP"])
    for one in (switch, entry):
        one.setCheckable(True)
    for widget in (box, switch, slider, number, line):
        qtbot.addWidget(widget)
    return {"box": box, "switch": switch, "entry": entry, "slider": slider, "number": number, "line": line}


@pytest.fixture
def choosers(widgets):
    choosers = Choosers()
    for name, widget in widgets.items():
        choosers.add(name, widget)
    return choosers


NEW = {"box": "UMAP", "switch": True, "entry": True, "slider": 30, "number": 7, "line": "loss"}


def test_what_somebody_does_is_told_with_what_was_before(choosers, widgets):
    told = []
    choosers.chosen.connect(lambda *what: told.append(what))
    before = choosers.values()
    for name, value in NEW.items():
        choosers.choose(name, value)
    assert told == [(name, before[name], value) for name, value in NEW.items()]
    assert choosers.values() == NEW
    widgets["switch"].click()
    assert told[-1] == ("switch", True, False)
    choosers.choose("box", "UMAP")  # as it is already
    assert len(told) == 7


def test_what_is_put_back_is_not_told_but_done(choosers, widgets):
    told, done = [], []
    choosers.chosen.connect(lambda *what: told.append(what))
    widgets["box"].activated.connect(done.append)
    choosers.restore(NEW)
    assert choosers.values() == NEW
    assert (told, done) == ([], [1])


@pytest.mark.parametrize(
    "damaged",
    [
        {"gone": 1},
        {"box": "t-SNE"},
        {"box": 3},
        {"switch": "on"},
        {"switch": 1},
        {"number": "x"},
        {"line": [1]},
    ],
)
def test_what_does_not_fit_is_left_out(choosers, damaged):
    before = choosers.values()
    choosers.restore(damaged)
    assert choosers.values() == before


def test_numbers_out_of_any_range_are_left_out(choosers):
    choosers.restore({"number": 10**30, "slider": float("nan")})
    assert choosers.values()["number"] == 0


def test_what_the_view_chose_by_itself_is_where_the_next_choice_starts(choosers, widgets):
    told = []
    choosers.chosen.connect(lambda *what: told.append(what))
    widgets["box"].setCurrentIndex(1)
    choosers.look_again()
    choosers.choose("box", "PCA")
    assert told == [("box", "UMAP", "PCA")]


def test_options_are_those_that_can_be_chosen(choosers, widgets):
    widgets["box"].model().item(1).setEnabled(False)
    assert choosers["box"].options() == [("PCA", "PCA")]
    assert choosers["entry"].title == "Trails"
    assert list(choosers["switch"].options()) == [("on", True)]
    assert list(choosers["number"].options()) == []


def test_values_of_no_widget_are_noted_by_hand(choosers):
    held = {"way": None}
    choosers.add_value("way", Chooser("Way", lambda: held["way"], lambda way: held.update(way=way)))
    told = []
    choosers.chosen.connect(lambda *what: told.append(what))
    held["way"] = "map"
    choosers.note("way")
    choosers.note("way")
    choosers.choose("way", None)
    assert told == [("way", None, "map"), ("way", "map", None)]


def test_what_holds_no_choice_is_refused(choosers, qtbot):
    label = QLabel()
    qtbot.addWidget(label)
    with pytest.raises(TypeError, match="QLabel"):
        choosers.add("label", label)
