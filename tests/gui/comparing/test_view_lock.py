"""The two sides of Compare, moved by a mouse: what is seen of one is seen of the other."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from mmgraph.runs import Connection, ItemSet, Layer, RunReader, RunWriter, Snapshot, Structure
from mmgraph_gui.comparing.compare import CompareWindow
from mmgraph_gui.views.registry import VIEW_SPECS

pytestmark = pytest.mark.usefixtures("kept_layouts")

SPECS = {spec.name: spec for spec in VIEW_SPECS}
LEFT = Qt.MouseButton.LeftButton
LAYERS = (
    Layer("model", "Net", 30, (8, 3), 99, 0.002, 1, True),
    Layer("encoder.conv1", "Conv2d", 20, (8, 4, 6, 6), 90, 0.001, 1),
    Layer("fc", "Linear", 10, (8, 3), 9, 0.0005, 1),
)
WIRES = (
    Connection("input", "encoder.conv1"),
    Connection("encoder.conv1", "fc", "mean"),
    Connection("fc", "output of the model"),
)


@pytest.fixture(scope="module")
def two_runs(digits_run_once, tmp_path_factory):
    """Two runs of the same digits with a map of attention and a wired model; of the second some items are missing,
    and its embedding is mirrored and ten times as large."""
    root = tmp_path_factory.mktemp("pair")
    one = shutil.copytree(digits_run_once, root / "one")
    rng = np.random.default_rng(0)
    steps = {40: rng.dirichlet(np.ones(60), size=(2, 60)).astype(np.float32)}
    edges = np.stack([np.linspace(-1, 1, 33)] * 2).astype(np.float32)
    names = {"rows": ["encoder.conv1", "fc"], "columns": "weight"}
    spreads = [
        Snapshot(
            "matrix", f"histograms/{what}", rng.dirichlet(np.ones(32), size=2).astype(np.float32),
            extras={"edges": edges}, notes=names,
        )
        for what in ("gradients", "weights")
    ]  # fmt: skip
    with RunReader(one) as read:
        items, infos = read.items("items"), read.snapshots(step=40)
        known = {(info.kind, info.layer): read.load(info).array for info in infos}
        graph = read.load(read.snapshots(kind="graph")[0]).array
    with RunWriter(one) as run:
        run.structure(Structure(LAYERS, WIRES, 8))
        run.snapshots(40, [Snapshot("attention", "blocks.0", steps[40]), *spreads], wait=True)
    kept = np.arange(20, 300)
    with RunWriter.create(root, "two", {"run": {"dataset": "digits"}}) as run:
        run.items(ItemSet(ids=kept, labels=items.labels[kept], class_names=items.class_names, noun="digit"))
        run.structure(Structure(LAYERS, WIRES, 8))
        for step in (10, 20, 30, 40):
            run.scalars(step, {"train/loss": 1 / step, "validation/accuracy": 1 - 1 / step}, epoch=step / 10)
        filters, maps = known["filters", "encoder.conv1"], known["feature_maps", "encoder.conv1"]
        inside = (graph >= 20).all(axis=0)
        run.snapshots(
            40,
            [
                Snapshot("embedding", "convs.1", -10 * known["embedding", "convs.1"][kept], items="items"),
                Snapshot("filters", "encoder.conv1", filters),
                Snapshot("feature_maps", "encoder.conv1", maps, items="items"),
                Snapshot("attention", "blocks.0", steps[40][:, ::-1].copy()),
                Snapshot("graph", "graph", graph[:, inside] - 20, items="items"),
                *spreads,
            ],
            wait=True,
        )
    return one, root / "two"


@pytest.fixture
def window(qtbot, context, two_runs):
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(two_runs[0])
    window = CompareWindow(context, SPECS, list)
    qtbot.addWidget(window)
    window.show()
    with qtbot.waitSignal(window.right.follower.opened):
        window.compare_with(two_runs[1])
    yield window
    window.close()


def wheel(
    widget: QWidget, at: QPointF, turn: int, keys: Any = Qt.KeyboardModifier.NoModifier, times: int = 1
) -> None:
    for _ in range(times):
        event = QWheelEvent(
            at, QPointF(widget.mapToGlobal(at.toPoint())), QPoint(), QPoint(0, turn), Qt.MouseButton.NoButton, keys,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(widget, event)


def drag(widget: QWidget, start: QPoint, by: QPoint, button: Qt.MouseButton = LEFT) -> None:
    QTest.mousePress(widget, button, pos=start)
    for part in (1, 2, 3, 4):
        QTest.mouseMove(widget, start + by * part / 4)
    QTest.mouseRelease(widget, button, pos=start + by)


def middle(widget: QWidget) -> QPoint:
    return widget.rect().center()


def shown(qtbot, window, name):
    """Both views of a name, with what they need to be looked at."""
    window.show_view(name)
    pair = window.pairs[name]
    ready = {
        "embedding": lambda view: len(view.cloud) > 0,
        "graph": lambda view: view.layout_now is not None and view.layout_now.done,
        "metrics": lambda view: len(view.plots) >= 2 and not view.is_pending,
        "filters": lambda view: view.tiles is not None,
        "attention": lambda view: view.map is not None,
        "model": lambda view: view.wiring is not None and view.spread.shown is not None,
    }[name]
    if name == "attention":
        for view in pair:
            view.state.set_layer("attention", "blocks.0")
    qtbot.waitUntil(lambda: all(ready(view) and not view.message for view in pair))
    return pair


def places(plane, positions):
    """Where points are seen: from the middle, in sides of the window."""
    viewport = plane.viewport
    side = min(viewport.width, viewport.height)
    return (viewport.to_pixels(positions) - (viewport.width / 2, viewport.height / 2)) / side


def test_embeddings_show_the_same_items_at_the_same_place(qtbot, window):
    left, right = shown(qtbot, window, "embedding")
    assert window.together.isChecked()
    wheel(left.plane, QPointF(60, 50), 240)
    drag(left.plane, middle(left.plane), QPoint(25, -40))
    common = window.lock.common
    assert len(common) == 280

    def apart() -> float:
        mine = places(left.plane, left.points[common.left])
        return float(np.abs(mine - places(right.plane, right.points[common.right])).max())

    assert apart() < 0.1  # the axes of fewer items are not quite the same
    wheel(right.plane, QPointF(90, 90), 600)
    drag(right.plane, middle(right.plane), QPoint(-30, 10))
    assert apart() < 0.3
    assert left.plane.viewport.scale == pytest.approx(right.plane.viewport.scale, rel=0.02)
    assert not left.plane.fitted
    QTest.mouseDClick(left.plane, LEFT, pos=QPoint(2, 2))
    QTest.keyClick(left.plane, Qt.Key.Key_F)
    assert left.plane.fitted
    assert right.plane.fitted


def test_space_is_turned_on_both_sides(qtbot, window):
    left, right = shown(qtbot, window, "embedding")
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    left.plane.setFocus()
    QTest.keyClick(left.plane, Qt.Key.Key_3)
    qtbot.waitUntil(lambda: all(view.placed.dimensions == 3 and view.plane.turns for view in (left, right)))
    drag(right.plane, middle(right.plane), QPoint(120, 45))
    assert not np.allclose(left._rotation, np.eye(3))
    assert left._rotation is right._rotation
    common = window.lock.common

    def apart() -> float:
        mine, theirs = left.points[common.left], right.points[common.right]
        return float(np.abs(mine - theirs).max() / np.ptp(mine))

    qtbot.waitUntil(lambda: all(view.cloud.depth is not None for view in (left, right)))
    qtbot.waitUntil(lambda: apart() < 0.2)
    wheel(left.plane, QPointF(40, 40), 240)
    drag(left.plane, middle(left.plane), QPoint(20, 20), Qt.MouseButton.RightButton)
    assert (left.plane.viewport.x, left.plane.viewport.y) == pytest.approx(
        (right.plane.viewport.x, right.plane.viewport.y)
    )
    left.space.click()
    qtbot.waitUntil(lambda: all(view.placed.dimensions == 2 for view in (left, right)))


def test_graphs_show_the_same_share_of_all(qtbot, window):
    left, right = shown(qtbot, window, "graph")
    wheel(left.plane, QPointF(80, 60), 480)
    drag(left.plane, middle(left.plane), QPoint(30, 30))
    one, other = left.plane.look(), right.plane.look()
    assert one.share[2] == pytest.approx(2**-1.0389, rel=0.01)
    assert other.share == pytest.approx(one.share)
    left.everything.click()
    assert right.plane.fitted


def test_curves_show_the_same_steps_and_values(qtbot, window):
    left, right = shown(qtbot, window, "metrics")
    one, other = left.plots["loss"], right.plots["loss"]
    wheel(one, QPointF(middle(one)), 240)
    assert one.span != (1, 40)
    qtbot.waitUntil(lambda: other.span == one.span)
    drag(other, middle(other), QPoint(40, 0), Qt.MouseButton.MiddleButton)
    qtbot.waitUntil(lambda: other.span == one.span)
    wheel(one, QPointF(middle(one)), 240, Qt.KeyboardModifier.ControlModifier)
    assert one.wanted_limits is not None
    assert other.limits == pytest.approx(one.limits)
    right.kind.setCurrentIndex(right.kind.findData("epoch"))
    left.log_y.click()
    assert left.kind.currentData() == "epoch"
    assert right.log_y.isChecked()
    assert other.wanted_limits is None
    QTest.mouseDClick(one, LEFT, pos=middle(one))
    qtbot.waitUntil(lambda: left.look().span is None and right.look().span is None)


@pytest.mark.parametrize("name", ["filters", "attention"])
def test_pictures_are_zoomed_and_moved_together(qtbot, window, name):
    pair = shown(qtbot, window, name)
    left, right = (view.picture if name == "filters" else view.page.heat for view in pair)
    wheel(left, QPointF(50, 40), 480)
    drag(left, middle(left), QPoint(-60, 20))
    assert left.look()[0] > 1.9
    assert right.look() == left.look()
    drag(right, middle(right), QPoint(10, 10))
    assert left.look() == right.look()
    QTest.keyClick(right, Qt.Key.Key_F)
    assert left.look() == (1.0, QPointF(0.5, 0.5))


def test_a_model_is_compared_layer_by_layer(qtbot, window):
    left, right = shown(qtbot, window, "model")
    assert (left.layer, right.layer) == ("encoder.conv1", "encoder.conv1")
    QTest.mouseClick(left.diagram, LEFT, pos=left.diagram._box_of("fc").center().toPoint())
    assert right.layer == "fc"
    qtbot.waitUntil(lambda: right.spread.shown.layer == "fc")
    other = 1 - right.what_box.currentIndex()
    right.what_box.setCurrentIndex(other)
    right.what_box.activated.emit(other)
    qtbot.waitUntil(
        lambda: left.spread.shown.what == right.spread.shown.what == right.what_box.itemText(other).lower()
    )
    wheel(left.diagram, QPointF(30, 40), 240)
    drag(left.diagram, middle(left.diagram), QPoint(15, -25))
    zoom, place = left.diagram.look()
    assert right.diagram.look()[0] == zoom
    assert right.diagram.look()[1].x() == pytest.approx(place.x())
    assert right.diagram.look()[1].y() == pytest.approx(place.y())
    right.layers.selectRow(1)
    assert left.layer == "encoder.conv1"
    QTest.keyClick(right.diagram, Qt.Key.Key_F)
    assert left.diagram.look() is None
    left.spread.step_chosen.emit(10)
    assert (window.left.state.step, window.right.state.step) == (10, 40)  # the other has one snapshot


def test_views_go_their_own_ways_until_they_are_locked_again(qtbot, window):
    left, right = shown(qtbot, window, "filters")
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert not window.together.isChecked()
    assert not window.lock_action.isChecked()
    wheel(left.picture, QPointF(50, 40), 480)
    assert right.picture.look() == (1.0, QPointF(0.5, 0.5))
    window.together.click()
    assert right.picture.look() == left.picture.look()
    assert window.lock_action.isChecked()


def test_every_action_of_the_window_is_in_a_menu(qtbot, window):
    next(action for action in window.views_menu.actions() if action.text() == "Graph").trigger()
    assert window.view.currentData() == "graph"
    keys = {action.shortcut().toString() for action in window.menuBar().actions()[0].menu().actions()}
    assert {key for key, _ in window.keys} <= keys
