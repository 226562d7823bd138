from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage, QPainter

from mmgraph.runs import ItemSet, RunReader, RunWriter, Snapshot
from mmgraph_gui.views.heat_picture import Matrix
from mmgraph_gui.views.matrix.view import MatrixView, _cell_text
from mmgraph_gui.views.registry import VIEW_FOR_KIND


@pytest.fixture
def view(qtbot, opened, show_view):
    view = show_view(MatrixView)
    qtbot.waitUntil(lambda: view.read is not None)
    return view


def recorded(view, step):
    with RunReader(view.state.path) as reader:
        return reader.load(reader.snapshots(kind="matrix", step=step)[0]).array


def click(qtbot, view, row, column):
    place = view.heat.cell_box(row, column).center().toPoint()
    qtbot.mouseMove(view.heat, place)
    qtbot.mouseClick(view.heat, Qt.MouseButton.LeftButton, pos=place)


def open_run(qtbot, context, tmp_path, *snapshots, items=None):
    with RunWriter.create(tmp_path, "run", {}) as run:
        run.scalars(1, {"train/loss": 1.0})
        if items is not None:
            run.items(items)
        if snapshots:
            run.snapshots(1, list(snapshots), wait=True)
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(run.folder)


def test_it_is_registered_for_its_kind():
    assert VIEW_FOR_KIND["matrix"] == "matrix"


def test_counts_follow_the_step(qtbot, view):
    for step in (40, 10):
        view.state.set_step(step)
        qtbot.waitUntil(lambda step=step: view.read.info.step == step)
        np.testing.assert_array_equal(view.read.matrix.values, recorded(view, step))
        right, total = np.trace(view.read.matrix.values), view.read.matrix.values.sum()
        assert f"{right} of {total} correct ({right / total:.1%})" in view.caption.text()


def test_clicking_a_cell_selects_the_items_of_the_counted_split(qtbot, view):
    items, prediction = view.state.items, view.state.prediction
    validation = items.splits == items.split_names.index("validation")
    row = int(items.labels[validation][0])
    column = int(prediction.classes[validation][0])
    click(qtbot, view, row, column)
    expected = np.flatnonzero(validation & (items.labels == row) & (prediction.classes == column))
    assert len(expected)
    assert view.state.selection.tolist() == expected.tolist()
    assert (
        f"true {row}, predicted {column}: {view.read.matrix.values[row, column]} of " in view.caption.text()
    )


def test_a_cell_without_items_says_so(qtbot, view):
    row, column = np.argwhere(view.read.matrix.values == 0)[0].tolist()
    view.state.select([5])
    click(qtbot, view, row, column)
    assert not len(view.state.selection)
    assert "none of them is among the recorded items" in view.caption.text()


def test_cells_are_coloured_by_their_share_in_both_themes(qtbot, view, theme, pixels_of):
    shares = view.read.matrix.shares
    row, column = np.unravel_index(shares.argmax(), shares.shape)
    for mode in ("dark", "light"):
        theme.set_mode(mode)
        qtbot.waitUntil(lambda: not view.is_pending)
        pixels = pixels_of(view.heat)
        box = view.heat.cell_box(int(row), int(column))
        corner = pixels[int(box.top()) + 3, int(box.left()) + 3]
        np.testing.assert_allclose(corner, theme.continuous(shares[row : row + 1, column])[0], atol=3)
        assert (pixels[-1, -1] == [int(theme.palette.background[i : i + 2], 16) for i in (1, 3, 5)]).all()


def test_table_and_vectors(view):
    columns, rows = view.table()
    assert columns == ("", *"0123456789")
    assert [row[1:] for row in rows] == [tuple(row) for row in view.read.matrix.values.tolist()]
    drawing = view.vector_source()
    image = QImage(drawing.size, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    drawing.paint(painter)
    painter.end()
    assert image.pixelColor(view.heat.cell_box(0, 0).topLeft().toPoint() + image.rect().topLeft()).isValid()


def test_other_numbers_are_coloured_from_lowest_to_highest(qtbot, context, show_view, tmp_path):
    view = show_view(MatrixView)
    values = np.array([[0.0, 1.0, 2.0], [4.0, np.nan, 3.0]], np.float32)
    open_run(qtbot, context, tmp_path, Snapshot("matrix", "similarity", values))
    qtbot.waitUntil(lambda: view.read is not None)
    matrix = view.read.matrix
    assert not matrix.counts
    np.testing.assert_allclose(matrix.shares, values / 4)
    assert "1 NaN or infinite" in view.caption.text()
    click(qtbot, view, 1, 2)
    assert view.caption.text() == "row 1, column 2: 3"


def test_matrices_that_are_not_of_classes_select_nothing(qtbot, context, show_view, tmp_path):
    view = show_view(MatrixView)
    items = ItemSet(labels=np.zeros(4, np.int64), class_names=("a", "b"))
    open_run(qtbot, context, tmp_path, Snapshot("matrix", "counts", np.ones((2, 2), np.int64)), items=items)
    qtbot.waitUntil(lambda: view.read is not None)
    context.state.select([1])
    click(qtbot, view, 0, 0)
    assert not len(context.state.selection)


def test_classes_never_seen_have_no_share():
    matrix = Matrix.of(np.array([[0, 0], [1, 3]]), ("a", "b"))
    assert np.isnan(matrix.shares[0]).all()
    assert matrix.shares[1].tolist() == [0.25, 0.75]


def test_large_and_empty_matrices_are_shown(qtbot, context, show_view, tmp_path, pixels_of):
    view = show_view(MatrixView)
    large = np.random.default_rng(0).random((400, 300)).astype(np.float32)
    open_run(qtbot, context, tmp_path, Snapshot("matrix", "large", large))
    qtbot.waitUntil(lambda: view.read is not None)
    assert len(np.unique(pixels_of(view.heat).reshape(-1, 3), axis=0)) > 100
    view.heat.show_matrix(Matrix.of(np.zeros((0, 0)), ()))
    assert view.heat.cell_at(QPointF(200, 200)) is None
    assert len(np.unique(pixels_of(view.heat).reshape(-1, 3), axis=0)) == 1


def test_a_run_without_matrices_says_so(qtbot, context, show_view, tmp_path):
    view = show_view(MatrixView)
    open_run(qtbot, context, tmp_path)
    qtbot.waitUntil(lambda: view.message == "This run recorded no matrix.")


def test_columns_with_edges_are_drawn_as_bars(qtbot, show_view, context, tmp_path, has_colour):
    view = show_view(MatrixView)
    shares = np.array([[0.7, 0.3, 0.0], [0.0, 0.25, 0.75]], dtype=np.float32)
    edges = np.array([0.0, 0.5, 1.0, 1.5], dtype=np.float32)
    snapshot = Snapshot(
        "matrix",
        "distances/test",
        shares,
        extras={"edges": edges},
        notes={"rows": ["similar pairs", "dissimilar pairs"], "columns": "distance"},
    )
    open_run(qtbot, context, tmp_path, snapshot)
    qtbot.waitUntil(lambda: view.read is not None and view.pages.currentWidget() is view.bars)
    assert view.read.histogram.names == ("similar pairs", "dissimilar pairs")
    for row in (0, 1):
        assert has_colour(view.bars, view.bars.colour(row), 20)
    names, rows = view.table()
    assert names == ("from", "to", "similar pairs", "dissimilar pairs")
    assert [row[:2] for row in rows] == [(0.0, 0.5), (0.5, 1.0), (1.0, 1.5)]
    qtbot.mouseMove(view.bars, QPointF(view.bars.width() - 30, view.bars.height() / 2).toPoint())
    qtbot.waitUntil(lambda: "distance 1 to 1.5" in view.caption.text())
    assert "dissimilar pairs 75.0%" in view.caption.text()


def test_rows_and_columns_have_the_names_that_were_recorded_or_a_word_for_what_they_are() -> None:
    values = np.array([[0.1, 0.9], [0.4, 0.6], [0.5, 0.5]])
    matrix = Matrix.of(values, (), ["cat", "dog", "cow"], ["image", "words"])
    assert matrix.names == (("cat", "dog", "cow"), ("image", "words"))
    assert _cell_text(matrix, 1, 1) == "row dog, column words: 0.6"
    matrix = Matrix.of(values, (), "item", ["one", "name", "too many"])
    assert matrix.names == (["0", "1", "2"], ["0", "1"])
    assert _cell_text(matrix, 2, 0) == "item 2, column 0: 0.5"
