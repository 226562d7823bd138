from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from scipy import sparse

from mmgraph.datasets.friendships import read_friendships
from mmgraph.errors import DatasetCorruptError, DatasetMissingError

FRIENDS = sparse.csc_matrix(np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=float))
ANSWERS = np.array(
    [[1, 2, 50, 0, 7, 2005, 9], [1, 0, 50, 3, 7, 2006, 8], [2, 1, 51, 0, 7, 2005, 9]], dtype=np.uint16
)

REAL = Path(os.environ.get("MMGRAPH_DATA", "").split(os.pathsep)[0]) / "facebook100" / "Reed98.mat"


def write(folder: Path, **content: Any) -> Path:
    scipy.io.savemat(folder / "g.mat", content, do_compression=True)
    return folder / "g.mat"


@pytest.mark.parametrize("kind", [np.uint16, np.float64])
def test_genders_are_labels_and_all_else_is_features(tmp_path: Path, kind: type) -> None:
    data = read_friendships(write(tmp_path, A=FRIENDS, local_info=ANSWERS.astype(kind)))
    assert data.edge_index.T.tolist() == [[1, 0], [0, 1], [2, 1], [1, 2]]
    assert data.y.tolist() == [1, -1, 0]
    # status 1, 2; major 50, 51; second major 0, 3; dormitory 7; year 2005, 2006; high school 8, 9
    assert data.x.tolist() == [
        [1, 0, 1, 0, 1, 0, 1, 1, 0, 0, 1],
        [1, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0],
        [0, 1, 0, 1, 1, 0, 1, 1, 0, 0, 1],
    ]


ONE_WAY = sparse.csc_matrix(np.array([[0, 1, 0], [0, 0, 1], [0, 1, 0]], dtype=float))
WRONG = ANSWERS.astype(np.float64)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"A": FRIENDS}, "a dense matrix 'local_info'"),
        ({"A": FRIENDS.toarray(), "local_info": ANSWERS}, "a sparse matrix 'A'"),
        ({"A": FRIENDS, "local_info": ANSWERS[:2]}, "A is 3 × 3 and local_info 2 × 7"),
        ({"A": FRIENDS, "local_info": ANSWERS[:, :5]}, "local_info 3 × 5"),
        ({"A": FRIENDS[:2], "local_info": ANSWERS}, "A is 2 × 3"),
        ({"A": ONE_WAY, "local_info": ANSWERS}, "must be mutual"),
        ({"A": FRIENDS, "local_info": ANSWERS + np.uint16(2)}, "genders 0, 1 or 2"),
        ({"A": FRIENDS, "local_info": WRONG + 0.5}, "whole numbers"),
        ({"A": FRIENDS, "local_info": WRONG + 70000}, "whole numbers"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, content: dict[str, Any], complaint: str) -> None:
    with pytest.raises(DatasetCorruptError, match=complaint):
        read_friendships(write(tmp_path, **content))


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError, match="cannot be read"):
        read_friendships(tmp_path / "absent.mat")
    (tmp_path / "g.mat").write_bytes(b"MATLAB" * 40)
    with pytest.raises(DatasetCorruptError, match="not a MATLAB file"):
        read_friendships(tmp_path / "g.mat")


@pytest.mark.data
@pytest.mark.skipif(not REAL.is_file(), reason="$MMGRAPH_DATA does not hold Reed98.mat")
def test_reed() -> None:
    data = read_friendships(REAL)
    assert (data.num_nodes, data.num_edges) == (962, 2 * 18812)
    assert data.y.add(1).bincount().tolist() == [97, 504, 361]
    assert (data.x.sum(1) == 6).all()
