from __future__ import annotations

import numpy as np
import pytest

from mmgraph.errors import RunDamagedError
from mmgraph.runs import Snapshot, SnapshotInfo
from mmgraph_gui.state.branches import HARDEST, RECORDED, Branches, vectors_of
from mmgraph_gui.state.snapshot_index import SnapshotIndex

INFO = SnapshotInfo(
    1, 5, 0.0, 0.0, "matrix", "pairs/drawn", ("rows", "columns"), (3, 2), "float32", "f", "items", 0
)
ROWS = np.array([[0, 1, 2], [3, 4, 5], [6, 1, 8]])
SIMILAR = np.array([[True, False]] * 3)


def branches(distances, rows=ROWS, similar=SIMILAR, **notes):
    array = np.array(distances, np.float32)
    return Branches.of(
        Snapshot("matrix", "pairs/drawn", array, extras={"branches": rows, "similar": similar}, notes=notes),
        INFO,
    )


def test_a_branch_is_similar_up_to_the_threshold_and_misjudged_where_it_is_not():
    read = branches([[0.2, 0.9], [0.5, 0.4], [0.6, 0.7]], threshold=0.5, distance="l2")
    assert read.judged.tolist() == [[True, False], [True, True], [False, False]]
    assert read.wrong.tolist() == [False, True, True]
    assert read.verdict(0, 1) == "0.2 similar ✓"
    assert read.verdict(1, 2) == "0.4 similar ✗"
    assert read.verdict(2, 1) == "0.6 dissimilar ✗"
    assert (read.noun, read.measure) == ("triplet", "l2")


def test_triplets_are_hardest_where_the_similar_branch_is_farther():
    read = branches([[0.2, 0.9], [0.5, 0.4], [0.6, 0.7]], threshold=0.5)
    np.testing.assert_allclose(read.hardness, [-0.7, 0.1, -0.1], atol=1e-6)
    assert read.order(HARDEST).tolist() == [1, 2, 0]
    assert read.order(RECORDED).tolist() == [0, 1, 2]
    assert read.order(HARDEST, wrong_only=True).tolist() == [1, 2]
    assert read.order(HARDEST, among=np.array([1])).tolist() == [2, 0]
    assert read.order(HARDEST, among=np.zeros(0, np.int64)).tolist() == []


def test_pairs_are_hardest_where_they_are_farthest_on_the_wrong_side():
    read = branches(
        [[0.3], [0.4], [0.9]], rows=ROWS[:, :2], similar=np.array([[True], [False], [True]]), threshold=0.5
    )
    np.testing.assert_allclose(read.hardness, [-0.2, 0.1, 0.4], atol=1e-6)
    assert read.noun == "pair"


def test_without_a_threshold_nothing_is_judged():
    read = branches([[0.2, 0.9], [0.5, np.nan], [0.6, 0.7]])
    assert read.judged is None
    assert not read.wrong.any()
    assert read.verdict(0, 1) == "0.2"
    assert read.order(HARDEST)[0] == 1
    assert read.names == ("branch 1", "branch 2", "branch 3")


@pytest.mark.parametrize(
    "extras",
    [{}, {"branches": ROWS}, {"branches": ROWS[:2], "similar": SIMILAR}, {"branches": ROWS, "similar": SIMILAR[:, :1]},
     {"branches": ROWS.astype(np.float32), "similar": SIMILAR}],
)  # fmt: skip
def test_a_snapshot_whose_parts_do_not_fit_is_refused(extras):
    snapshot = Snapshot("matrix", "pairs/drawn", np.zeros((3, 2), np.float32), extras=extras)
    with pytest.raises(RunDamagedError, match="pairs/drawn"):
        Branches.of(snapshot, INFO)


def test_vectors_are_found_by_item_and_missing_ones_are_nan():
    array = np.arange(8, dtype=np.float32).reshape(4, 2)
    whole = vectors_of(Snapshot("embedding", "v", array), np.array([[3, 0], [9, -1]]))
    np.testing.assert_array_equal(whole[0], array[[3, 0]])
    assert np.isnan(whole[1]).all()
    some = Snapshot("embedding", "v", array, extras={"rows": np.array([7, 2, 9, 4])})
    found = vectors_of(some, np.array([[2, 9], [4, 3]]))
    np.testing.assert_array_equal(found[0], array[[1, 2]])
    np.testing.assert_array_equal(found[1, 0], array[3])
    assert np.isnan(found[1, 1]).all()


def test_the_index_keeps_pairs_apart_from_other_matrices():
    index = SnapshotIndex()
    index.add([INFO])
    assert (index.kinds(), index.layers("pairs"), index.layers("matrix")) == (["pairs"], ["pairs/drawn"], [])
