from __future__ import annotations

import os
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from mmgraph.datasets.planetoid import read_planetoid
from mmgraph.errors import DatasetCorruptError, DatasetMissingError

# torch_geometric uses torch.jit.script while it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")

REAL = Path(os.environ.get("MMGRAPH_DATA", "").split(os.pathsep)[0]) / "planetoid"


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def edge_set(data: Any) -> set[tuple[int, int]]:
    return set(map(tuple, data.edge_index.t().tolist()))


@pytest.mark.parametrize("gaps", [False, True])
def test_a_small_graph(citation_graph: Callable[..., Any], tmp_path: Path, gaps: bool) -> None:
    truth = citation_graph(gaps=gaps)
    data = read_planetoid(write(tmp_path, truth.files), "tiny")
    np.testing.assert_array_equal(data.x, truth.x)
    np.testing.assert_array_equal(data.y, truth.y)
    assert edge_set(data) == truth.edges
    assert data.edge_index.shape[1] == len(truth.edges)
    assert data.train_mask.nonzero().flatten().tolist() == list(range(6))
    assert data.val_mask.nonzero().flatten().tolist() == list(range(6, 506))
    assert data.test_mask.nonzero().flatten().tolist() == sorted(truth.test_nodes)
    data.validate(raise_on_error=True)


@pytest.mark.parametrize("seed", range(3))
def test_same_as_torch_geometric(citation_graph: Callable[..., Any], tmp_path: Path, seed: int) -> None:
    compare(write(tmp_path, citation_graph("citeseer", gaps=True, seed=seed).files), "citeseer")


@pytest.mark.data
@pytest.mark.skipif(not REAL.is_dir(), reason="$MMGRAPH_DATA has no folder planetoid")
@pytest.mark.parametrize(("name", "nodes", "edges"), [("cora", 2708, 5278), ("citeseer", 3327, 4552)])
def test_real_graphs_same_as_torch_geometric(name: str, nodes: int, edges: int) -> None:
    compare(REAL, name)
    data = read_planetoid(REAL, name)
    assert (data.num_nodes, data.num_edges) == (nodes, 2 * edges)
    assert [int(mask.sum()) for mask in (data.val_mask, data.test_mask)] == [500, 1000]
    assert data.y[data.train_mask].bincount().unique().tolist() == [20]


def compare(folder: Path, name: str) -> None:
    import torch
    from torch_geometric.io import read_planetoid_data

    found = read_planetoid(folder, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = read_planetoid_data(str(folder), name)
    assert set(found.keys()) == set(expected.keys())
    for key in expected.keys():  # noqa: SIM118 (Data is no mapping)
        assert found[key].dtype == expected[key].dtype
        assert torch.equal(found[key], expected[key]), key


def test_normalised_features_sum_to_one(citation_graph: Callable[..., Any], tmp_path: Path) -> None:
    truth = citation_graph()
    data = read_planetoid(write(tmp_path, truth.files), "tiny", normalize_features=True)
    sums = truth.x.sum(axis=1)
    np.testing.assert_allclose(data.x.sum(dim=1).numpy(), sums > 0, rtol=1e-6)
    np.testing.assert_allclose(data.x.numpy() * sums[:, None], truth.x, rtol=1e-6)
    assert sums[7] == 0
    assert not data.x[7].any()


def test_one_direction_is_enough(citation_graph: Callable[..., Any], tmp_path: Path) -> None:
    files = citation_graph().files | {"ind.tiny.graph": pickle.dumps({3: [4, 4, 3], 9: []}, protocol=2)}
    assert edge_set(read_planetoid(write(tmp_path, files), "tiny")) == {(3, 4), (4, 3)}


def test_no_edges(citation_graph: Callable[..., Any], tmp_path: Path) -> None:
    files = citation_graph().files | {"ind.tiny.graph": pickle.dumps({}, protocol=2)}
    assert read_planetoid(write(tmp_path, files), "tiny").edge_index.shape == (2, 0)


@pytest.mark.parametrize("suffix", ["x", "y", "tx", "ty", "allx", "ally", "graph", "test.index"])
def test_each_missing_file_is_named(citation_graph: Callable[..., Any], tmp_path: Path, suffix: str) -> None:
    write(tmp_path, citation_graph().files)
    (tmp_path / f"ind.tiny.{suffix}").unlink()
    with pytest.raises(DatasetMissingError, match=rf"ind\.tiny\.{suffix} is missing"):
        read_planetoid(tmp_path, "tiny")


ones = np.ones((4, 5), dtype=np.float32)


@pytest.mark.parametrize(
    ("suffix", "content", "complaint"),
    [
        ("x", sparse.csr_matrix(ones), "x and y have different numbers of rows"),
        ("ally", np.eye(3)[[0, 1]], "no room for 500 validation nodes"),
        ("allx", sparse.csr_matrix(ones), "allx and ally"),
        ("ty", np.eye(3), "ty and test.index"),
        ("tx", sparse.csr_matrix(ones[:3]), "tx and test.index"),
        ("tx", sparse.csr_matrix(ones[:, :3]), "different numbers of columns"),
        ("ty", np.ones((4, 2)), "ally and ty have different numbers of columns"),
        ("y", np.ones((6, 3)) * np.nan, "finite numbers"),
        ("y", np.ones(6), "must hold a matrix"),
        ("y", {}, "must hold a matrix"),
        ("graph", [[1]], "must map nodes to lists"),
        ("graph", {0: 1}, "must map nodes to lists"),
        ("graph", {0: [1.5]}, "must map nodes to lists"),
        ("graph", {0: [True]}, "must map nodes to lists"),
        ("graph", {0: [514]}, "from 0 to 513"),
        ("graph", {-1: [0]}, "from 0 to 513"),
        ("graph", {0: [2**70]}, "from 0 to 513"),
        ("test.index", b"510\n511\n512\n", "ty and test.index"),
        ("test.index", b"510\n511\n512\n512\n", "distinct node numbers"),
        ("test.index", b"510\n511\n512\n-513\n", "distinct node numbers"),
        ("test.index", b"510\n511\n512\nx\n", "one node number per line"),
        ("test.index", b"510\n511\n512\n" + b"9" * 30, "one node number per line"),
        ("test.index", b"\xff", "one node number per line"),
        ("test.index", b"", "distinct node numbers"),
        ("test.index", b"511\n512\n513\n514\n", "does not start where ally ends"),
        ("test.index", b"510\n511\n512\n999999999999\n", "leaves out more nodes than it names"),
    ],
)
def test_files_that_do_not_fit(
    citation_graph: Callable[..., Any], tmp_path: Path, suffix: str, content: Any, complaint: str
) -> None:
    raw = content if isinstance(content, bytes) else pickle.dumps(content, protocol=2)
    write(tmp_path, citation_graph().files | {f"ind.tiny.{suffix}": raw})
    with pytest.raises(DatasetCorruptError, match=complaint):
        read_planetoid(tmp_path, "tiny")


def test_too_few_nodes_for_validation(citation_graph: Callable[..., Any], tmp_path: Path) -> None:
    truth = citation_graph()
    few = {
        "ind.tiny.allx": pickle.dumps(sparse.csr_matrix(truth.x[:100]), protocol=2),
        "ind.tiny.ally": pickle.dumps(np.eye(3)[truth.y[:100]], protocol=2),
    }
    with pytest.raises(DatasetCorruptError, match="no room for 500 validation nodes"):
        read_planetoid(write(tmp_path, truth.files | few), "tiny")


class Attack:
    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.proof),)


def test_a_hostile_file_runs_nothing(citation_graph: Callable[..., Any], tmp_path: Path) -> None:
    proof = tmp_path / "was here"
    files = citation_graph().files | {"ind.tiny.graph": pickle.dumps({0: [Attack(proof)]}, protocol=2)}
    with pytest.raises(DatasetCorruptError, match=r"graph is not a pickle of arrays: .*mkdir"):
        read_planetoid(write(tmp_path, files), "tiny")
    assert not proof.exists()
