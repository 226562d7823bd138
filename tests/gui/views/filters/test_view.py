from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt

from mmgraph.runs import RunReader, RunWriter, Snapshot
from mmgraph_gui.views import Context
from mmgraph_gui.views.filters.view import FilterView


@pytest.fixture
def view(qtbot: Any, opened: Context, show_view: Callable[[Any], Any]) -> FilterView:
    view = show_view(FilterView)
    qtbot.waitUntil(lambda: view.tiles is not None)
    return view


def recorded(view: FilterView, kind: str, step: int) -> np.ndarray:
    with RunReader(view.state.path) as reader:
        return reader.load(reader.snapshots(kind=kind, step=step)[0]).array


def choose(qtbot: Any, view: FilterView, **choices: str) -> None:
    before = view.tiles
    for name, value in choices.items():
        box = {"kind": view.kind_box, "scaling": view.scaling_box}[name]
        index = box.findData(value)
        box.setCurrentIndex(index)
        box.activated.emit(index)
    qtbot.waitUntil(lambda: view.tiles is not before)


def shown_pixels(view: FilterView, index: int) -> np.ndarray:
    """(height, width, 3): the middle of each value of a tile, as drawn."""
    tiles = view.tiles
    top, left = tiles.grid.corner(index)
    height, width = tiles.values.shape[1:3]
    middle = tiles.grow // 2
    return np.array(
        [
            [
                tiles.image.pixelColor(
                    left + x * tiles.grow + middle, top + y * tiles.grow + middle
                ).getRgb()[:3]
                for x in range(width)
            ]
            for y in range(height)
        ]
    )


def test_filters_are_tiled_in_the_colours_of_their_values(view: FilterView) -> None:
    filters = recorded(view, "filters", 40)
    assert len(view.tiles.names) == 8
    np.testing.assert_array_equal(view.tiles.values, filters[:, 0])
    for index in (0, 7):
        values = filters[index, 0]
        scaled = (values - values.min()) / np.ptp(values)
        difference = shown_pixels(view, index).astype(int) - view.theme.continuous(scaled).astype(int)
        assert np.abs(difference).max() <= 4
    assert "8 filters of 3 × 3" in view.caption.text()


def test_the_picture_on_screen_is_not_blank(view: FilterView, pixels_of: Callable[[Any], np.ndarray]) -> None:
    assert len(np.unique(pixels_of(view.picture).reshape(-1, 3), axis=0)) > 20


def test_another_step_shows_other_filters(qtbot: Any, view: FilterView) -> None:
    view.state.set_step(10)
    qtbot.waitUntil(lambda: view.tiles.info.step == 10)
    np.testing.assert_array_equal(view.tiles.values, recorded(view, "filters", 10)[:, 0])


def test_symmetric_colours_have_one_range_around_zero(qtbot: Any, view: FilterView) -> None:
    choose(qtbot, view, scaling="symmetric")
    largest = np.abs(recorded(view, "filters", 40)).max()
    np.testing.assert_allclose(view.tiles.limits, [[-largest, largest]] * 8)
    assert view.ramp.accessibleName() == f"Colours from {-largest:.4g} to {largest:.4g}"
    values = view.tiles.values[0]
    colours = shown_pixels(view, 0)
    assert (colours[values > 0.3 * largest][:, 0] > colours[values > 0.3 * largest][:, 2]).all()
    assert (colours[values < -0.3 * largest][:, 0] < colours[values < -0.3 * largest][:, 2]).all()


def test_feature_maps_are_those_of_the_selected_item(qtbot: Any, view: FilterView) -> None:
    choose(qtbot, view, kind="feature_maps")
    assert view.tiles.item == 0
    assert "select an item" in view.caption.text()
    view.state.select([5])
    qtbot.waitUntil(lambda: view.tiles.item == 5)
    np.testing.assert_array_equal(view.tiles.values, recorded(view, "feature_maps", 40)[5])
    assert view.caption.text().startswith("digit 5")
    assert not view.item_picture.pixmap().isNull()
    view.state.select([200])
    qtbot.waitUntil(lambda: "no maps were recorded of the selected item" in view.caption.text())


def test_hovering_names_the_filter_and_its_range(view: FilterView) -> None:
    top, left = view.tiles.grid.corner(3)
    grow = view.tiles.grow
    view.picture.pointed.emit(top + 2 * grow, left + grow)
    values = view.tiles.values[3]
    text = view.caption.text()
    assert text.startswith(f"filter 3: {values.min():.4g} to {values.max():.4g}")
    assert f"here {values[2, 1]:.4g} at row 2, column 1" in text
    view.picture.pointed.emit(None, None)
    assert "8 filters" in view.caption.text()


def test_the_table_lists_every_value(view: FilterView) -> None:
    columns, rows = view.table()
    rows = list(rows)
    assert columns == ("tile", "row", "column", "value")
    assert len(rows) == 72
    assert rows[5] == ("filter 0", 1, 2, float(view.tiles.values[0, 1, 2]))


def open_run(qtbot: Any, context: Context, tmp_path: Any, *snapshots: Snapshot) -> None:
    with RunWriter.create(tmp_path, "run", {}) as run:
        run.scalars(1, {"train/loss": 1.0})
        if snapshots:
            run.snapshots(1, list(snapshots), wait=True)
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(run.folder)


def test_filters_of_colour_pictures_are_shown_in_colour(
    qtbot: Any, context: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    view = show_view(FilterView)
    weights = np.zeros((2, 3, 5, 5), np.float32)
    weights[0, 0], weights[1, 2] = 1, 1
    open_run(qtbot, context, tmp_path, Snapshot("filters", "conv", weights))
    qtbot.waitUntil(lambda: view.tiles is not None)
    assert view.tiles.names == ("filter 0 (RGB)", "filter 1 (RGB)")
    assert (shown_pixels(view, 0) == [255, 0, 0]).all()
    assert (shown_pixels(view, 1) == [0, 0, 255]).all()
    view.picture.pointed.emit(*view.tiles.grid.corner(1))
    assert "here 0, 0, 1" in view.caption.text()


def test_nan_is_magenta_and_counted_and_many_tiles_are_sampled(
    qtbot: Any, context: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    view = show_view(FilterView)
    weights = np.random.default_rng(0).normal(size=(128, 64, 1, 2)).astype(np.float32)
    weights[0, 0, 0, 1] = np.nan
    open_run(qtbot, context, tmp_path, Snapshot("filters", "conv", weights))
    qtbot.waitUntil(lambda: view.tiles is not None)
    assert shown_pixels(view, 0)[0, 1].tolist() == [255, 0, 255]
    assert "4,096 of 8,192 filters shown" in view.caption.text()
    assert "1 NaN or infinite (magenta)" in view.caption.text()
    assert view.tiles.names[65] == "filter 1, input 1"


def test_filters_over_time_are_laid_out_frame_by_frame(
    qtbot: Any, context: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    view = show_view(FilterView)
    open_run(qtbot, context, tmp_path, Snapshot("filters", "conv", np.zeros((2, 1, 3, 4, 4), np.float32)))
    qtbot.waitUntil(lambda: view.tiles is not None)
    assert view.tiles.names[4] == "filter 1, frame 1"


def test_a_run_without_filters_says_so(
    qtbot: Any, context: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    view = show_view(FilterView)
    open_run(qtbot, context, tmp_path)
    qtbot.waitUntil(lambda: view.message == "This run recorded no filters and no feature maps.")


def test_only_feature_maps_are_shown_without_asking(
    qtbot: Any, context: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    view = show_view(FilterView)
    maps = Snapshot("feature_maps", "conv", np.ones((2, 3, 4, 4), np.float32))
    open_run(qtbot, context, tmp_path, maps)
    qtbot.waitUntil(lambda: view.tiles is not None)
    assert view.kind == "feature_maps"
    assert not view.kind_box.isEnabled()


def test_the_change_since_the_first_snapshot_is_shown(qtbot: Any, view: FilterView) -> None:
    choose(qtbot, view, kind="change")
    first, now = (recorded(view, "filters", step)[:, 0] for step in (10, 40))
    np.testing.assert_allclose(view.tiles.values, now - first, atol=1e-6)
    assert "change since step 10" in view.caption.text()


def test_display_options_lay_tiles_out_and_limit_colours(qtbot: Any, view: FilterView) -> None:
    view.display.columns.setValue(2)
    view.display.padding.setValue(5)
    qtbot.waitUntil(lambda: view.tiles.grid.padding == 5)
    assert view.tiles.grid.columns == 2
    view.display.lowest.setText("-0.5")
    view.display.highest.setText("0.25")
    view.display.highest.editingFinished.emit()
    qtbot.waitUntil(lambda: view.tiles.limits[0].tolist() == [-0.5, 0.25])
    view.display.highest.setText("-3")  # not above the lowest: both count for nothing
    view.display.highest.editingFinished.emit()
    qtbot.waitUntil(lambda: view.tiles.limits[0].tolist() != [-0.5, 0.25])


def test_arrows_go_from_unit_to_unit_and_elsewhere_keep_their_meaning(qtbot: Any, view: FilterView) -> None:
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    asked: list[Any] = []
    view.ask_model = lambda slot, question: asked.append(question)  # type: ignore[method-assign]
    QTest.keyClick(view.picture, Qt.Key.Key_Right)
    assert view.unit is None
    top, left = view.tiles.grid.corner(0)
    target = view.picture.target()
    scale = target.width() / view.tiles.image.width()
    place = target.topLeft() + (view.picture.rect().topLeft().toPointF()) * 0
    QTest.mouseClick(
        view.picture,
        Qt.MouseButton.LeftButton,
        pos=(place + type(place)((left + 3) * scale, (top + 3) * scale)).toPoint(),
    )
    assert view.unit == 0
    assert view.panel.isVisible()
    QTest.keyClick(view.picture, Qt.Key.Key_Right)
    assert view.unit == 1
    view.panel.buttons["top"].click()
    QTest.keyClick(view.picture, Qt.Key.Key_Down)
    assert view.unit == 1 + view.tiles.grid.columns
    QTest.keyClick(view.picture, Qt.Key.Key_Up)
    QTest.keyClick(view.picture, Qt.Key.Key_Left)
    assert view.unit == 0
    assert [(question.kind, question.layer, question.unit) for question in asked] == [
        ("top-items", "encoder.conv1", unit) for unit in (1, 1 + view.tiles.grid.columns, 1, 0)
    ]


def test_u_and_o_move_the_layer(
    qtbot: Any, context: Context, digits_run: Any, show_view: Callable[[Any], Any]
) -> None:
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    with RunWriter(digits_run) as run:
        run.snapshots(
            40, [Snapshot("filters", "encoder.conv2", np.ones((2, 1, 3, 3), np.float32))], wait=True
        )
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(digits_run)
    view = show_view(FilterView)
    qtbot.waitUntil(lambda: view.tiles is not None)
    view.picture.setFocus()
    QTest.keyClick(view.picture, Qt.Key.Key_O)
    qtbot.waitUntil(lambda: view.tiles.info.layer == "encoder.conv2")
    QTest.keyClick(view.picture, Qt.Key.Key_U)
    qtbot.waitUntil(lambda: view.tiles.info.layer == "encoder.conv1")


def test_dead_filters_are_framed_and_counted(
    qtbot: Any, context: Context, digits_run: Any, show_view: Callable[[Any], Any]
) -> None:
    filters = np.random.default_rng(0).normal(size=(4, 2, 3, 3)).astype(np.float32)
    filters[2] = 0
    with RunWriter(digits_run) as run:
        run.snapshots(
            50, [Snapshot("filters", "encoder.conv1", filters, extras={"out": np.array([0, 8, 16, 24])})]
        )
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(digits_run)
    view = show_view(FilterView)
    qtbot.waitUntil(lambda: view.tiles is not None and view.tiles.info.step == 50)
    assert view.tiles.dead.tolist() == [False] * 4 + [True] * 2 + [False] * 2
    assert view.tiles.units.tolist() == [0, 0, 8, 8, 16, 16, 24, 24]
    assert "1 dead (framed)" in view.caption.text()
    assert view.tiles.names[4] == "filter 16, input 0"
    assert view.tiles.summary(4).endswith(", dead")
    top, left = view.tiles.grid.corner(4)
    assert view.tiles.image.pixelColor(left - 1, top).name() == view.theme.palette.error


def answered(
    question: Any, snapshots: tuple[Snapshot, ...], facts: dict[str, Any], partial: bool = False
) -> Any:
    from mmgraph_gui.asking.model_process import ModelAnswer

    return ModelAnswer(question, facts, snapshots, 40, partial)


def test_answers_of_the_model_are_drawn_beside_the_tiles(qtbot: Any, view: FilterView) -> None:
    from mmgraph.questions import GradCAM, Maximise, TopItems

    view.ask_model = lambda slot, question: None  # type: ignore[method-assign]
    view.choose_unit(3)
    panel = view.panel
    panel.buttons["top"].click()
    assert panel.progress.isVisible()
    view.model_progress("unit", 0.5, "half")
    assert panel.progress.value() == 500
    assert panel.text.text() == "half"
    top = {"rows": [7, 3, 11], "values": [3.0, 2.0, 1.0], "of": 300, "dead": False}
    view.receive("unit", answered(TopItems(layer="encoder.conv1", unit=3), (), top))
    assert not panel.progress.isVisible()
    assert "300 items" in panel.text.text()
    assert "above zero" not in panel.text.text()
    view.receive("unit", answered(TopItems(layer="encoder.conv1", unit=3), (), top | {"dead": True}))
    # A convolution may well be below zero everywhere where a normalisation comes after it.
    assert panel.text.text().endswith("above zero for none of them")
    panel.picture.clicked.emit(*(corner + 5 for corner in panel._grid.corner(1)))
    assert view.state.selection.tolist() == [3]
    picture = Snapshot("image", "encoder.conv1 unit 3", np.full((1, 8, 8, 1), 200, np.uint8))
    maximise = Maximise(layer="encoder.conv1", unit=3)
    view.receive("unit", answered(maximise, (picture,), {"layer": "encoder.conv1", "unit": 3}, partial=True))
    assert panel.picture.image.width() == 8
    view.receive("unit", answered(maximise, (picture,), {"before": 0.1, "after": 2.0}))
    assert "0.1 → 2" in panel.text.text()
    heat = Snapshot(
        "feature_maps", "Grad-CAM", np.random.default_rng(0).random((1, 1, 4, 4)).astype(np.float32)
    )
    view.receive("unit", answered(GradCAM(row=3), (heat,), {"class": "seven", "probability": 0.9}))
    assert "for seven (90.0%)" in panel.text.text()
    view.model_failed("unit", "It cannot.")
    assert panel.text.text() == "It cannot."
    assert view.message == ""


def test_the_change_of_a_layer_that_grew_is_that_since_it_grew(
    qtbot: Any, opened: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    wide = np.random.default_rng(0).normal(size=(2, 4, 1, 3, 3)).astype(np.float32)
    with RunWriter.create(tmp_path, "grown", {}) as run:
        run.snapshots(0, [Snapshot("filters", "conv", wide[0, :2])], wait=True)
        for step, filters in zip((5, 9), wide, strict=True):
            run.snapshots(step, [Snapshot("filters", "conv", filters)], wait=True)
    opened.follower.open(run.folder)
    qtbot.waitUntil(lambda: opened.state.path == run.folder and opened.state.step == 9)
    view = show_view(FilterView)
    qtbot.waitUntil(lambda: view.tiles is not None)
    choose(qtbot, view, kind="change")
    np.testing.assert_allclose(view.tiles.values, (wide[1] - wide[0])[:, 0], atol=1e-6)
    assert "change since step 5, when the layer had grown" in view.caption.text()
    opened.state.set_step(0)
    qtbot.waitUntil(lambda: "change since step 0" in view.caption.text())
    assert not view.tiles.values.any()
    assert "grown" not in view.caption.text()


def test_display_options_are_chosen_without_a_mouse(qtbot: Any, view: FilterView) -> None:
    menu = view.display.menu()
    menu.popup(view.display.mapToGlobal(view.display.rect().bottomLeft()))
    qtbot.waitUntil(lambda: menu.focusWidget() is view.display.columns)
    # Keys of a menu that is open go to what has its focus.
    for _ in range(3):
        qtbot.keyClick(menu.focusWidget(), Qt.Key.Key_Up)
    assert view.display.columns.value() == 3
    display = view.display
    for field in (display.padding, display.saturation, display.lowest, display.highest, display.columns):
        qtbot.keyClick(menu.focusWidget(), Qt.Key.Key_Tab)
        assert menu.focusWidget() is field
    menu.close()
    qtbot.waitUntil(lambda: view.tiles.grid.columns == 3)
