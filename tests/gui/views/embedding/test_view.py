from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest

from mmgraph.runs import ItemSet, RunWriter, Snapshot
from mmgraph_gui.bars.stepbar import StepBar
from mmgraph_gui.state import Near
from mmgraph_gui.views import Context
from mmgraph_gui.views.embedding.view import EmbeddingView

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def view(qtbot: Any, opened: Context, show_view: Callable[[Any], Any]) -> EmbeddingView:
    view = show_view(EmbeddingView)
    wait_drawn(qtbot, view)
    return view


def wait_drawn(qtbot: Any, view: EmbeddingView) -> None:
    """Until the image on screen is that of the present viewport, colours and selection."""

    def drawn() -> bool:
        layer = view.plane.layers.get("points")
        return (
            layer is not None
            and not view.is_pending
            and layer.viewport == view.plane.viewport
            and not view.follower._latest
        )

    qtbot.waitUntil(drawn)


def place_of(view: EmbeddingView, row: int) -> QPoint:
    x, y = view.plane.viewport.to_pixels(view.points[row : row + 1])[0] / view.plane.ratio
    return QPoint(round(x), round(y))


def lone_row(view: EmbeddingView) -> int:
    """A row with no other point near it."""
    pixels = view.plane.viewport.to_pixels(view.points)
    apart = np.linalg.norm(pixels[:, None] - pixels, axis=2) + 1e9 * np.eye(len(pixels))
    return int(apart.min(axis=1).argmax())


def test_points_are_drawn_in_the_colours_of_their_classes(
    view: EmbeddingView, has_colour: Callable[..., bool]
) -> None:
    assert view.message == ""
    for label in range(10):
        assert has_colour(view.plane, view.theme.category(label), 40)
    assert "300 digits" in view.caption.text()
    assert view.legend.classes.count() == 10


def test_unchanged_vectors_do_not_move_between_steps(qtbot: Any, view: EmbeddingView) -> None:
    view.state.set_layer("embedding", "encoder")  # the same at every step of the fixture's run
    qtbot.waitUntil(lambda: "encoder" in view.caption.text())
    before = view.points.copy()
    wait_drawn(qtbot, view)
    viewport = view.plane.viewport
    view.state.set_step(20)
    qtbot.waitUntil(lambda: "step 20" in view.caption.text())
    np.testing.assert_array_equal(view.points, before)
    assert view.plane.viewport == viewport


def test_clicking_selects_and_empty_space_clears(qtbot: Any, view: EmbeddingView) -> None:
    row = lone_row(view)
    QTest.mouseClick(view.plane, LEFT, pos=place_of(view, row))
    assert view.state.selection.tolist() == [row]
    other = (row + 1) % 300
    view.state.select([other])
    wait_drawn(qtbot, view)
    QTest.mouseClick(view.plane, LEFT, Qt.KeyboardModifier.ControlModifier, place_of(view, row))
    assert view.state.selection.tolist() == sorted([row, other])
    QTest.mouseClick(view.plane, LEFT, Qt.KeyboardModifier.AltModifier, place_of(view, row))
    assert view.state.selection.tolist() == [other]
    QTest.mouseClick(view.plane, LEFT, pos=QPoint(2, 2))
    assert view.state.selection.tolist() == []


def drag(view: EmbeddingView, corners: list[tuple[int, int]], modifiers: Any) -> None:
    points = [QPoint(*corner) for corner in corners]
    QTest.mousePress(view.plane, LEFT, modifiers, points[0])
    for point in points[1:]:
        QTest.mouseMove(view.plane, point)
    QTest.mouseRelease(view.plane, LEFT, modifiers, points[-1])


def inside(view: EmbeddingView, left: int, top: int, right: int, bottom: int) -> list[int]:
    pixels = view.plane.viewport.to_pixels(view.points) / view.plane.ratio
    hit = (pixels > [left, top]).all(axis=1) & (pixels < [right, bottom]).all(axis=1)
    return np.flatnonzero(hit).tolist()


def test_shift_drag_selects_a_box(view: EmbeddingView) -> None:
    drag(view, [(100, 80), (200, 200), (400, 300)], Qt.KeyboardModifier.ShiftModifier)
    expected = inside(view, 100, 80, 400, 300)
    assert 0 < len(expected) < 300
    assert view.state.selection.tolist() == expected


def test_the_lasso_selects_what_it_goes_around(view: EmbeddingView) -> None:
    view.tools["lasso"].setChecked(True)
    corners = [(100, 80), (400, 80), (400, 300), (100, 300), (100, 82)]
    drag(view, corners, Qt.KeyboardModifier.NoModifier)
    expected = inside(view, 100, 80, 400, 300)
    assert len(expected) > 0
    assert view.state.selection.tolist() == expected


def test_dragging_moves_the_plane_and_show_all_brings_it_back(qtbot: Any, view: EmbeddingView) -> None:
    before = view.plane.viewport
    drag(view, [(300, 300), (330, 300), (380, 320)], Qt.KeyboardModifier.NoModifier)
    assert view.plane.viewport.scale == before.scale
    assert view.plane.viewport.x < before.x
    assert view.state.selection.tolist() == []
    view.plane.show_all()
    assert view.plane.viewport == before


def test_hovering_says_what_the_item_is_everywhere(qtbot: Any, view: EmbeddingView) -> None:
    row = lone_row(view)
    QTest.mouseMove(view.plane, place_of(view, row))
    assert view.state.hovered == row
    qtbot.waitUntil(lambda: view.plane.card is not None)
    description, picture = view.plane.card
    assert description.label == str(view.state.items.labels[row])
    assert picture is not None
    view.state.hover(None)
    qtbot.waitUntil(lambda: view.plane.card is None)


def test_unselected_points_are_dimmed_and_selected_ones_ringed(
    qtbot: Any,
    view: EmbeddingView,
    pixels_of: Callable[[Any], np.ndarray],
    has_colour: Callable[..., bool],
) -> None:
    before = pixels_of(view.plane).astype(int)
    assert not has_colour(view.plane, view.theme.palette.foreground, 20)
    view.state.select([lone_row(view)])
    qtbot.waitUntil(lambda: "1 selected" in view.caption.text())
    wait_drawn(qtbot, view)
    background = np.array([255, 255, 255])
    after = pixels_of(view.plane).astype(int)
    assert np.abs(after - background).sum() < 0.5 * np.abs(before - background).sum()
    assert has_colour(view.plane, view.theme.palette.foreground, 20)


def test_thumbnails_are_drawn_at_points(qtbot: Any, view: EmbeddingView) -> None:
    view.thumbnails.setChecked(True)
    qtbot.waitUntil(lambda: len(view.plane.stamps) > 20)
    places = np.array([(stamp.x, stamp.y) for stamp in view.plane.stamps])
    apart = np.abs(places[:, None] - places).max(axis=2) + 1e9 * np.eye(len(places))
    assert apart.min() >= view.plane.stamps[0].size


def test_the_legend_stays_while_it_would_say_the_same(qtbot: Any, view: EmbeddingView) -> None:
    first = view.legend.classes.item(0)
    view.request_render("colour")
    qtbot.waitUntil(lambda: not view.is_pending)
    assert view.legend.classes.item(0) is first
    view.state.set_colour_by("split")
    qtbot.waitUntil(lambda: view.legend.heading.text() == "Split")
    assert view.legend.classes.item(0).text().startswith("train")


def test_tools_have_icons_and_names_in_both_themes(view: EmbeddingView) -> None:
    for button in (*view.tools.values(), view.thumbnails, view.everything):
        assert not button.icon().isNull()
        assert button.accessibleName()
        assert button.toolTip()


def click_class(
    qtbot: Any, view: EmbeddingView, code: int, held: Any = Qt.KeyboardModifier.NoModifier
) -> None:
    place = view.legend.classes.visualItemRect(view.legend.classes.item(code)).center()
    qtbot.mouseClick(view.legend.classes.viewport(), LEFT, held, place)
    qtbot.waitUntil(lambda: not view.is_pending)
    wait_drawn(qtbot, view)


def test_shift_click_on_a_class_of_the_legend_selects_its_items(qtbot: Any, view: EmbeddingView) -> None:
    click_class(qtbot, view, 3, Qt.KeyboardModifier.ShiftModifier)
    assert view.state.selection.tolist() == np.flatnonzero(view.state.items.labels == 3).tolist()


def test_clicking_a_class_hides_it_and_ctrl_click_shows_it_alone(
    qtbot: Any, view: EmbeddingView, has_colour: Callable[..., bool]
) -> None:
    labels = view.state.items.labels
    click_class(qtbot, view, 3)
    assert view.state.hidden == {3}
    assert f"{(labels == 3).sum()} hidden" in view.caption.text()
    assert not has_colour(view.plane, view.theme.category(3), 10)
    assert view.legend.classes.item(3).font().strikeOut()
    row = int(np.flatnonzero(labels == 3)[0])
    assert view.plane.point_at(QPointF(place_of(view, row))) not in np.flatnonzero(labels == 3)
    drag(view, [(0, 0), (100, 100), (899, 599)], Qt.KeyboardModifier.ShiftModifier)
    assert not np.isin(view.state.selection, np.flatnonzero(labels == 3)).any()
    click_class(qtbot, view, 3)
    assert view.state.hidden == frozenset()
    click_class(qtbot, view, 5, Qt.KeyboardModifier.ControlModifier)
    assert view.state.hidden == set(range(10)) - {5}
    click_class(qtbot, view, 5, Qt.KeyboardModifier.ControlModifier)
    assert view.state.hidden == frozenset()
    click_class(qtbot, view, 2)
    view.state.set_colour_by("split")
    assert view.state.hidden == frozenset()


def test_colouring_by_a_number_shows_its_range(qtbot: Any, view: EmbeddingView) -> None:
    view.state.set_colour_by("ink")
    qtbot.waitUntil(lambda: view.legend.heading.text() == "ink")
    assert view.legend.classes.isHidden() or not view.legend.classes.isVisible()
    assert "Colours from" in view.legend.scale.accessibleName()


def test_switching_to_dark_repaints(
    qtbot: Any, view: EmbeddingView, pixels_of: Callable[[Any], np.ndarray]
) -> None:
    view.theme.set_mode("dark")
    wait_drawn(qtbot, view)
    assert pixels_of(view.plane)[2, -3].max() < 60


def test_the_table_has_a_row_for_each_point(view: EmbeddingView) -> None:
    columns, rows = view.table()
    rows = list(rows)
    assert columns == ("row", "id", "label", "prediction", "confidence", "loss", "x", "y")
    assert len(rows) == 300
    np.testing.assert_allclose([row[6:] for row in rows], view.points)


def test_it_can_be_painted_as_vectors(view: EmbeddingView) -> None:
    drawing = view.vector_source()
    image = QImage(drawing.size, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    drawing.paint(painter)
    painter.end()
    assert image.pixelColor(place_of(view, 0) * view.plane.ratio) != image.pixelColor(1, 1)


def test_vectors_that_are_not_finite_are_counted(
    qtbot: Any, context: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    vectors = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    vectors[3] = np.nan
    with RunWriter.create(tmp_path, "run", {}) as run:
        run.items(ItemSet(ids=np.arange(50)))
        snapshot = Snapshot("embedding", "e", vectors, extras={"rows": np.arange(30, 50)})
        run.snapshots(1, [snapshot], wait=True)
    view = show_view(EmbeddingView)
    context.follower.open(run.folder)
    qtbot.waitUntil(lambda: "NaN" in view.caption.text())
    assert "1 with NaN or infinity cannot be placed" in view.caption.text()
    assert "19 of 50 items shown" in view.caption.text()
    view.state.hover(31)
    qtbot.waitUntil(lambda: view.plane.marked == 1)


def test_a_run_without_embedding_says_so(
    qtbot: Any, context: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    view = show_view(EmbeddingView)
    qtbot.waitUntil(lambda: view.message == "No run is open.")
    with RunWriter.create(tmp_path, "run", {}) as run:
        run.scalars(1, {"train/loss": 1.0})
    context.follower.open(run.folder)
    qtbot.waitUntil(lambda: view.message == "This run recorded no embedding.")


def test_zooming_asks_for_a_sharper_picture(qtbot: Any, view: EmbeddingView) -> None:
    view.plane._move_to(view.plane.viewport.zoomed(4, 100, 100))
    assert view.plane.layers["points"].viewport != view.plane.viewport
    wait_drawn(qtbot, view)
    assert view.plane.point_at(QPointF(-5, -5)) is None


def choose(qtbot: Any, view: EmbeddingView, method: str, *, space: bool = False) -> None:
    """A projection, and wait until it is done and drawn."""
    view.space.setChecked(space)
    view.method_box.setCurrentIndex(view.method_box.findText(method))
    view.method_box.activated.emit(view.method_box.currentIndex())

    def placed() -> bool:
        now = view.placed
        return now is not None and (now.method, now.dimensions, now.done) == (method, 2 + space, True)

    qtbot.waitUntil(placed, timeout=120_000)
    wait_drawn(qtbot, view)


def test_a_layout_in_a_process_keeps_unchanged_vectors_where_they_are(
    qtbot: Any, view: EmbeddingView
) -> None:
    view.state.set_layer("embedding", "encoder")  # the same at every step of the fixture's run
    choose(qtbot, view, "UMAP")
    assert "UMAP of 16 features" in view.caption.text()
    assert view.stop.isHidden()
    before = view.points.copy()
    assert np.isfinite(before).all()
    viewport = view.plane.viewport
    view.state.set_step(20)
    qtbot.waitUntil(lambda: "step 20" in view.caption.text(), timeout=60_000)
    np.testing.assert_array_equal(view.points, before)
    assert view.plane.viewport == viewport
    choose(qtbot, view, "PCA")
    assert "principal components" in view.caption.text()


def test_a_layout_that_begins_says_so_and_leaves_the_view_as_wide_as_it_was(
    qtbot: Any, view: EmbeddingView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "ask", lambda *_, **__: None)  # the first places have not been found yet
    view.method_box.setCurrentIndex(view.method_box.findText("t-SNE"))
    view.method_box.activated.emit(1)
    qtbot.waitUntil(view.stop.isVisible)
    narrowest = view.minimumSizeHint().width()
    view.state.select([1, 2])
    view.resize(view.width() + 40, view.height() - 40)
    qtbot.waitUntil(lambda: not view.is_pending)
    assert view.caption.text() == "t-SNE: finding neighbours …"
    view.stop.click()
    assert view.stop.isHidden()
    assert view.minimumSizeHint().width() == narrowest
    assert "2 selected" in view.caption.text()


def test_playing_waits_until_each_step_is_laid_out(qtbot: Any, view: EmbeddingView) -> None:
    choose(qtbot, view, "t-SNE")
    assert not view.is_settling
    bar = StepBar(view.state, view.theme)
    qtbot.addWidget(bar)
    bar.waits = lambda: view.is_settling
    seen: set[int] = set()
    view.laid.connect(lambda: seen.add(view.placed.info.step if view.placed and view.placed.done else -1))
    bar.toggle_play()
    qtbot.waitUntil(lambda: not bar.play.isChecked(), timeout=240_000)
    assert seen >= {10, 20, 30, 40}
    view.trails.setChecked(True)
    view.state.select([3])
    qtbot.waitUntil(lambda: len(view.plane.paths) == 1 and len(view.plane.paths[0].places) == 4)
    view.state.select(np.arange(60))
    qtbot.waitUntil(lambda: "60 selected  ·  trails of 50 of them" in view.caption.text())
    view.hide()
    view.state.set_step(20)
    assert not view.is_settling  # what nobody sees keeps nobody waiting


def test_a_layout_is_shown_while_it_forms_and_can_be_stopped(qtbot: Any, view: EmbeddingView) -> None:
    view.method_box.setCurrentIndex(view.method_box.findText("t-SNE"))
    view.method_box.activated.emit(1)
    qtbot.waitUntil(lambda: "laying out:" in view.caption.text(), timeout=120_000)
    assert view.stop.isVisible()
    view.stop.click()
    assert "stopped at" in view.caption.text()
    assert view.stop.isHidden()
    stopped = view.points.copy()
    qtbot.waitUntil(lambda: not view.follower.is_busy)
    np.testing.assert_array_equal(view.points, stopped)


def test_space_is_turned_with_the_mouse(qtbot: Any, view: EmbeddingView) -> None:
    choose(qtbot, view, "PCA", space=True)
    before, viewport = view.cloud, view.plane.viewport
    assert before.depth is not None
    assert 0 <= before.depth.min() < before.depth.max() <= 1
    drag(view, [(300, 300), (330, 300), (400, 340)], Qt.KeyboardModifier.NoModifier)
    qtbot.waitUntil(lambda: view.cloud is not before)
    wait_drawn(qtbot, view)
    turned = np.column_stack([view.points, view.cloud.depth])
    assert not np.allclose(turned[:, :2], before.positions)
    np.testing.assert_allclose(view._rotation @ view._rotation.T, np.eye(3), atol=1e-9)
    assert view.plane.viewport.scale == viewport.scale
    row = int(np.argmin(view.cloud.depth))
    view.state.select([row])
    wait_drawn(qtbot, view)
    assert view.drawn.scene.selection.tolist() == [row]


def test_trails_go_through_the_steps_so_far(qtbot: Any, view: EmbeddingView) -> None:
    view.state.select([3, 5])
    view.trails.setChecked(True)
    qtbot.waitUntil(lambda: [len(path.places) for path in view.plane.paths] == [4, 4])
    np.testing.assert_allclose(view.plane.paths[0].places[-1], view.points[3])
    wait_drawn(qtbot, view)
    view.state.set_step(20)
    qtbot.waitUntil(lambda: [len(path.places) for path in view.plane.paths] == [2, 2])
    view.trails.setChecked(False)
    qtbot.waitUntil(lambda: view.plane.paths == ())


def test_neighbours_are_joined_by_lines(
    qtbot: Any, view: EmbeddingView, has_colour: Callable[..., bool]
) -> None:
    assert not has_colour(view.plane, view.theme.palette.accent, 3)
    view.state.set_near(Near(np.array([7, 20, 41]), np.array([0, 0.25, 1.5]), "Cosine distances in encoder"))
    qtbot.waitUntil(lambda: view.plane.links.tolist() == [7, 20, 41])
    assert view.plane.link_texts == ("0.25", "1.5")
    assert has_colour(view.plane, view.theme.palette.accent, 3)
    qtbot.waitUntil(lambda: "at the lines: Cosine distances in encoder" in view.caption.text())
    view.state.set_near(Near(np.array([7, 999, 41]), np.array([0, 0.5, 1.5]), "Distances"))
    qtbot.waitUntil(lambda: view.plane.link_texts == ("1.5",))  # 999 has no point
    view.state.set_near(None)
    qtbot.waitUntil(lambda: not len(view.plane.links) and "at the lines" not in view.caption.text())


def test_keys_turn_what_is_in_space(qtbot: Any, view: EmbeddingView) -> None:
    step = view.state.step
    view.plane.setFocus()
    view.window().activateWindow()
    qtbot.waitUntil(view.window().isActiveWindow)
    shift = Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(view.plane, Qt.Key.Key_Left, shift)  # nothing turns in the plane
    assert np.array_equal(view._rotation, np.eye(3))
    QTest.keyClick(view.plane, Qt.Key.Key_3)
    qtbot.waitUntil(lambda: view.plane.turns and view.cloud.depth is not None)
    before = view.points.copy()
    for _ in range(6):
        QTest.keyClick(view.plane, Qt.Key.Key_Right, shift)
    np.testing.assert_allclose(view._rotation, [[0, 0, 1], [0, 1, 0], [-1, 0, 0]], atol=1e-9)  # a quarter
    qtbot.waitUntil(lambda: not np.allclose(view.points[:, 0], before[:, 0], atol=0.1))
    for key in (Qt.Key.Key_Left,) * 6 + (Qt.Key.Key_Up, Qt.Key.Key_Down):
        QTest.keyClick(view.plane, key, shift)
    np.testing.assert_allclose(view._rotation, np.eye(3), atol=1e-9)
    assert view.state.step == step
    assert ("Shift+Arrows", "Turn it in space by 15°") in view.keys


def test_clusters_colour_the_items(qtbot: Any, view: EmbeddingView) -> None:
    action = next(action for action in view.menu.actions() if "k-means" in action.text())
    action.trigger()
    qtbot.waitUntil(lambda: view.state.colour_by == "cluster (k-means)", timeout=60_000)
    codes = view.state.groups["cluster (k-means)"].codes
    assert set(codes) == set(range(10))
    assert (np.diff(np.bincount(codes)) <= 0).all()
    qtbot.waitUntil(lambda: "k-means" in view.legend.heading.text())
    assert "cluster (k-means)" in view.state.colour_choices()


def test_loss_and_confidence_colour_the_items(qtbot: Any, view: EmbeddingView) -> None:
    state = view.state
    expected = [state.prediction.loss(row, int(state.items.labels[row])) for row in range(300)]
    np.testing.assert_allclose(state.prediction.losses(state.items.labels), expected)
    for name, heading in (("loss", "Loss (nats)"), ("confidence", "Confidence")):
        state.set_colour_by(name)
        qtbot.waitUntil(lambda heading=heading: view.legend.heading.text() == heading)


def test_selections_are_kept_in_the_run(
    qtbot: Any, context: Context, show_view: Callable[[Any], Any], digits_run: Any, tmp_path: Any
) -> None:
    view = show_view(EmbeddingView)
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(digits_run)
    wait_drawn(qtbot, view)
    view.state.select([4, 2, 9])
    view.menu.save("odd 🐟")
    qtbot.waitUntil(lambda: [action.text() for action in view.menu.kept.actions()] == ["odd 🐟"])
    view.state.clear_selection()
    view.menu.kept.actions()[0].trigger()
    qtbot.waitUntil(lambda: view.state.selection.tolist() == [2, 4, 9])
    view.menu.write_table(tmp_path / "some.csv")
    view.menu.write_split(tmp_path)
    qtbot.waitUntil(lambda: (tmp_path / "train_idx-1.txt").exists() and not view.follower.is_busy)
    lines = (tmp_path / "some.csv").read_text().splitlines()
    assert lines[0].startswith("row,id,label,prediction,confidence")
    assert [line.split(",")[0] for line in lines[1:]] == ["2", "4", "9"]
    assert (tmp_path / "test_idx-1.txt").read_text().split() == ["2", "4", "9"]
    assert len((tmp_path / "train_idx-1.txt").read_text().split()) == 297
    view.menu.forget.actions()[0].trigger()
    qtbot.waitUntil(lambda: not view.menu.kept.isEnabled())


@pytest.mark.parametrize(
    "vectors", [np.zeros((0, 3)), np.ones((1, 3)), np.eye(2, 3), np.ones((40, 3)), np.full((9, 3), np.nan)]
)
@pytest.mark.parametrize("method", ["PCA", "UMAP"])
def test_few_equal_and_lost_vectors(
    qtbot: Any,
    context: Context,
    show_view: Callable[[Any], Any],
    tmp_path: Any,
    vectors: np.ndarray,
    method: str,
) -> None:
    names = ("🐟 fish", "דג")
    with RunWriter.create(tmp_path, "run", {}) as run:
        run.items(ItemSet(ids=np.arange(len(vectors)), labels=np.arange(len(vectors)) % 2, class_names=names))
        run.snapshots(1, [Snapshot("embedding", "e", vectors.astype(np.float32))], wait=True)
    view = show_view(EmbeddingView)
    context.follower.open(run.folder)
    qtbot.waitUntil(lambda: "step 1" in view.caption.text())
    choose(qtbot, view, method, space=True)
    assert view.message == ""
    assert len(view.cloud.lost) == np.isnan(vectors).any(axis=1).sum()


def test_points_without_a_place_are_crosses_that_can_be_selected(
    qtbot: Any,
    context: Context,
    show_view: Callable[[Any], Any],
    tmp_path: Any,
    has_colour: Callable[..., bool],
) -> None:
    vectors = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    vectors[3], vectors[8] = np.nan, np.inf
    with RunWriter.create(tmp_path, "run", {}) as run:
        run.items(ItemSet(ids=np.arange(20)))
        run.snapshots(1, [Snapshot("embedding", "e", vectors)], wait=True)
    view = show_view(EmbeddingView)
    context.follower.open(run.folder)
    wait_drawn(qtbot, view)
    assert has_colour(view.plane, view.theme.palette.error, 12)
    box = list(view.plane._lost_boxes())[1]
    QTest.mouseClick(view.plane, LEFT, pos=box.center().toPoint())
    assert view.state.selection.tolist() == [8]


def test_stopped_before_the_first_layout_the_box_says_what_is_shown(
    qtbot: Any, view: EmbeddingView, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(method: str) -> None:
        view.choosers.choose("projection", method)
        qtbot.waitUntil(view.stop.isVisible)
        view.stop.click()

    ask = view.ask
    # The first places are never found.
    monkeypatch.setattr(view, "ask", lambda *args, **more: None if more.get("long") else ask(*args, **more))
    before = view.points.copy()
    begin("t-SNE")
    assert (view.method, view.stop.isHidden()) == ("PCA", True)
    assert "principal components" in view.caption.text()
    qtbot.waitUntil(lambda: not view.is_pending)
    np.testing.assert_array_equal(view.points, before)
    view.space.setChecked(True)
    begin("UMAP")
    assert view.placed is not None
    assert (view.method, view.dimensions) == ("PCA", view.placed.dimensions)
    view.state.set_layer("embedding", "encoder")
    begin("t-SNE")
    qtbot.waitUntil(lambda: "encoder" in view.caption.text())
    assert (view.method, view.placed.method) == ("PCA", "PCA")
