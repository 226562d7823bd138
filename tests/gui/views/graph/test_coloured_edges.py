from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest

from mmgraph.runs import ItemSet, RunWriter, Snapshot
from mmgraph_gui.drawing.raster import Viewport
from mmgraph_gui.views import Context
from mmgraph_gui.views.graph import coloured_edges
from mmgraph_gui.views.graph.coloured_edges import ColouredEdges, draw_coloured
from mmgraph_gui.views.graph.view import GraphView

PLACES = np.array([[0, 0], [2, 0], [2, 1], [0, 1]], np.float32)
PAIRS = np.array([[0, 3, 1, 1], [1, 2, 2, 1]], np.int32)
"""The last is no link between nodes, and is not drawn."""


@pytest.fixture
def view(qtbot: Any, context: Context, show_view: Callable[[Any], Any], tmp_path: Any) -> GraphView:
    with RunWriter.create(tmp_path, "links", {}) as run:
        labels = np.array([0, 1, 2, 0], np.int64)
        run.items(ItemSet(labels=labels, class_names=("a", "b", "between"), noun="link"))
        extras = {"rows": np.arange(4), "positions": PLACES}
        probabilities = np.eye(3, dtype=np.float32)[[1, 1, 2, 0]]
        run.snapshots(
            1,
            [
                Snapshot("graph", "graph", PAIRS, extras=extras),
                Snapshot("prediction", "output", probabilities, items="items"),
            ],
            wait=True,
        )
    view = show_view(GraphView)
    context.follower.open(run.folder)
    qtbot.waitUntil(lambda: view.state.prediction is not None and view.layout_now is not None)
    wait_drawn(qtbot, view)
    return view


def wait_drawn(qtbot: Any, view: GraphView) -> None:
    def drawn() -> bool:
        layers = view.plane.layers
        return (
            set(layers) == {"edges", "points"}
            and not view.is_pending
            and not view._drawing
            and all(layer.viewport == view.plane.viewport for layer in layers.values())
        )

    qtbot.waitUntil(drawn, timeout=20_000)


def test_edges_that_are_items_have_the_colour_of_their_class(
    qtbot: Any, view: GraphView, has_colour: Callable[..., bool]
) -> None:
    assert view.layout_now.edges.tolist() == [[0, 1, 2], [1, 2, 3]]
    assert view.layout_now.rows.tolist() == [0, 2, 1]
    assert "4 nodes  ·  3 links, in the colours of the legend" in view.caption.text()
    assert view.edge_box.currentText() == "Coloured"
    for label in range(3):
        assert has_colour(view.plane, view.theme.category(label), 90)  # lines are smooth
    view.state.set_colour_by("prediction")
    wait_drawn(qtbot, view)
    coloured = view._coloured(view.layout_now).colours
    assert (coloured[0] == coloured[2]).all()
    assert (coloured[0] != coloured[1]).any()


def test_nodes_select_the_edges_at_them(qtbot: Any, view: GraphView) -> None:
    at = view.plane.viewport.to_pixels(view.points)[1] / view.plane.ratio
    QTest.mouseClick(view.plane, Qt.MouseButton.LeftButton, pos=QPoint(*at.round().astype(int).tolist()))
    assert view.state.selection.tolist() == [0, 2]
    assert view.cloud.chosen(view.state.selection).tolist() == [True, True, True, False]
    view._outlined(np.array([[-1, -1], [3, -1], [3, 0.5], [-1, 0.5]]), "replace")
    assert view.state.selection.tolist() == [0]
    assert view._coloured(view.layout_now).opacity.argmax() == 0


def test_hidden_classes_are_not_drawn(qtbot: Any, view: GraphView, has_colour: Callable[..., bool]) -> None:
    view.state.set_hidden({0})
    wait_drawn(qtbot, view)
    assert not has_colour(view.plane, view.theme.category(0), 90)
    assert has_colour(view.plane, view.theme.category(1), 90)


def test_hovering_a_node_names_no_item(view: GraphView) -> None:
    view._hovered(2)
    assert view.state.hovered is None
    view.state.hover(1)
    view._mark()


def test_the_table_lists_links(view: GraphView) -> None:
    columns, rows = view.table()
    assert columns[-2:] == ("from", "to")
    assert [(row[0], row[2], *row[-2:]) for row in rows] == [
        (0, "a", 0, 1),
        (2, "between", 1, 2),
        (1, "b", 2, 3),
    ]


def test_they_can_be_painted_as_vectors(view: GraphView) -> None:
    drawing = view.vector_source()
    image = QImage(drawing.size, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    drawing.paint(painter)
    painter.end()
    shown = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)[..., 2::-1]
    for colour in view._coloured(view.layout_now).colours:
        assert (np.abs(shown.astype(int) - colour).max(axis=-1) < 90).any()


@pytest.mark.parametrize("lines", [10, 0], ids=["lines", "raster"])
def test_what_is_selected_is_opaque(monkeypatch: Any, lines: int) -> None:
    monkeypatch.setattr(coloured_edges, "MOST_LINES", lines)
    places = np.array([[0, 0], [10, 0], [0, 5], [10, 5]], np.float32)
    edges, red, blue = np.array([[0, 2], [1, 3]]), (255, 0, 0), (0, 0, 255)
    coloured = ColouredEdges(np.array([red, blue], np.uint8), np.array([True, False]), np.zeros(2, bool))
    viewport = Viewport.around(places, 100, 60)
    image = draw_coloured(coloured, edges, places, viewport, 1.0, lambda: False)
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(60, 100, 4)
    strong, faint = pixels[..., 0] > 200, pixels[..., 2] > 200
    assert 60 < strong.any(axis=0).sum() < 100
    assert pixels[strong][:, 3].max() > 2 * pixels[faint][:, 3].max() > 0


def test_drawing_can_be_cancelled(monkeypatch: Any) -> None:
    monkeypatch.setattr(coloured_edges, "MOST_LINES", 0)
    coloured = ColouredEdges(np.zeros((1, 3), np.uint8), None, np.zeros(1, bool))
    places = np.array([[0, 0], [1, 1]], np.float32)
    view = Viewport.around(places, 50, 50)
    assert draw_coloured(coloured, np.array([[0], [1]]), places, view, 1.0, lambda: True) is None
