from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from mmgraph.runs import Cursor, RunWriter, Series, Status, Update
from mmgraph_gui.drawing.axes import value_ticks
from mmgraph_gui.drawing.curve import Curve
from mmgraph_gui.drawing.curves import CurvePlot, group_of
from mmgraph_gui.drawing.readout import Readout
from mmgraph_gui.drawing.thinning import smoothed
from mmgraph_gui.runs.otherruns import OtherRuns
from mmgraph_gui.views.metrics import MetricsView, grouped, held


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
    assert plot.legend()["train"] == "train"
    assert plot.legend().get("validation", "…").endswith("…")
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
    assert plot.curves.marks == [(40_001.0, 1.0), (45_001.0, 1.0)]
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


def test_the_hint_has_its_colour_where_the_view_was_seen_before_a_run(qtbot, context, show_view, digits_run):
    view = show_view(MetricsView)
    qtbot.waitUntil(lambda: not view.is_pending)
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(digits_run)
    qtbot.waitUntil(lambda: view.plots != {} and not view.is_pending)
    colour = view.hint.palette().color(view.hint.foregroundRole())
    assert colour == QColor(view.theme.palette.muted)


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


@pytest.fixture
def second(tmp_path):
    """A run of the same quantities, twice as long and half as fast."""
    with RunWriter.create(tmp_path, "second", {}) as run:
        for step in range(1, 81):
            run.scalars(step, {"train/loss": 2 / step, "validation/accuracy": step / 100}, epoch=step / 20)
    return run.folder


def overlay(opened, path):
    others = OtherRuns(opened.state)
    others.set(path, True)
    return others


def test_other_runs_are_drawn_in_colours_of_their_own(qtbot, view, opened, second, has_colour):
    others = overlay(opened, second)
    keys = {"digits train", "digits validation", "second train"}
    qtbot.waitUntil(lambda: set(view.plots["loss"].readout()) == keys)
    plot = view.plots["accuracy"]
    qtbot.waitUntil(lambda: "second validation" in plot.readout() and not view.is_pending)
    own, other = opened.state.slot, opened.state.others[0].slot
    assert {own, other} == {0, 1}
    for slot in (own, other):
        qtbot.waitUntil(lambda slot=slot: has_colour(plot, view.theme.run(slot)))
    assert list(plot.legend().values()) == ["digits", "second"]
    plot.hovered.emit(30.0)
    assert plot.readout()["second validation"] == 0.3
    assert not has_colour(plot, "#123456")
    columns, rows = view.table()
    assert columns[0] == "run"
    assert {row[0] for row in rows} == {"digits", "second"}
    others.set(second, False)
    qtbot.waitUntil(lambda: set(view.plots["loss"].readout()) == {"train", "validation"})
    assert others.paths == frozenset()
    others.close()


def test_an_other_run_grows_while_it_is_trained_and_is_told_of_when_it_goes(qtbot, view, opened, tmp_path):
    run = RunWriter.create(tmp_path, "live", {})
    others = overlay(opened, run.folder)
    failed = []
    others.failed.connect(failed.append)
    for step in range(1, 4):
        run.scalars(step, {"train/loss": 1.0 / step})
        qtbot.waitUntil(
            lambda step=step: any(
                len(other.series.get("train/loss", ())) == step for other in opened.state.others
            )
        )
    run.close("finished")
    shutil.rmtree(run.folder)
    assert opened.state.others[0].series["train/loss"].value[2] == pytest.approx(1 / 3)
    others.set(tmp_path / "nothing", True)
    qtbot.waitUntil(lambda: any("nothing" in text for text in failed))
    assert len(opened.state.others) == 1
    assert tmp_path / "nothing" not in others.paths
    others.close()


def test_colours_stay_with_their_runs(opened, tmp_path):
    others = OtherRuns(opened.state)
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        others.set(path, True)
    slots = {path: others.slot_of(path) for path in paths}
    assert len(set(slots.values()) | {others.slot_of(opened.state.path)}) == 4
    others.set(paths[0], False)
    assert others.slot_of(paths[2]) == slots[paths[2]]
    others.set(paths[0], True)
    assert others.slot_of(paths[0]) == slots[paths[0]]
    others.set(opened.state.path, False)  # the open run is always drawn
    assert others.slot_of(opened.state.path) is not None
    others.close()


def test_a_run_that_is_only_looked_at_does_not_stay_among_those_that_are_compared(
    qtbot, view, opened, second, tmp_path
):
    first = opened.state.path
    others = overlay(opened, second)
    looked_at = []
    for name in ("third", "fourth"):
        with RunWriter.create(tmp_path, name, {}) as run:
            run.scalars(1, {"train/loss": 1.0})
        looked_at.append(run.folder)
        opened.follower.open(run.folder)
        qtbot.waitUntil(lambda: opened.state.path == looked_at[-1])
        assert others.paths == {first, second, looked_at[-1]}
    opened.follower.open(second)
    qtbot.waitUntil(lambda: opened.state.path == second)
    assert others.paths == {first, second}
    others.close()


def test_epochs_and_time_move_the_curves_and_the_step_stays_right(qtbot, view, opened):
    plot = view.plots["loss"]
    view.kind.setCurrentIndex(view.kind.findData("epoch"))
    qtbot.waitUntil(lambda: plot.span == (0.1, 4.0) and not view.is_pending)
    steps, _ = plot.shown()["train"]
    np.testing.assert_allclose(steps, opened.state.series["train/loss"].epoch)
    qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(round(plot.x_of(21.0)), plot.height() // 2))
    assert opened.state.step == 20
    plot.hovered.emit(2.5)
    assert plot.readout()["train"] == opened.state.series["train/loss"].value[24]
    assert "at epoch 2.5" in plot.heading()
    view.kind.setCurrentIndex(view.kind.findData("time"))
    qtbot.waitUntil(lambda: plot.span[0] == 0.0 and not view.is_pending)
    assert plot.heading().endswith(" s")
    plot.hovered.emit(None)
    for step in (20, 40):  # what was tested of a step belongs to it, though it took a while
        opened.state.set_step(step)
        value = opened.state.series["validation/loss"].value[step // 10 - 1]
        qtbot.waitUntil(lambda value=value: plot.readout()["validation"] == value)


def test_the_cross_hair_stays_under_a_mouse_that_rests_while_the_axes_change(qtbot, view, opened):
    plot = view.plots["loss"]
    place = QPointF(plot.x_of(30), plot.height() / 2)
    none = Qt.MouseButton.NoButton
    send(plot, QEvent.Type.MouseMove, place, none, none)
    assert "at step 30" in plot.heading()
    view.kind.setCurrentIndex(view.kind.findData("epoch"))
    qtbot.waitUntil(lambda: plot.span == (0.1, 4.0) and not view.is_pending)
    epochs = opened.state.series["train/loss"].epoch
    assert "at epoch 3" in plot.heading()
    assert view.plots["accuracy"].heading().endswith(plot.heading().removeprefix("loss"))
    assert plot.readout()["train"] == opened.state.series["train/loss"].value[np.searchsorted(epochs, 3.0)]
    view.log_x.click()
    qtbot.waitUntil(lambda: plot.span[0] == -1.0 and not view.is_pending)
    assert "at epoch 3" not in plot.heading()


def test_logarithmic_axes(qtbot, view, opened):
    plot = view.plots["loss"]
    recorded = opened.state.series["train/loss"]
    view.log_x.click()
    view.log_y.click()
    qtbot.waitUntil(lambda: plot.span == (0.0, pytest.approx(np.log10(40))) and not view.is_pending)
    steps, values = plot.shown()["train"]
    np.testing.assert_allclose(steps, np.log10(recorded.step))
    np.testing.assert_allclose(values, np.log10(recorded.value))
    qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(round(plot.x_of(20)), plot.height() // 2))
    assert opened.state.step == 20
    qtbot.waitUntil(lambda: plot.readout()["train"] == recorded.value[19])


def test_what_is_not_above_zero_is_left_out_of_a_logarithmic_axis(theme, qtbot):
    plot = CurvePlot("loss", theme)
    qtbot.addWidget(plot)
    plot.draw([Curve("train", series(np.array([-1.0, 0.0, 10.0, np.nan, 100.0])))], (1, 5), log=True)
    np.testing.assert_allclose(plot.shown()["train"][1], [1.0, 2.0])
    assert plot.curves.marks == [(4.0, 1.0)]
    plot.draw([Curve("train", series(np.zeros(3)))], (1, 3), log=True)
    plot.grab()


def test_smoothing_leaves_the_raw_curve_in_the_background(qtbot, view, opened, pixels_of):
    plot = view.plots["loss"]
    recorded = opened.state.series["train/loss"].value
    view.smoothing.setValue(90)
    qtbot.waitUntil(lambda: plot._thinned.faint != {} and not view.is_pending)
    np.testing.assert_allclose(plot.shown()["train"][1], smoothed(recorded, 0.9))
    np.testing.assert_array_equal(plot._thinned.faint["train"][1], recorded)
    assert view.weight.text() == "smooth 0.90"
    assert plot.readout()["train"] == recorded[-1]  # values that are read are those that were recorded


def test_the_best_is_marked(view, opened):
    accuracy = opened.state.series["validation/accuracy"]
    assert view.plots["accuracy"].curves.best == {"validation": (40.0, accuracy.value.max())}
    assert view.plots["loss"].curves.best == {
        "validation": (40.0, opened.state.series["validation/loss"].value.min())
    }
    assert view.plots["learning rate"].curves.best == {}


def test_marks_at_the_last_step_are_whole(theme, qtbot):
    plot = CurvePlot("loss", theme)
    qtbot.addWidget(plot)
    plot.resize(600, 300)
    alone = Series(np.array([40]), np.array([40.0]), np.array([40.0]), np.array([0.5]))
    plot.draw([Curve("train", series(np.linspace(1, 0, 40))), Curve("test", alone)], (1, 40))
    image = plot.grab().toImage()
    ratio = image.devicePixelRatio()
    x = round(plot.x_of(40) * ratio)
    low, high = plot.limits
    box = plot._area().box
    y = round((box.bottom() - (0.5 - low) / (high - low) * box.height()) * ratio)
    assert image.pixelColor(x + 2, y) == image.pixelColor(x - 2, y) == QColor(theme.curve("test"))
    plot.draw([Curve("train", series(np.linspace(1, 0, 40))), Curve("test", alone)], (1, 39.5))
    assert plot.grab().toImage().pixelColor(x + 2, y) == QColor(theme.palette.background)


def send(plot, kind, at, button, pressed, modifiers=Qt.KeyboardModifier.NoModifier):
    event = QMouseEvent(kind, at, plot.mapToGlobal(at), button, pressed, modifiers)
    QApplication.sendEvent(plot, event)


def test_a_box_zooms_both_ways_and_a_double_click_shows_all(qtbot, view, opened):
    plot, left = view.plots["loss"], Qt.MouseButton.LeftButton
    step = opened.state.step
    whole = plot.span, plot.limits
    area = plot._area().box
    start, end = QPointF(plot.x_of(10), area.top() + 20), QPointF(plot.x_of(20), area.top() + 60)
    wanted = plot._area().value_at(end.y()), plot._area().value_at(start.y())
    shift, none = Qt.KeyboardModifier.ShiftModifier, Qt.MouseButton.NoButton
    send(plot, QEvent.Type.MouseButtonPress, start, left, left, shift)
    send(plot, QEvent.Type.MouseMove, end, none, left, shift)
    plot.grab()
    send(plot, QEvent.Type.MouseButtonRelease, end, left, none, shift)
    assert plot.span == pytest.approx((10, 20))
    assert plot.limits == pytest.approx(wanted)
    assert opened.state.step == step
    qtbot.waitUntil(lambda: view.plots["accuracy"].span == pytest.approx((10, 20)))
    qtbot.mouseDClick(plot, left, pos=area.center().toPoint())
    qtbot.waitUntil(lambda: (plot.span, plot.limits) == whole)


def test_ctrl_and_wheel_zoom_values_alone(qtbot, view):
    plot = view.plots["loss"]
    span, limits = plot.span, plot.limits
    place = plot._area().box.center()
    wheel = QWheelEvent(
        place, plot.mapToGlobal(place), QPoint(), QPoint(0, 480), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.ControlModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(plot, wheel)
    assert plot.span == span
    assert limits[0] < plot.limits[0] < plot.limits[1] < limits[1]
    view.whole.click()
    assert plot.limits == limits


def test_a_spike_of_one_point_in_100_000_is_on_screen(theme, qtbot, has_colour):
    values = np.zeros(100_000)
    values[61_234] = 5.0
    plot = CurvePlot("loss", theme)
    qtbot.addWidget(plot)
    plot.resize(600, 300)
    plot.draw([Curve("train", series(values))], (1, 100_000))
    plot.show()
    image = plot.grab().toImage()
    x = round(plot.x_of(61_235))
    middle = round(plot._area().box.center().y())
    wanted = QColor(theme.curve("train"))
    near = [image.pixelColor(x + by, middle) for by in range(-2, 4)]
    assert any(abs(c.red() - wanted.red()) + abs(c.blue() - wanted.blue()) < 60 for c in near)


def test_values_of_runs_are_read_in_a_box_that_is_no_narrower_than_it_must_be(qtbot, view, opened, second):
    others = overlay(opened, second)
    plot = view.plots["accuracy"]
    qtbot.waitUntil(lambda: "second validation" in plot.readout() and not view.is_pending)
    view.resize(300, 400)  # so narrow that a box of half the width of a plot would have no room
    place = QPointF(plot.x_of(30), plot.height() / 2)
    none = Qt.MouseButton.NoButton
    send(plot, QEvent.Type.MouseMove, place, none, none)
    qtbot.waitUntil(view.readout.isVisible)
    read = {name: value for _, value, name in view.readout.rows}
    assert read["validation second"] == "0.3"
    assert len(read) == len(plot.readout())
    assert view.content.rect().contains(view.readout.geometry())
    plot.hovered.emit(None)
    assert not view.readout.isVisible()
    others.close()


def test_no_box_repeats_what_the_legend_says(qtbot, view):
    plot = view.plots["loss"]
    view.resize(1200, 700)
    place = QPointF(plot.x_of(30), plot.height() / 2)
    send(plot, QEvent.Type.MouseMove, place, Qt.MouseButton.NoButton, Qt.MouseButton.NoButton)
    assert "train" in plot.legend()["train"]
    assert not view.readout.isVisible()
    plot.resize(150, 140)  # names or values have room, not both
    assert plot.legend()["train"] != f"train {plot.readout()['train']:.4g}"
    assert {name for _, name, _ in plot.untold()} == {"train", "validation"}


def test_many_values_are_read_highest_first(theme, qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(400, 500)
    parent.show()
    box = Readout(theme, parent)
    box.show_values(QPoint(390, 490), [("#123456", f"run {n} שלום 🦊", float(n)) for n in range(40)])
    assert [value for _, value, _ in box.rows[:2]] == ["39", "38"]
    assert box.rows[-1][2] == "… and 21 more"
    assert parent.rect().contains(box.geometry())
    assert not box.grab().toImage().isNull()
    box.show_values(QPoint(10, 10), [("#123456", "train", float("nan"))])
    assert not box.isVisible()


def test_numbers_beside_a_plot_are_not_cut(theme, qtbot):
    plot = CurvePlot("learning rate", theme)
    qtbot.addWidget(plot)
    plot.resize(260, 260)
    plot.draw([Curve("", series(np.linspace(2e-3, 1.993e-3, 5)))], (1, 5))
    assert plot.legend() == {"": ""}
    plot.grab()
    metrics = QFontMetricsF(plot.font())
    names = [name for _, name in value_ticks(plot._area(), metrics, log=False)]
    assert max(map(len, names)) > len("−0.0000")
    assert max(map(metrics.horizontalAdvance, names)) < plot.x_of(1)


def test_a_rate_that_is_recorded_when_it_changes_is_drawn_in_steps():
    longest = series(np.arange(10.0))
    rate = Series(np.array([1, 6]), np.array([1.0, 6.0]), np.array([1.0, 6.0]), np.array([0.1, 0.5]))
    steps = held(rate, longest)
    assert steps.step.tolist() == [1, 6, 6, 10]
    assert steps.value.tolist() == [0.1, 0.1, 0.5, 0.5]
    alone = Series(*(column[:1] for column in (rate.step, rate.epoch, rate.wall_time, rate.value)))
    assert held(alone, longest).value.tolist() == [0.1, 0.1]
    assert held(longest, longest) is longest
    empty = series(np.zeros(0))
    assert held(empty, longest) is empty
