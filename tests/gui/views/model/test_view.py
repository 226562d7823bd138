"""The Model view, from a structure in the run folder and recorded histograms."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtTest import QTest

from mmgraph.runs import Connection, Layer, RunWriter, Snapshot, Structure
from mmgraph_gui.views.model.histogram_history import BINS, HistogramHistory, SpreadHistory, spread_history
from mmgraph_gui.views.model.view import ModelView
from mmgraph_gui.views.model.wiring import WiringDiagram
from mmgraph_gui.views.model.wiring_picture import MOST_BOXES, Wiring

LAYERS = (
    Layer("model", "Net", 30, (8, 3), 99, 0.002, 1, True),
    Layer("encoder.conv1", "Conv2d", 20, (8, 4, 6, 6), 90, 0.001, 1),
    Layer("act", "ReLU", 0, (8, 4, 6, 6), 0, 0.0001, 2),
    Layer("fc", "Linear", 10, (8, 3), 9, 0.0005, 1),
)
WIRES = (
    Connection("input", "encoder.conv1"),
    Connection("encoder.conv1", "act"),
    Connection("act", "fc", "mean"),
    Connection("fc", "act#2"),
    Connection("act#2", "output of the model"),
)


@pytest.fixture
def model_run(digits_run):
    with RunWriter(digits_run) as run:
        run.structure(Structure(LAYERS, WIRES, 8))
        for step in (50, 60):
            edges = np.stack([np.linspace(-step, step, 33)] * 2).astype(np.float32)
            spread = Snapshot(
                "matrix",
                "histograms/weights",
                np.full((2, 32), 1 / 32, np.float32),
                extras={"edges": edges},
                notes={"rows": ["encoder.conv1", "fc"], "columns": "weight"},
            )
            active = Snapshot(
                "matrix",
                "histograms/activations",
                np.full((1, 32), 1 / 32, np.float32),
                extras={"edges": np.linspace(0, step, 33, dtype=np.float32)[None]},
                notes={"rows": ["act"], "columns": "activation"},
            )
            run.snapshots(step, [spread, active], wait=True)
    return digits_run


@pytest.fixture
def view(qtbot, context, model_run, show_view):
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(model_run)
    view = show_view(ModelView)
    qtbot.waitUntil(lambda: view.wiring is not None and view.spread.shown is not None)
    return view


def test_layers_and_wiring_are_shown(view, has_colour):
    assert view.message == ""
    assert view.layers.model().rowCount() == 4
    assert [view.layers.model().index(1, column).data() for column in range(6)] == [
        "encoder.conv1", "Conv2d", "n × 4 × 6 × 6", "20", "90", "1.000",
    ]  # fmt: skip
    assert view.connections.model().rowCount() == 5
    assert view.diagram.wiring.places[:, 1].tolist() == [0, 1, 2, 3, 4, 5]
    assert has_colour(view.diagram, view.theme.palette.accent)
    assert "30 parameters" in view.caption.text()


def test_the_caption_says_where_the_spread_is(qtbot, view):
    for width, where in ((1400, "right, below: weights"), (500, "beside it: weights")):
        view.resize(width, 700)
        qtbot.waitUntil(lambda where=where: where in view.caption.text())


def test_in_a_narrow_window_the_table_lies_below_and_shows_every_number(qtbot, view):
    assert view.tables.parent() is not view._body
    view.resize(520, 600)
    qtbot.waitUntil(lambda: view.tables.parent() is view._body)
    assert (
        view.tables.mapTo(view, QPointF(0, 0).toPoint()).y()
        > view.diagram.mapTo(view, QPointF(0, 0).toPoint()).y() + view.diagram.height() - 1
    )
    qtbot.waitUntil(lambda: view.layers.viewport().width() > 400)
    assert not view.layers.horizontalScrollBar().isVisible()
    assert view.spread.isVisible()
    view.resize(900, 600)
    qtbot.waitUntil(lambda: view.tables.parent() is not view._body)
    assert view.diagram.isVisible()
    assert view.tables.isVisible()


def test_a_click_on_a_box_chooses_the_layer_everywhere(qtbot, view):
    assert view.layer == "encoder.conv1"
    box = view.diagram._box_of("fc")
    QTest.mouseMove(view.diagram, box.center().toPoint())
    QTest.mouseClick(view.diagram, Qt.MouseButton.LeftButton, pos=box.center().toPoint())
    assert view.layer == "fc"
    assert view.layers.currentIndex().row() == 3
    assert "10 parameters" in view.caption.text()
    qtbot.waitUntil(lambda: view.spread.shown.layer == "fc")
    view.choose("encoder.conv1")
    assert view.state.layer("filters") == "encoder.conv1"
    QTest.keyClick(view.diagram, Qt.Key.Key_Down)
    assert view.layer == "act"
    assert "runs 2 times" in view.caption.text()
    qtbot.waitUntil(lambda: view.spread.shown is None)


def test_activations_of_a_layer_without_weights_are_shown(qtbot, view, has_colour):
    view.choose("act")
    qtbot.waitUntil(lambda: "how the weights of act" in view._whole())
    assert [view.what_box.itemText(place) for place in range(view.what_box.count())] == [
        "Weights",
        "Activations",
    ]
    view.what_box.setCurrentText("Activations")
    view.what_box.activated.emit(1)
    qtbot.waitUntil(lambda: view.spread.shown is not None)
    assert (view.spread.shown.what, view.spread.shown.layer) == ("activations", "act")
    assert (view.spread.shown.edges[0], view.spread.shown.edges[-1]) == (0, 60)


def test_what_is_spread_stays_chosen_when_more_is_recorded(qtbot, view, model_run):
    view.what_box.setCurrentText("Activations")
    slopes = Snapshot("matrix", "histograms/gradients", np.ones((1, 2), np.float32), notes={"rows": ["fc"]})
    with RunWriter(model_run) as run:
        run.snapshots(70, [slopes], wait=True)
    qtbot.waitUntil(lambda: view.what_box.count() == 3)
    assert view.what_box.currentText() == "Activations"


def test_a_row_of_the_table_chooses_too(view):
    view.layers.selectRow(3)
    assert (view.layer, view.diagram.layer) == ("fc", "fc")


def test_zoom_keeps_what_is_under_the_mouse_and_f_fits(view):
    from PySide6.QtCore import QPoint
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QApplication

    at = view.diagram._box_of("fc").center()
    none = Qt.MouseButton.NoButton
    wheel = QWheelEvent(
        at, QPointF(), QPoint(), QPoint(0, 240), none, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view.diagram, wheel)
    assert view.diagram._box_of("fc").contains(at)
    assert not view.diagram._fitted
    QTest.keyClick(view.diagram, Qt.Key.Key_F)
    assert view.diagram._fitted


def test_the_spread_has_one_scale_for_all_steps(view):
    shown = view.spread.shown
    assert shown.steps.tolist() == [50, 60]
    assert (shown.edges[0], shown.edges[-1]) == (-60, 60)
    np.testing.assert_allclose(shown.shares.sum(1), 1, atol=1e-6)
    # The narrower one is higher, and lies in the middle.
    assert shown.shares[0].max() == pytest.approx(shown.shares[1].max() * 60 / 50, rel=1e-3)
    assert shown.shares[0][0] == 0


def test_tables_for_files(view):
    headings, rows = view.table()
    assert headings[0] == "layer"
    assert len(list(rows)) == 4
    assert view.vector_source() is not None


def test_a_run_without_structure_says_so(qtbot, opened, show_view):
    view = show_view(ModelView)
    qtbot.waitUntil(lambda: "structure" in view.message)


def test_a_damaged_structure_is_a_message(qtbot, context, digits_run, show_view):
    (digits_run / "model.json").write_text("{")
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(digits_run)
    view = show_view(ModelView)
    qtbot.waitUntil(lambda: "model.json" in view.message)


def test_a_deep_wiring_has_a_bar_and_colours_without_words(qtbot, theme, has_colour):
    names = [f"layer{number}" for number in range(300)]
    layers = tuple(Layer(name, "Linear", 10, (8, 10), None, 0.1) for name in names)
    wires = tuple(Connection(one, other) for one, other in itertools.pairwise(names))
    diagram = WiringDiagram(theme)
    qtbot.addWidget(diagram)
    diagram.resize(300, 400)
    assert diagram.bar.isHidden()
    diagram.show_wiring(Wiring.of(Structure(layers, wires, 8, "")))
    assert not diagram.bar.isHidden()
    assert diagram.bar.value() == diagram.bar.minimum()
    QTest.keyClick(diagram, Qt.Key.Key_PageDown)
    assert not QRectF(diagram.rect()).intersects(diagram._box_of("layer0"))
    QTest.keyClick(diagram, Qt.Key.Key_PageUp)
    assert QRectF(diagram.rect()).contains(diagram._box_of("layer0"))
    diagram.bar.setValue(diagram.bar.maximum())
    last = diagram._box_of("layer299")
    assert QRectF(diagram.rect()).contains(last)
    assert diagram.box_at(last.center()) == "layer299"
    assert diagram.look() is not None
    diagram.zoom(last.center(), 0.3)  # too small for words
    assert has_colour(diagram, theme.category(4), 40)


def test_a_wiring_of_too_many_boxes_is_in_the_tables_alone(qtbot, context, digits_run, show_view):
    names = [f"layer{number}" for number in range(MOST_BOXES + 2)]
    layers = tuple(Layer(name, "Linear", 10**30, (8, 10**20), None, float("inf")) for name in names)
    wires = tuple(Connection(one, other) for one, other in itertools.pairwise(names))
    with RunWriter(digits_run) as run:
        run.structure(Structure(layers, wires, 8, "Foreign."))
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(digits_run)
    view = show_view(ModelView)
    qtbot.waitUntil(lambda: view.wiring is not None)
    assert not view.diagram.isVisible()
    assert (len(view.layers.rows), len(view.connections.rows)) == (MOST_BOXES + 2, MOST_BOXES + 1)
    assert "Foreign.  ·  4,002 boxes are more than a picture can show" in view.wiring.structure.remark


def test_histograms_that_do_not_fit_are_left_out():
    bad = Snapshot("matrix", "histograms/weights", np.zeros((2, 4), np.float32), notes={"rows": ["a", "b"]})
    nan = Snapshot(
        "matrix", "histograms/weights", np.full((1, 4), np.nan, np.float32), notes={"rows": ["a"]},
        extras={"edges": np.zeros((1, 5), np.float32)},
    )  # fmt: skip
    assert spread_history((bad, nan), [1, 2], "a", 2) is None


def test_of_a_single_step_the_histogram_itself_is_drawn(theme, qtbot, pixels_of):
    def accented() -> int:
        """The longest row of pixels in the colour of bars and of the line of the step."""
        wanted = np.array([int(theme.palette.accent[place : place + 2], 16) for place in (1, 3, 5)])
        return int((np.abs(pixels_of(picture).astype(int) - wanted).max(axis=-1) < 12).sum(axis=1).max())

    picture = HistogramHistory(theme)
    qtbot.addWidget(picture)
    picture.resize(300, 200)
    shares = np.zeros((2, BINS))
    shares[:, 3] = 1
    edges = np.linspace(-1, 1, BINS + 1)
    picture.show_history(SpreadHistory("fc", "weights", np.array([0, 9]), shares, edges, 2))
    assert accented() < 5
    picture.show_history(SpreadHistory("fc", "weights", np.array([0]), shares[:1], edges, 1))
    assert accented() > 200
