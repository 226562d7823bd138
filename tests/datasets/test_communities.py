from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from mmgraph.datasets.communities import read_communities
from mmgraph.errors import DatasetCorruptError, DatasetMissingError

REAL = Path(os.environ.get("MMGRAPH_DATA", "").split(os.pathsep)[0]) / "ppi_homo_sapiens"


def read(folder: Path, edges: str, communities: str) -> Any:
    (folder / "g.ungraph").write_text(edges, encoding="utf-8")
    (folder / "g.cmty").write_text(communities, encoding="utf-8")
    return read_communities(folder / "g.ungraph", folder / "g.cmty")


def test_a_small_graph(tmp_path: Path) -> None:
    data = read(tmp_path, "0\t1\n2 0\n0 2\n3\t3\n", "0\t2\n\n3 0\n")
    assert data.edge_index.t().tolist() == [[1, 0], [2, 0], [0, 1], [0, 2], [3, 3]]
    assert data.y.dtype == torch.bool
    assert data.y.int().tolist() == [[1, 0, 1], [0, 0, 0], [1, 0, 0], [0, 0, 1]]
    assert data.num_nodes == 4
    data.validate(raise_on_error=True)


def test_an_isolated_node_is_known_by_its_label(tmp_path: Path) -> None:
    data = read(tmp_path, "0 1\n", "2\n")
    assert (data.num_nodes, data.num_edges) == (3, 2)


@pytest.mark.parametrize(("edges", "communities"), [("", ""), ("", "\n\n")])
def test_an_empty_graph(tmp_path: Path, edges: str, communities: str) -> None:
    data = read(tmp_path, edges, communities)
    assert (data.num_nodes, data.num_edges, len(data.y)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("edges", "communities", "complaint"),
    [
        ("0 1\n1 2 3\n", "", r"g\.ungraph, line 2: expected two nodes, found 3"),
        ("0 1\n\n", "", "line 2: expected two nodes, found 0"),
        ("0 1\n1 -2\n", "", "line 2: expected node numbers, found '1 -2'"),
        ("0 1.5\n", "", "line 1: expected node numbers"),
        ("0 1\n", "0\nx\n", r"g\.cmty, line 2: expected node numbers, found 'x'"),
        ("0 ²\n", "", "must hold node numbers"),
        ("0 9999999999999\n", "", "without large gaps"),
        ("0 " + "9" * 30, "", "line 1: expected node numbers"),
    ],
)
def test_files_that_hold_something_else(tmp_path: Path, edges: str, communities: str, complaint: str) -> None:
    with pytest.raises(DatasetCorruptError, match=complaint):
        read(tmp_path, edges, communities)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError, match=r"g\.ungraph cannot be read"):
        read_communities(tmp_path / "g.ungraph", tmp_path / "g.cmty")


@pytest.mark.data
@pytest.mark.skipif(not REAL.is_dir(), reason="$MMGRAPH_DATA has no folder ppi_homo_sapiens")
def test_the_real_protein_graph() -> None:
    data = read_communities(REAL / "PPI.ungraph", REAL / "PPI.cmty")
    loops = int((data.edge_index[0] == data.edge_index[1]).sum())
    assert (data.num_nodes, data.num_edges, loops) == (3890, 76584, 894)
    assert tuple(data.y.shape) == (3890, 50)
    assert int(data.y.sum()) == 6640
    assert data.is_undirected()
