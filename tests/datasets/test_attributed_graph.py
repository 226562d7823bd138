from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from mmgraph.datasets.attributed_graph import read_attributed_graph
from mmgraph.errors import DatasetCorruptError, DatasetMissingError

LINKS = sparse.csr_matrix(np.array([[0, 1, 0], [0, 0, 2], [0, 2, 0]], dtype=np.float32))
WORDS = sparse.csr_matrix(np.array([[1, 0, 3], [0, 0, 0], [0, 0.5, 0]], dtype=np.float32))
FIELDS = np.array([1, 0, 1], np.int32)

REAL = Path(os.environ.get("MMGRAPH_DATA", "").split(os.pathsep)[0]) / "dblp_citation" / "dblp.npz"


def write(folder: Path, **content: Any) -> Path:
    whole = {"adj_matrix": LINKS, "node_attr": WORDS, "node_label": FIELDS, **content}
    np.savez_compressed(folder / "g.npz", **{key: value for key, value in whole.items() if value is not None})
    return folder / "g.npz"


def test_matrices_become_a_graph(tmp_path: Path) -> None:
    data = read_attributed_graph(write(tmp_path))
    assert data.edge_index.T.tolist() == [[1, 0], [0, 1], [2, 1], [1, 2]]
    assert data.x.tolist() == [[1, 0, 3], [0, 0, 0], [0, 0.5, 0]]
    assert data.y.tolist() == [1, 0, 1]
    normal = read_attributed_graph(write(tmp_path), normalize_features=True)
    assert normal.x.tolist() == [[0.25, 0, 0.75], [0, 0, 0], [0, 1, 0]]


NAN = sparse.csr_matrix(np.array([[np.nan], [1], [1]]))
WIDE = sparse.csr_matrix((3, 2**27))


@pytest.mark.parametrize(
    "content",
    [
        {"adj_matrix": None},
        {"node_label": None},
        {"adj_matrix": LINKS.toarray()},
        {"adj_matrix": LINKS[:2]},
        {"node_attr": WORDS[:2]},
        {"node_attr": NAN},
        {"node_attr": WIDE},
        {"node_label": FIELDS - 1},
        {"node_label": FIELDS.astype(float)},
        {"node_label": np.array(["a", "b", "c"])},
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    with pytest.raises(DatasetCorruptError, match="must hold a square sparse adj_matrix"):
        read_attributed_graph(write(tmp_path, **content))


class Hostile:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_a_hostile_file_runs_nothing(tmp_path: Path) -> None:
    proof = tmp_path / "was here"
    wrapped = np.empty((), dtype=object)
    wrapped[()] = Hostile(proof)
    with pytest.raises(DatasetCorruptError, match=r"asks for .*mkdir"):
        read_attributed_graph(write(tmp_path, adj_matrix=wrapped))
    assert not proof.exists()


def test_damage_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path)
    whole = path.read_bytes()
    for size in range(0, len(whole), 37):
        path.write_bytes(whole[:size])
        with pytest.raises(DatasetCorruptError):
            read_attributed_graph(path)
    noise = io.BytesIO()
    with zipfile.ZipFile(noise, "w") as archive:
        archive.writestr("adj_matrix.npy", b"no array")
    path.write_bytes(noise.getvalue())
    with pytest.raises(DatasetCorruptError, match="no npz file"):
        read_attributed_graph(path)
    with pytest.raises(DatasetMissingError, match="cannot be read"):
        read_attributed_graph(tmp_path / "nowhere.npz")


@pytest.mark.filterwarnings("ignore:Please import `csr_matrix`:DeprecationWarning")
@pytest.mark.skipif(not REAL.is_file(), reason="$MMGRAPH_DATA does not hold dblp.npz")
def test_dblp_is_what_numpy_reads() -> None:
    data = read_attributed_graph(REAL)
    with np.load(REAL, allow_pickle=True) as truth:
        links, words = truth["adj_matrix"].item().tocoo(), truth["node_attr"].item()
        assert (data.y.numpy() == truth["node_label"]).all()
    assert (data.x.numpy() == words.toarray()).all()
    assert set(map(tuple, data.edge_index.T.tolist())) == set(
        zip(links.row.tolist(), links.col.tolist(), strict=True)
    )
