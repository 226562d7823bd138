"""Small matrices of the steps under the matrix of one."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from mmgraph.runs import RunReader, RunWriter, Snapshot
from mmgraph_gui.views.heat_picture import Matrix
from mmgraph_gui.views.matrix.strip import MOST_CELLS, SmallMatrix, thinned
from mmgraph_gui.views.matrix.view import MatrixView

LEFT = Qt.MouseButton.LeftButton


def record(run, *steps, size=2):
    for step in steps:
        counts = np.full((size, size), 1, np.int64) + step * np.eye(size, dtype=np.int64)
        notes = {"classes": [str(name) for name in range(size)]}
        run.snapshots(step, [Snapshot("matrix", "confusion/test", counts, notes=notes)], wait=True)


@pytest.fixture
def view(qtbot, opened, show_view):
    view = show_view(MatrixView)
    qtbot.waitUntil(lambda: len(view.strip.shown) == 4)
    return view


def infos(run, count):
    record(run, *range(1, count + 1))
    run.flush()
    with RunReader(run.folder) as reader:
        return reader.snapshots(kind="matrix")


def test_there_is_one_for_each_step_with_what_it_has_correct(view):
    assert [one.step for one in view.strip.shown] == [10, 20, 30, 40]
    with RunReader(view.state.path) as reader:
        for one, info in zip(view.strip.shown, reader.snapshots(kind="matrix"), strict=True):
            counts = reader.load(info).array
            np.testing.assert_allclose(one.shares, counts / counts.sum(axis=1, keepdims=True), rtol=1e-6)
            assert (one.right, one.total) == (np.trace(counts), counts.sum())


def test_a_click_sets_the_step_and_the_step_is_marked(qtbot, view, pixels_of, theme):
    strip = view.strip
    accent = [int(theme.palette.accent[i : i + 2], 16) for i in (1, 3, 5)]

    def framed():
        pixels = pixels_of(strip)
        corners = [strip.box(place).topLeft().toPoint() for place in range(4)]
        return [
            place for place, at in enumerate(corners) if (pixels[at.y() + 20, at.x() - 2] == accent).all()
        ]

    qtbot.waitUntil(lambda: framed() == [3])
    qtbot.mouseMove(strip, strip.box(1).center().toPoint())
    qtbot.waitUntil(lambda: view.caption.text() == strip.shown[1].describe())
    assert "of 300 correct" in view.caption.text()
    qtbot.mouseClick(strip, LEFT, pos=strip.box(1).center().toPoint())
    assert view.state.step == 20
    qtbot.waitUntil(lambda: framed() == [1] and view.read.info.step == 20)
    qtbot.mouseClick(strip, LEFT, pos=strip.rect().bottomRight())
    assert view.state.step == 20


def test_cells_have_the_colours_of_the_theme(qtbot, view, theme, pixels_of):
    for mode in ("dark", "light"):
        theme.set_mode(mode)
        qtbot.waitUntil(lambda: not view.is_pending)
        box, shares = view.strip.box(2), view.strip.shown[2].shares
        at = (
            box.topLeft() + box.bottomRight() / 10 - box.topLeft() / 10
        )  # well inside is the second diagonal cell
        pixel = pixels_of(view.strip)[round(at.y()) + 3, round(at.x()) + 3]
        np.testing.assert_allclose(pixel, theme.continuous(shares[1:2, 1])[0], atol=3)


def test_it_grows_with_a_live_run_and_reads_each_matrix_once(
    qtbot, context, show_view, tmp_path, monkeypatch
):
    run = RunWriter.create(tmp_path, "live", {})
    record(run, 1)
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(run.folder)
    view = show_view(MatrixView)
    qtbot.waitUntil(lambda: view.read is not None)
    assert view.strip.isHidden()
    record(run, 2, 3)
    qtbot.waitUntil(lambda: [one.step for one in view.strip.shown] == [1, 2, 3])
    before = view.strip.shown
    record(run, 4)
    qtbot.waitUntil(lambda: [one.step for one in view.strip.shown] == [1, 2, 3, 4])
    assert view.strip.shown[:3] == before
    run.close("finished")


def test_a_long_run_shows_as_many_as_fit_and_says_so(qtbot, context, show_view, tmp_path):
    with RunWriter.create(tmp_path, "long", {}) as run:
        record(run, *range(1, 41))
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(run.folder)
    view = show_view(MatrixView)
    qtbot.waitUntil(lambda: len(view.strip.shown) == 11)
    assert [view.strip.shown[place].step for place in (0, 1, -1)] == [1, 5, 40]
    qtbot.waitUntil(lambda: "below: 11 of 40 steps" in view.caption.text())
    view.resize(420, 500)
    qtbot.waitUntil(lambda: len(view.strip.shown) <= 6)
    view.state.set_step(38)
    qtbot.waitUntil(lambda: view.read.info.step == 38)


def test_a_damaged_matrix_hides_no_other(qtbot, context, show_view, digits_run):
    with RunReader(digits_run) as reader:
        broken = reader.snapshots(kind="matrix", step=20)[0]
    (digits_run / "snapshots" / broken.file.rpartition("/")[2]).write_bytes(b"x")
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(digits_run)
    view = show_view(MatrixView)
    qtbot.waitUntil(lambda: len(view.strip.shown) == 4)
    assert [one.is_read for one in view.strip.shown] == [True, False, True, True]
    assert view.strip.shown[1].describe() == "step 20  ·  could not be read"
    assert view.message == ""


def test_which_are_kept(tmp_path):
    run = RunWriter.create(tmp_path, "run", {})
    known = infos(run, 20)
    run.close("finished")
    assert thinned([], 5) == []
    assert thinned(known[:1], 5) == known[:1]
    assert thinned(known[:5], 5) == known[:5]
    for count in range(2, 21):
        for most in range(2, 9):
            kept = thinned(known[:count], most)
            assert len(kept) <= most
            assert (kept[0], kept[-1]) == (known[0], known[count - 1])
    assert set(thinned(known[:15], 6)[:-1]) <= set(thinned(known[:17], 6))


def test_large_matrices_become_small():
    shares = np.kron(np.eye(2), np.ones((100, 100))) * 7
    small = SmallMatrix.of(Matrix.of(shares, ()), 3)
    assert small.shares.shape == (MOST_CELLS, MOST_CELLS)
    assert (small.shares[0, 0], small.shares[0, -1], small.total) == (1, 0, 0)
    assert small.describe() == "step 3"
