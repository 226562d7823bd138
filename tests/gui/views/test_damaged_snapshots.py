"""Snapshots of a foreign or damaged run: every view says so in its place, and none of them fails."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from mmgraph.runs import RunWriter, Snapshot
from mmgraph.runs.snapshot import read_arrays, write_arrays
from mmgraph_gui.views.registry import VIEW_FOR_KIND, VIEW_SPECS

N = 300
BEYOND = np.array([[0, N + 5, -3], [N * 1000, 1, 2]], np.int32)


def rewritten(change):
    """Change every array of every file of snapshots, behind the back of the run's index."""

    def damage(folder):
        for path in (folder / "snapshots").iterdir():
            arrays, notes = read_arrays(path)
            write_arrays(path, {name: change(array) for name, array in arrays.items()}, notes)

    return damage


def rubbish(folder):
    for path in (folder / "snapshots").iterdir():
        path.write_bytes(path.read_bytes()[:100])


def lost(folder):
    for path in (folder / "snapshots").iterdir():
        path.unlink()


def recorded(make):
    """A later step whose arrays have fitting axes and strange contents, as another program may write them."""

    def damage(folder):
        with RunWriter(folder) as run:
            run.snapshots(50, make(), epoch=5.0, wait=True)

    return damage


def foreign(rows, value=0.5, edges=BEYOND):
    def full(*shape):
        return np.full(shape, value, np.float32)

    count = edges.shape[1]
    return [
        Snapshot("filters", "encoder.conv1", full(rows, 1, 3, 3)),
        Snapshot("feature_maps", "encoder.conv1", full(rows, 2, 4, 4), items="items",
                 extras={"rows": np.arange(rows, dtype=np.int64) * 1000 - 1}),
        Snapshot("embedding", "encoder", full(rows, 5), items="items"),
        Snapshot("embedding", "convs.1", full(rows, 0), items="items"),
        Snapshot("prediction", "output", full(rows, 3), items="items"),
        Snapshot("attention", "convs.0", full(4, count), items="items", extras={"edge_index": edges}),
        Snapshot("attention", "maps", full(rows, 2, 3, 3), items="items",
                 extras={"rows": np.arange(rows, dtype=np.int64) + N}),
        Snapshot("attention", "bare", full(2, count)),
        Snapshot("matrix", "confusion/validation", full(rows, 2), notes={"classes": ["a"], "rows": 3}),
        Snapshot("matrix", "histograms/weights", full(rows, 4), notes={"rows": ["encoder.conv1"]},
                 extras={"edges": full(rows, 5)}),
        Snapshot("matrix", "pairs/distances", full(rows, 4), items="items"),
        Snapshot("graph", "graph", edges, items="items", extras={"positions": full(rows, 2)}),
    ]  # fmt: skip


DAMAGES = {
    "files of rubbish": rubbish,
    "files that are gone": lost,
    "an axis too many": rewritten(lambda array: array[None]),
    "axes in another order": rewritten(lambda array: np.ascontiguousarray(array.T)),
    "other numbers of rows": rewritten(lambda array: array[: len(array) // 2]),
    "whole numbers for fractions": rewritten(lambda array: np.ones_like(array, dtype=np.int8)),
    "nan": rewritten(lambda array: array * np.float32(np.nan) if array.dtype.kind == "f" else array),
    "infinite": rewritten(lambda array: array + np.float32(np.inf) if array.dtype.kind == "f" else array),
    "rows and nodes that are not there": recorded(lambda: foreign(7)),
    "nothing but NaN": recorded(lambda: foreign(7, np.nan)),
    "no rows at all": recorded(lambda: foreign(0, edges=np.zeros((2, 0), np.int32))),
    "more rows than items": recorded(lambda: foreign(N + 9)),
}


@pytest.fixture
def damaged(request, digits_run):
    DAMAGES[request.param](digits_run)
    return digits_run


@pytest.mark.usefixtures("kept_layouts")
@pytest.mark.parametrize("damaged", DAMAGES, indirect=True)
def test_every_view_bears_it(qtbot, context, damaged, show_view, pixels_of, caplog):
    caplog.set_level(logging.ERROR)
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(damaged)
    state = context.state
    views = [show_view(spec.load()) for spec in VIEW_SPECS]
    by_name = {view.name: view for view in views}

    def settle(*changed):
        qtbot.waitUntil(lambda: not context.follower.is_busy and not any(view.is_pending for view in views))
        for view in changed or views:
            pixels_of(view)

    settle()
    for kind in ("embedding", "attention", "matrix", "filters"):
        for layer in state.layers(kind):
            state.set_layer(kind, layer)
            settle(by_name[VIEW_FOR_KIND[kind]])
    state.select(np.array([0, 5, N - 1]))
    settle()
    state.set_step(10)
    settle()
    for view in views:
        view.table()
        view.vector_source()
        assert view.message or view.content.isVisible()
    assert [record.getMessage() for record in caplog.records] == []
