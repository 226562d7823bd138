from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QApplication

from mmgraph.runs import Cursor, RunWriter, Series, Status, Update
from mmgraph_gui.curves import group_of
from mmgraph_gui.views.metrics import MetricsView, grouped


def series(values: np.ndarray) -> Series:
    steps = np.arange(1, len(values) + 1)
    return Series(steps, steps * 1.0, steps * 1.0, np.asarray(values, dtype=np.float64))


@pytest.fixture
def view(qtbot, opened, show_view):
    view = show_view(MetricsView)
    qtbot.waitUntil(lambda: len(view.plots) == 3 and not view.is_pending)
    return view


def test_tags_are_grouped_by_quantity_with_loss_and_accuracy_first():
    empty = series(np.zeros(0))
    tags = ["learning_rate", "train/accuracy", "validation/loss", "train/loss", "odd"]
    groups = grouped(dict.fromkeys(tags, empty))
    assert {name: list(parts) for name, parts in groups.items()} == {
        "loss": ["validation", "train"], "accuracy": ["train"], "learning rate": [""], "odd": [""],
    }  # fmt: skip
    assert list(groups)[:2] == ["loss", "accuracy"]
    assert group_of("a/b/c_d") == ("a/b", "c d")


def test_curves_show_the_recorded_values(view, opened):
    steps, values = view.plots["loss"].shown()["train"]
    recorded = opened.state.series["train/loss"]
    np.testing.assert_array_equal(steps, recorded.step)
    np.testing.assert_array_equal(values, recorded.value)


def test_heading_reads_the_values_at_the_step_and_under_the_mouse(qtbot, view, opened):
    recorded = opened.state.series["train/loss"].value
    assert view.plots["loss"].readout()["train"] == recorded[39]
    opened.state.set_step(10)
    qtbot.waitUntil(lambda: view.plots["loss"].readout()["train"] == recorded[9])
    view.plots["accuracy"].hovered.emit(25.4)
    assert view.plots["loss"].readout()["train"] == recorded[24]
    assert "at step 25" in view.plots["loss"].heading()
    view.plots["accuracy"].hovered.emit(None)
    assert view.plots["loss"].readout()["train"] == recorded[9]


def test_the_legend_says_less_where_there_is_less_room(qtbot, view):
    plot = view.plots["accuracy"]
    value = plot.readout()["train"]
    assert plot.legend()["train"] == f"train {value:.4g}"
    plot.resize(plot.minimumSize())
    assert plot.legend() == {"train": "train", "validation": "validation"}
    for width in range(plot.minimumWidth(), 400, 10):
        plot.resize(width, plot.height())
        words = plot.legend()
        wide = plot.fontMetrics().horizontalAdvance("".join(words.values()))
        assert words["train"] == "train" or wide < width


def test_click_in_a_plot_moves_the_step(qtbot, view, opened):
    plot = view.plots["loss"]
    qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(round(plot.x_of(21.0)), plot.height() // 2))
    qtbot.waitUntil(lambda: opened.state.step == 20)


def drag(view, plot, button, start, end):
    for kind, at, pressed in (
        (QEvent.Type.MouseButtonPress, start, button),
        (QEvent.Type.MouseMove, end, button),
        (QEvent.Type.MouseButtonRelease, end, Qt.MouseButton.NoButton),
    ):
        place = QPointF(at, plot.height() / 2)
        changed = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else button
        modifiers = Qt.KeyboardModifier.NoModifier
        event = QMouseEvent(kind, place, plot.mapToGlobal(place), changed, pressed, modifiers)
        QApplication.sendEvent(plot, event)


def test_dragging_moves_the_step_and_pointing_reads_values(qtbot, view, opened):
    plot = view.plots["loss"]
    drag(view, plot, Qt.MouseButton.LeftButton, plot.x_of(40), plot.x_of(11))
    assert opened.state.step == 10
    qtbot.mouseMove(plot, QPoint(round(plot.x_of(30)), plot.height() // 2))
    qtbot.waitUntil(lambda: "at step 30" in view.plots["accuracy"].heading())


def test_wheel_zooms_all_plots_the_middle_button_pans_and_the_button_shows_all(qtbot, view):
    plot, other = view.plots["loss"], view.plots["accuracy"]
    whole = plot.x_of(1), plot.x_of(40)
    place = QPointF(plot.x_of(20), plot.height() / 2)
    wheel = QWheelEvent(
        place, plot.mapToGlobal(place), QPoint(), QPoint(0, 480), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(plot, wheel)
    qtbot.waitUntil(lambda: other.x_of(1) < whole[0] - 20 and not view.is_pending)
    assert plot.x_of(20) == pytest.approx(place.x())
    assert len(plot.shown()["train"][0]) < 40
    drag(view, plot, Qt.MouseButton.MiddleButton, place.x(), place.x() + 30)
    qtbot.waitUntil(lambda: other.x_of(20) == pytest.approx(place.x() + 30))
    view.whole.click()
    qtbot.waitUntil(lambda: (other.x_of(1), other.x_of(40)) == whole)


def test_vectors_hold_every_plot(view):
    drawing = view.vector_source()
    image = QImage(drawing.size, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    drawing.paint(painter)
    painter.end()
    seen = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    assert {view.theme.palette.background, view.theme.curve("train"), view.theme.curve("validation")} <= seen


def test_both_themes_paint_curves_and_ground(qtbot, view, theme, has_colour):
    for mode in ("dark", "light"):
        theme.set_mode(mode)
        qtbot.waitUntil(lambda: has_colour(view, theme.palette.background, 2))
        qtbot.waitUntil(lambda: has_colour(view, theme.curve("validation")))


def test_nan_is_marked_where_it_begins_and_peaks_survive(qtbot, context, show_view):
    values = np.ones(50_000)
    values[30_000] = 100.0
    values[40_000:40_010] = np.nan
    values[45_000] = np.inf
    context.state.open(None)
    context.state.path = Path("run")
    context.state.apply(Update(Cursor(1), Status("finished"), {"train/loss": series(values)}, (), ()))
    view = show_view(MetricsView)
    qtbot.waitUntil(lambda: "loss" in view.plots and not view.is_pending)
    plot = view.plots["loss"]
    assert plot.marks == [(40_001.0, 1.0), (45_001.0, 1.0)]
    assert "11 NaN or infinite" in plot.heading()
    steps, shown = plot.shown()["train"]
    assert len(steps) < 4 * plot.width()
    assert shown.max() == 100.0


def test_constant_numbers_get_a_range_around_them(view):
    low, high = view.plots["learning rate"].limits
    assert low == pytest.approx(0.005)
    assert high == pytest.approx(0.015)


def test_new_numbers_of_a_live_run_are_drawn(qtbot, context, show_view, tmp_path):
    run = RunWriter.create(tmp_path, "live", {})
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(run.folder)
    view = show_view(MetricsView)
    assert "Waiting" in view.message
    run.scalars(1, {"train/loss": 2.0})
    qtbot.waitUntil(lambda: list(view.plots) == ["loss"])
    run.scalars(2, {"train/loss": 1.0, "validation/accuracy": 0.5})
    qtbot.waitUntil(lambda: list(view.plots) == ["loss", "accuracy"])
    qtbot.waitUntil(lambda: len(view.plots["loss"].shown()["train"][0]) == 2)
    run.close("finished")


def test_without_numbers_it_says_so(qtbot, context, show_view, tmp_path):
    view = show_view(MetricsView)
    assert "Ctrl+N" in view.message
    run = RunWriter.create(tmp_path, "empty", {})
    run.close("finished")
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(run.folder)
    qtbot.waitUntil(lambda: view.message == "This run recorded no numbers.")


def test_table_has_every_number(view, opened):
    columns, rows = view.table()
    rows = list(rows)
    assert columns == ("tag", "step", "epoch", "wall_time", "value")
    assert len(rows) == sum(len(series) for series in opened.state.series.values())


def test_growth_is_marked_on_every_plot_and_told_to_who_points_at_it(
    qtbot, context, show_view, tmp_path, theme
):
    theme.set_mode("dark")
    run = RunWriter.create(tmp_path, "growing", {})
    for step in range(1, 101):
        run.scalars(step, {"train/loss": 1 / step, "validation/accuracy": 1 - 1 / step})
    view = show_view(MetricsView)
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(run.folder)
    qtbot.waitUntil(lambda: len(view.plots) == 2 and not view.is_pending)
    assert not any(plot.milestones for plot in view.plots.values())
    assert "▼" not in view.hint.text()
    run.event("widened conv2 64 → 96", kind="growth", step=60)
    qtbot.waitUntil(lambda: all(plot.milestones for plot in view.plots.values()))
    assert "▼" in view.hint.text()
    strong = [int(theme.palette.foreground[i : i + 2], 16) for i in (1, 3, 5)]
    for plot in view.plots.values():
        qtbot.waitUntil(lambda plot=plot: (column(plot, 60) == strong).all(axis=-1).any())
        assert not (column(plot, 40) == strong).all(axis=-1).any()
        qtbot.mouseMove(plot, QPoint(round(plot.x_of(60)) + 2, plot.height() // 2))
        qtbot.waitUntil(lambda plot=plot: plot.toolTip() == "Step 60\nNetwork grew: widened conv2 64 → 96")
        qtbot.mouseMove(plot, QPoint(round(plot.x_of(40)), plot.height() // 2))
        qtbot.waitUntil(lambda plot=plot: plot.toolTip() == "")
        assert "widened conv2" in plot.accessibleDescription()
    run.close("finished")


def column(plot, step):
    """Pixels of a plot above and below each other at a step, right and left of it too."""
    image = plot.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    pixels = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    x = round(plot.x_of(step) * image.devicePixelRatio())
    return pixels[:, : image.width() * 3].reshape(image.height(), image.width(), 3)[:, x - 2 : x + 3]
