from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest

from mmgraph.runs import RunReader, RunWriter, Snapshot
from mmgraph_gui.views import Context
from mmgraph_gui.views.attention.neighbourhood import MOST_NEIGHBOURS, edges_into
from mmgraph_gui.views.attention.view import AttentionView


@pytest.fixture
def view(qtbot: Any, opened: Context, show_view: Callable[[Any], Any]) -> AttentionView:
    view = show_view(AttentionView)
    qtbot.waitUntil(lambda: view.edges is not None)
    return view


def expected(view: AttentionView, node: int, head: int | None) -> dict[int, float]:
    with RunReader(view.state.path) as reader:
        snapshot = reader.load(reader.snapshots(kind="attention", step=40)[0])
    weights = snapshot.array.mean(axis=0) if head is None else snapshot.array[head]
    source, target = snapshot.extras["edge_index"]
    return {int(source[edge]): float(weights[edge]) for edge in np.flatnonzero(target == node)}


def test_shows_what_the_selected_item_attends_to(qtbot: Any, view: AttentionView) -> None:
    assert "select an item" in view.caption.text()
    view.state.select([17])
    qtbot.waitUntil(lambda: view.edges.node == 17)
    weights = expected(view, 17, None)
    own = weights.pop(17)
    shown = view.around._shown
    assert shown.target.node == 17
    assert shown.target.weight == pytest.approx(own)
    assert {neighbour.node: neighbour.weight for neighbour in shown.neighbours} == pytest.approx(weights)
    order = [neighbour.weight for neighbour in shown.neighbours]
    assert order == sorted(order, reverse=True)
    assert "digit 17 attends to 6 neighbours" in view.caption.text()


def test_each_head_has_its_own_weights(qtbot: Any, view: AttentionView) -> None:
    view.head_box.setCurrentIndex(3)
    view.head_box.activated.emit(3)
    assert view.state.head == 2
    qtbot.waitUntil(lambda: view.edges.head == 2)
    weights = expected(view, 0, 2)
    shown = {neighbour.node: neighbour.weight for neighbour in view.around._shown.neighbours}
    assert shown == pytest.approx({node: weight for node, weight in weights.items() if node != 0})
    assert "head 2" in view.caption.text()


def test_stronger_edges_have_stronger_colours(view: AttentionView, has_colour: Callable[..., bool]) -> None:
    palette = view.theme.palette
    assert view.around.line_colour(0) == palette.grid
    assert view.around.line_colour(1) == palette.accent
    assert has_colour(view.around, palette.accent)


def test_clicking_a_neighbour_walks_along_the_graph(qtbot: Any, view: AttentionView) -> None:
    neighbour, box = view.around.places()[1]
    QTest.mouseMove(view.around, box.center().toPoint())
    qtbot.waitUntil(lambda: view.state.hovered == neighbour.node)
    QTest.mouseClick(view.around, Qt.MouseButton.LeftButton, pos=box.center().toPoint())
    assert view.state.selection.tolist() == [neighbour.node]
    qtbot.waitUntil(lambda: view.edges.node == neighbour.node)


def test_ctrl_adds_a_neighbour_and_alt_takes_it_out_again(view: AttentionView) -> None:
    view.state.select([0])
    neighbour, box = view.around.places()[1]
    for modifier, selected in (
        (Qt.KeyboardModifier.ControlModifier, sorted([0, neighbour.node])),
        (Qt.KeyboardModifier.AltModifier, [0]),
    ):
        QTest.mouseClick(view.around, Qt.MouseButton.LeftButton, modifier, box.center().toPoint())
        assert view.state.selection.tolist() == selected


def test_no_node_is_cut_off_at_any_size(qtbot: Any, view: AttentionView) -> None:
    for width, height in ((900, 600), (320, 300), (1400, 400)):
        view.resize(width, height)
        for _, box in view.around.places():
            assert view.around.rect().contains(box.toRect())


def test_the_table_has_every_head(view: AttentionView) -> None:
    columns, rows = view.table()
    rows = list(rows)
    assert columns == ("target", "source", "mean", "head 0", "head 1", "head 2", "head 3")
    assert len(rows) == 7
    assert rows[0][:2] == (0, 0)
    for row in rows:
        assert np.mean(row[3:]) == pytest.approx(row[2])


def test_it_can_be_painted_as_vectors(view: AttentionView) -> None:
    drawing = view.vector_source()
    image = QImage(drawing.size, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    drawing.paint(painter)
    painter.end()
    assert len({image.pixel(x, image.height() // 2) for x in range(image.width())}) > 5


def test_edges_into_a_node_without_any_and_with_nan() -> None:
    index = np.array([[0, 1, 2, 3], [3, 3, 3, 3]])
    sources, weights, own = edges_into(index, np.array([0.1, np.nan, 0.5, 0.2]), 3)
    assert sources.tolist() == [1, 2, 0]  # what is not finite comes first: it must be seen
    assert np.isnan(weights[0])
    assert own == pytest.approx(0.2)
    sources, _, own = edges_into(index, np.zeros(4), 0)
    assert len(sources) == 0
    assert np.isnan(own)


def open_run(qtbot: Any, context: Context, tmp_path: Any, *snapshots: Snapshot) -> None:
    with RunWriter.create(tmp_path, "run", {}) as run:
        run.scalars(1, {"train/loss": 1.0})
        if snapshots:
            run.snapshots(1, list(snapshots), wait=True)
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(run.folder)


def test_queries_on_keys_are_a_heat_map(
    qtbot: Any, context: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    view = show_view(AttentionView)
    array = np.random.default_rng(0).dirichlet(np.ones(7), size=(2, 5)).astype(np.float32)
    array[1, 2, 3] = np.nan
    open_run(qtbot, context, tmp_path, Snapshot("attention", "blocks.0", array))
    qtbot.waitUntil(lambda: view.map is not None)
    np.testing.assert_array_equal(view.map.values, array.mean(axis=0))
    assert (view.map.image.width(), view.map.image.height()) == (7, 5)
    assert view.map.image.pixelColor(3, 2).name() == "#ff00ff"
    view.page.heat.pointed.emit(1, 4)
    assert view.caption.text() == f"query 1 attends to key 4: {array[:, 1, 4].mean():.4f}"
    columns, rows = view.table()
    assert columns == ("query", "key", "weight")
    assert len(list(rows)) == 35


def test_attention_of_several_items_follows_the_selection(
    qtbot: Any, context: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    view = show_view(AttentionView)
    array = np.random.default_rng(0).random((3, 2, 4, 4)).astype(np.float32)
    snapshot = Snapshot("attention", "blocks.0", array, extras={"rows": np.array([4, 8, 9])})
    open_run(qtbot, context, tmp_path, snapshot)
    qtbot.waitUntil(lambda: view.map is not None)
    assert view.map.item == 4
    context.state.select([8])
    qtbot.waitUntil(lambda: view.map.item == 8)
    np.testing.assert_allclose(view.map.values, array[1].mean(axis=0))


def test_many_neighbours_are_sampled_and_the_caption_says_so(
    qtbot: Any, context: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    view = show_view(AttentionView)
    index = np.stack([np.arange(1, 101), np.zeros(100)]).astype(np.int32)
    weights = np.linspace(1, 2, 100, dtype=np.float32)[None] / 150
    open_run(qtbot, context, tmp_path, Snapshot("attention", "c", weights, extras={"edge_index": index}))
    view.resize(900, 600)
    qtbot.waitUntil(lambda: view.edges is not None)
    assert len(view.around._shown.neighbours) == MOST_NEIGHBOURS
    assert view.around._shown.neighbours[0].node == 100
    assert "24 strongest of 100 neighbours" in view.caption.text()


def test_a_run_without_attention_says_so(
    qtbot: Any, context: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    view = show_view(AttentionView)
    open_run(qtbot, context, tmp_path)
    qtbot.waitUntil(lambda: view.message == "This run recorded no attention.")
