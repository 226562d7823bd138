from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import torch
from scipy import sparse

from mmgraph.datasets.matlab_network import read_matlab_network
from mmgraph.errors import DatasetCorruptError, DatasetMissingError

REAL = Path(os.environ.get("MMGRAPH_DATA", "").split(os.pathsep)[0]) / "blogcatalog" / "blogcatalog.mat"


def write(folder: Path, **content: Any) -> Path:
    scipy.io.savemat(folder / "g.mat", content, do_compression=True)
    return folder / "g.mat"


def symmetric(nodes: int, seed: int = 0) -> sparse.csc_matrix:
    half = sparse.random(nodes, nodes, density=0.2, rng=np.random.default_rng(seed), format="csc")
    return sparse.csc_matrix(half + half.T)


@pytest.mark.parametrize("nodes", [1, 2, 30])
def test_the_same_graph_comes_back(tmp_path: Path, nodes: int) -> None:
    network = symmetric(nodes)
    group = np.random.default_rng(1).random((nodes, 4)) < 0.3
    data = read_matlab_network(
        write(tmp_path, network=network, group=sparse.csc_matrix(group.astype(float)), other=np.ones(3))
    )
    dense = torch.zeros(nodes, nodes)
    dense[data.edge_index[1], data.edge_index[0]] = 1
    np.testing.assert_array_equal(dense.numpy(), network.toarray() != 0)
    assert data.num_edges == network.nnz
    assert data.y.dtype == torch.bool
    np.testing.assert_array_equal(data.y.numpy(), group)
    assert data.num_nodes == nodes


eye = sparse.csc_matrix(np.eye(3))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"network": eye}, "must hold a sparse matrix 'group'"),
        ({"network": np.eye(3), "group": eye}, "must hold a sparse matrix 'network'"),
        ({"network": eye[:2], "group": eye}, "network is 2 × 3 and group 3 × 3"),
        ({"network": eye, "group": eye[:2]}, "network is 3 × 3 and group 2 × 3"),
        ({"network": sparse.csc_matrix(np.triu(np.ones((3, 3)))), "group": eye}, "must be symmetric"),
        ({"network": eye, "group": sparse.csc_matrix((3, 1 << 28))}, "entries at most"),
    ],
)
def test_matrices_that_do_not_fit(tmp_path: Path, content: dict[str, Any], complaint: str) -> None:
    with pytest.raises(DatasetCorruptError, match=complaint):
        read_matlab_network(write(tmp_path, **content))


@pytest.mark.parametrize("content", [b"", b"not a matrix", b"MATLAB 5.0 MAT-file" + bytes(200)])
def test_a_file_of_another_kind(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "g.mat").write_bytes(content)
    with pytest.raises(DatasetCorruptError, match="is not a MATLAB file"):
        read_matlab_network(tmp_path / "g.mat")


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_half_a_file(tmp_path: Path, kept: float) -> None:
    path = write(tmp_path, network=symmetric(60), group=sparse.csc_matrix(np.ones((60, 2))))
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(DatasetCorruptError):
        read_matlab_network(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError, match=r"g\.mat cannot be read"):
        read_matlab_network(tmp_path / "g.mat")


@pytest.mark.data
@pytest.mark.skipif(not REAL.is_file(), reason="$MMGRAPH_DATA does not hold blogcatalog.mat")
def test_the_real_network() -> None:
    data = read_matlab_network(REAL)
    assert (data.num_nodes, data.num_edges) == (10312, 2 * 333983)
    assert tuple(data.y.shape) == (10312, 39)
    assert int(data.y.sum()) == 14476
    assert bool(data.y.any(dim=1).all())
