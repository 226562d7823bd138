from __future__ import annotations

import json

from mmgraph.graph import Adjacency, read_graph


def test_a_graph_is_built_looked_at_and_converted(mmgraph, tmp_path):
    path = tmp_path / "edges.txt"
    path.write_text("0 1 0.5\n2 1 1\n1 1 2\n")
    built = mmgraph(
        "graph", "build", path, tmp_path / "stored", "--directed", "--nodes", "5", "--memory-mb", "20"
    )
    assert (built.code, built.out) == (0, f"{tmp_path / 'stored'} has 5 nodes and 3 edges.\n")
    assert Adjacency.open(tmp_path / "stored").num_nodes == 5

    found = json.loads(mmgraph("graph", "info", tmp_path / "stored", "--json").out)
    assert (found["nodes"], found["edges"], found["self-loops"], found["largest in-degree"]) == (5, 3, 1, 3)
    assert (found["directed"], found["weighted"], found["nodes without incoming edges"]) == (True, True, 4)
    assert "largest in-degree:             3" in mmgraph("graph", "info", path, "--directed").out

    converted = mmgraph("graph", "convert", tmp_path / "stored", tmp_path / "g.graphml", "--json")
    assert json.loads(converted.out) == {"path": str(tmp_path / "g.graphml"), "nodes": 5, "edges": 3}
    assert read_graph(tmp_path / "g.graphml").num_nodes == 5


def test_bad_files_end_with_a_sentence(mmgraph, tmp_path):
    path = tmp_path / "edges.txt"
    path.write_text("0 1\n1 x\n")
    ended = mmgraph("graph", "build", path, tmp_path / "stored", "--directed")
    assert ended.code == 1
    assert "line 2: expected two whole numbers as node ids, got '1 x'" in ended.err
    assert not (tmp_path / "stored").exists()
    assert mmgraph("graph", "info", tmp_path).code == 1
    path.write_text("0 1\n")
    assert mmgraph("graph", "convert", path, tmp_path / "g.doc").code == 2
