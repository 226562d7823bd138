from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch_geometric.io import read_tu_data

from mmgraph.datasets.tu_folder import read_tu_folder
from mmgraph.errors import DatasetCorruptError, DatasetMissingError

FILES = {
    "A": "1, 2\n2, 1\n2, 3\n3, 2\n5, 4\n4, 5\n",
    "graph_indicator": "1\n1\n1\n2\n2\n3\n",
    "graph_labels": "-1\n1\n1\n",
    "node_labels": "0\n2\n1\n0\n0\n1\n",
    "node_attributes": "0.5, 1\n1.5, 2\n2.5, 3\n3.5, 4\n4.5, 5\n5.5, 6\n",
}


def folder_of(tmp_path: Path, **changes: str | None) -> Path:
    folder = tmp_path / "TOY"
    folder.mkdir()
    for suffix, text in {**FILES, **changes}.items():
        if text is not None:
            (folder / f"TOY_{suffix}.txt").write_text(text, encoding="ascii")
    return folder


def test_same_as_torch_geometric(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    found = read_tu_folder(folder)
    expected, slices, _ = read_tu_data(str(folder), "TOY")
    assert (found.name, len(found), found.class_names) == ("TOY", 3, ("-1", "1"))
    assert found.node_starts.tolist() == slices["x"].tolist()
    # It puts the attributes first.
    assert torch.equal(found.x, expected.x.roll(3, dims=1))
    assert torch.equal(found.labels, expected.y)
    assert found[2].num_edges == 0
    for graph in range(2):
        left, right = slices["edge_index"][graph : graph + 2].tolist()
        ours = found[graph].edge_index
        assert set(map(tuple, ours.T.tolist())) == set(
            map(tuple, expected.edge_index[:, left:right].T.tolist())
        )


def test_without_labels_of_nodes_their_degree(tmp_path: Path) -> None:
    found = read_tu_folder(folder_of(tmp_path, node_labels=None, node_attributes=None))
    assert found.x.argmax(dim=1).tolist() == [1, 2, 1, 1, 1, 0]


def test_a_set_without_edges(tmp_path: Path) -> None:
    found = read_tu_folder(folder_of(tmp_path, A="\n"))
    assert found.edge_index.shape == (2, 0)
    assert [data.num_nodes for data in found] == [3, 2, 1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"A": "1, 2\n2; 1\n"}, r"TOY_A.txt, line 2: expected 2 whole numbers .* found '2; 1'"),
        ({"A": "1, 2\n2, 1, 3\n"}, r"TOY_A.txt, line 2"),
        ({"A": "1\n2\n"}, r"TOY_A.txt, line 1"),
        ({"graph_labels": "1\n\n1.5\n"}, r"TOY_graph_labels.txt, line 3"),
        ({"node_attributes": "1\n2\n3\nnan\n5\n6\n"}, r"node_attributes.txt, line 4: expected 1 finite"),
        ({"A": "1, 7\n"}, "edges join nodes 1 to 7 of 6"),
        ({"A": "3, 4\n"}, "an edge joins two graphs"),
        ({"graph_indicator": "1\n1\n1\n2\n2\n4\n"}, "graphs 1 to 4 of 3"),
        ({"graph_indicator": "1\n2\n1\n2\n2\n3\n"}, "do not follow each other"),
        ({"node_labels": "0\n"}, "not as many labels"),
    ],
)
def test_broken_files(tmp_path: Path, changes: dict[str, str], words: str) -> None:
    with pytest.raises(DatasetCorruptError, match=words):
        read_tu_folder(folder_of(tmp_path, **changes))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError, match=r"TOY_A\.txt is missing"):
        read_tu_folder(folder_of(tmp_path, A=None))
    (tmp_path / "TOY" / "TOY_A.txt").write_bytes(b"\xff\n")
    with pytest.raises(DatasetCorruptError, match="not a text file"):
        read_tu_folder(tmp_path / "TOY")
