from __future__ import annotations

import os
from pathlib import Path

import networkx
import numpy as np
import pytest
import torch

from mmgraph.datasets import load
from mmgraph.datasets.graph_text import read_graph_text
from mmgraph.errors import DatasetCorruptError, DatasetMissingError, UnknownNameError

# torch_geometric uses torch.jit.script while it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")

REAL = Path(os.environ.get("MMGRAPH_DATA", "").split(os.pathsep)[0])


def text_of(graphs: list[networkx.Graph], labels: list[int], attributes: int = 0) -> str:
    lines = [f"{len(graphs)}"]
    for graph, label in zip(graphs, labels, strict=True):
        lines.append(f"{len(graph)} {label}")
        for node in graph:
            linked = list(graph[node])
            numbers = [f"{0.5 * node + k}" for k in range(attributes)]
            lines.append(" ".join(map(str, [graph.nodes[node]["tag"], len(linked), *linked, *numbers])))
    return "\n".join(lines) + "\n"


def some_graphs() -> list[networkx.Graph]:
    graphs = [networkx.gnp_random_graph(n, 0.4, seed=n) for n in (5, 1, 7)]
    for graph in graphs:
        for node in graph:
            graph.nodes[node]["tag"] = (node * 5) % 3 + 4
    return graphs


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "set.txt"
    path.write_text(text, encoding="ascii")
    return path


def test_graphs_come_back_as_they_were_written(tmp_path: Path) -> None:
    graphs = some_graphs()
    found = read_graph_text(write(tmp_path, text_of(graphs, [2, -1, 2])), "few", class_names=("no", "yes"))
    assert (len(found), found.num_classes, found.class_names) == (3, 2, ("no", "yes"))
    assert found.labels.tolist() == [1, 0, 1]
    assert found.node_starts.tolist() == [0, 5, 6, 13]
    for graph, data in zip(graphs, found, strict=True):
        assert set(map(tuple, data.edge_index.T.tolist())) == {
            pair for a, b in graph.edges for pair in ((a, b), (b, a))
        }
        assert data.edge_index.shape[1] == 2 * graph.number_of_edges()
        tags = torch.tensor([graph.nodes[node]["tag"] - 4 for node in graph])
        assert torch.equal(data.x, torch.eye(3)[tags])
        data.validate(raise_on_error=True)
    assert found[-1].num_nodes == 7
    with pytest.raises(IndexError, match="3 graphs"):
        found[3]


def test_node_features(tmp_path: Path) -> None:
    path = write(tmp_path, text_of(some_graphs(), [0, 1, 0], attributes=2))
    with_attributes = read_graph_text(path, "few")
    assert with_attributes.num_features == 3 + 2
    assert with_attributes.x[1].tolist()[3:] == [0.5, 1.5]
    assert torch.equal(read_graph_text(path, "few", node_features="ones").x, torch.ones(13, 1))
    degree = np.concatenate([[d for _, d in graph.degree] for graph in some_graphs()])
    known = np.unique(degree)
    expected = np.eye(len(known))[np.searchsorted(known, degree)]
    np.testing.assert_array_equal(read_graph_text(path, "few", node_features="degree").x, expected)
    with pytest.raises(UnknownNameError, match="Did you mean 'tags'"):
        read_graph_text(path, "few", node_features="tag")


def test_degree_where_tags_say_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "1\n3 0\n0 1 1\n0 2 0 2\n0 1 1\n")
    assert read_graph_text(path, "path").x.tolist() == [[1, 0], [0, 1], [1, 0]]
    assert read_graph_text(path, "path", node_features="tags").x.tolist() == [[1]] * 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: expected the number of graphs, found the end of the file"),
        ("many\n", "line 1: expected the number of graphs, found 'many'"),
        ("0\n", "line 1: expected at least one graph, found 0"),
        ("2\n1 0\n0 0\n", "line 4: .* found the end of the file"),
        ("1\n1\n0 0\n", "line 2: expected the number of nodes of a graph and its label, found '1'"),
        ("1\n0 1\n", "line 2: expected a graph of at least one node, found 0"),
        ("1\n2 0\n0 1 1\n0 1 2\n", "line 4: expected neighbours from 0 to 1, found 2"),
        ("1\n2 0\n0 1 1\n0 2 0\n", "line 4: expected 2 neighbours, found 1"),
        ("1\n2 0\n0 1 1\n0 -1 0\n", "line 4: expected -1 neighbours"),
        ("1\n2 0\n0 1 x\n0 1 0\n", "line 3: expected a node.* found '0 1 x'"),
        ("1\n2 0\n0 1 1 .5\n0 1 0\n", "line 4: expected 1 attributes, as before, found 0"),
        ("1\n1 0\n0 0 nan\n", "line 3: expected numbers of moderate size"),
        ("1\n1 0\n99999999999999999999 0\n", "line 3: expected numbers of moderate size"),
        ("1\n1 99999999999\n0 0\n", "line 2: expected the number of nodes of a graph and its label"),
        ("1\n1 0\n0 0\n\n7\n", "line 5: expected the end of the file after the last graph, found '7'"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DatasetCorruptError, match=words):
        read_graph_text(write(tmp_path, text), "broken")


def test_files_that_are_no_text_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe1\n")
    with pytest.raises(DatasetCorruptError, match="not a text file"):
        read_graph_text(tmp_path / "bytes.txt", "bytes")
    with pytest.raises(DatasetMissingError, match="cannot be read"):
        read_graph_text(tmp_path / "none.txt", "none")
    with pytest.raises(DatasetCorruptError, match="1 classes, but 2 names"):
        read_graph_text(write(tmp_path, "1\n1 0\n0 0\n"), "one", class_names=("a", "b"))


@pytest.mark.data
@pytest.mark.skipif(
    not (REAL / "graph_kernel_sets").is_dir(), reason="$MMGRAPH_DATA has no graph_kernel_sets"
)
@pytest.mark.parametrize(
    ("name", "graphs", "nodes", "edges", "features", "labels"),
    [
        ("mutag", 188, 3371, 3721, 7, [63, 125]),
        ("proteins", 1113, 43471, 81044, 3, [663, 450]),
        ("enzymes", 600, 19580, 37282, 3, [100] * 6),
        ("imdb-binary", 1000, 19773, 96531, 65, [500, 500]),
    ],
)
def test_real_sets(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    graphs: int,
    nodes: int,
    edges: int,
    features: int,
    labels: list[int],
) -> None:
    monkeypatch.setenv("MMGRAPH_DATA", str(REAL))
    found = load(name)
    assert (len(found), *found.x.shape, found.edge_index.size(1)) == (graphs, nodes, features, 2 * edges)
    assert found.labels.bincount().tolist() == labels
    assert found[graphs - 1].num_nodes == int(found.node_starts[-1] - found.node_starts[-2])
