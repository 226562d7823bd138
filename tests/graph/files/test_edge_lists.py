from __future__ import annotations

import gzip
import os
from pathlib import Path

import networkx
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph import Adjacency, read_graph, write_graph
from mmgraph.graph.files import edge_text, opening

DATA = os.environ.get("MMGRAPH_DATA")


def write(folder: Path, text: str | bytes, name: str = "graph.txt") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def edges(graph: Adjacency) -> list[tuple[object, ...]]:
    edge_index, weight = graph.to_edge_index()
    ids = range(graph.num_nodes) if graph.node_ids is None else graph.node_ids
    columns = [[ids[i] for i in ends] for ends in edge_index.tolist()]
    if weight is not None:
        columns.append(weight.tolist())
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 1\n1 2\n", [(0, 1), (1, 2)]),
        ("0 1\n1 2", [(0, 1), (1, 2)]),
        ("# a\n\n  0\t1  \r\n% b\r\n1   2\r\n", [(0, 1), (1, 2)]),
        ("0,1,0.5\n1, 2, 3\n", [(0, 1, 0.5), (1, 2, 3.0)]),
        ("0;1\n1;2\n", [(0, 1), (1, 2)]),
        ("0|1|2\n", [(0, 1, 2.0)]),
        ("source,target,weight\n0,1,0.5\n", [(0, 1, 0.5)]),
        ("who,whom\n4,9\n", [(4, 9)]),
        ("src dst\na b\n", [("a", "b")]),
        ("10 30\n30 -20\n", [(10, 30), (30, -20)]),
        ("900000000000000000 5\n", [(900000000000000000, 5)]),
        ("a b\nb c\na c\n", [("a", "b"), ("b", "c"), ("a", "c")]),
        ("007 x\n", [("007", "x")]),
        ('"a b",c\nc,"d ""e"""\n', [("a b", "c"), ("c", 'd "e"')]),
        ('"0" "1"\n', [("0", "1")]),
        ("New York\tSão Paulo\n", [("New York", "São Paulo")]),
        ("\ufeff0 1\n", [(0, 1)]),
        ("0 0\n", [(0, 0)]),
        ("", []),
        ("# nothing\n", []),
    ],
)
def test_every_way_to_write_an_edge(tmp_path, text, expected):
    assert edges(read_graph(write(tmp_path, text), directed=True)) == expected


def test_ids_that_are_not_numbers_from_zero_are_kept(tmp_path):
    graph = read_graph(write(tmp_path, "30 10\n10 20\n"), directed=True)
    assert graph.node_ids == [10, 20, 30]
    assert graph.to_edge_index()[0].tolist() == [[2, 0], [0, 1]]
    assert read_graph(write(tmp_path, "1 0\n"), directed=True).node_ids is None
    assert read_graph(write(tmp_path, "1 0\n"), directed=True, ids=str).node_ids == ["1", "0"]
    spread = read_graph(write(tmp_path, "1 0\n1 4\n"), directed=True, num_nodes=6)
    assert (spread.num_nodes, spread.node_ids) == (6, None)


@pytest.mark.parametrize(
    "text",
    ["1e3", "-2.5E-3", "0.1", "123456789.123456789", "1e-30", ".5", "5.", "1e22", "7e23", "0", "00.10"],
)
def test_weights_are_the_nearest_numbers(tmp_path, text):
    torch.set_default_dtype(torch.float64)
    try:
        graph = read_graph(write(tmp_path, f"0 1 {text}\n"), directed=True)
    finally:
        torch.set_default_dtype(torch.float32)
    assert graph.value.item() == float(text)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_float64_is_read_as_python_reads_it(tmp_path, weights):
    torch.set_default_dtype(torch.float64)
    try:
        path = write(tmp_path, "".join(f"0 1 {weight!r}\n" for weight in weights))
        assert read_graph(path, directed=True).to_edge_index()[1].tolist() == weights
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "0 1\n" * 1203 + "a b c d\n",
            r"line 1,204: expected two node ids and optionally a weight, got 'a b c d'\.",
        ),
        ("0 1\n2\n", "line 2: expected two node ids and optionally a weight, got '2'"),
        ("0 1\n\n# c\n1 x\n", "line 4: expected two whole numbers as node ids, got '1 x': pass ids=str"),
        ("0 1\n1 02\n", "line 2: expected two whole numbers"),
        ("0 1\n1 9999999999999999999\n", "line 2: expected two whole numbers"),
        (
            "0 1\n1 2 0.5\n",
            "line 2: expected two node ids and no weight, as in the first line, got '1 2 0.5'",
        ),
        ("0 1 1\n1 2\n", "line 2: expected two node ids and a weight, as in the first line, got '1 2'"),
        ("0 1 heavy\n", "line 1: expected a number as weight, got '0 1 heavy'"),
        ("0 1 1\n0 2 1_0\n", "line 2: expected a number as weight"),
        ("0 1 nan\n", "line 1: expected a finite weight, got '0 1 nan'"),
        ("0 1 1e999\n", "line 1: expected a finite weight"),
        ("0,1\n0,,1\n", "line 2: expected two node ids"),
        ("a,b\nc,\n", "line 2: expected two node ids"),
        ('a,b\n"c,d\n', "line 2: expected two node ids"),
        ('a,b\n"c"d,e\n', "line 2: expected two node ids"),
        (b"a b\nc \xff\n", r"line 2: expected text in UTF-8, got 'c \\xff'"),
        (b"0 1\n0 \x00\n", "line 2: expected text, but there is a zero byte"),
        ("0 1 {'weight': 2}\n", "line 1: expected two node ids"),
        ("0 1\n" + "1" * 100 + "\n", f"line 2: .*got '{'1' * 60}…'"),
    ],
)
def test_a_broken_line_is_named(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=message) as raised:
        read_graph(path, directed=True)
    assert str(raised.value).startswith(str(path))


def test_node_numbers_out_of_range_are_named_by_line(tmp_path):
    for line, message in (
        ("0 5", "line 2: expected node numbers from 0 to 4, got '0 5'"),
        ("-1 0", "'-1 0'"),
    ):
        with pytest.raises(InputError, match=message):
            read_graph(write(tmp_path, f"0 1\n{line}\n"), num_nodes=5)
    with pytest.raises(InputError, match="number of nodes ≥ 0, but got -1"):
        read_graph(write(tmp_path, "0 1\n"), num_nodes=-1)
    with pytest.raises(InputError, match="line 1: expected two whole numbers"):
        read_graph(write(tmp_path, "a b\n"), num_nodes=5)


def test_lines_across_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "PIECE", 7)
    monkeypatch.setattr(edge_text, "LONGEST_LINE", 30)
    pairs = [(i, i * 7 % 13) for i in range(40)]
    text = "# comment\nsource target\n" + "".join(f"{s} {t}\n" for s, t in pairs)
    assert edges(read_graph(write(tmp_path, text), directed=True, num_nodes=50)) == pairs
    named = "".join(f"n{s} m{t}\n" for s, t in pairs)
    assert edges(read_graph(write(tmp_path, named), directed=True)) == [(f"n{s}", f"m{t}") for s, t in pairs]
    with pytest.raises(InputError, match="line 43: expected two node ids"):
        read_graph(write(tmp_path, text + "1\n"), directed=True)
    with pytest.raises(InputError, match=r"line 43: expected an edge, but the line has more than 30 bytes"):
        read_graph(write(tmp_path, text + "1" * 40), directed=True)


def test_more_names_than_the_first_table_holds(tmp_path):
    pairs = [(f"node {i}", f"node {(i * i) % 5003}") for i in range(6000)]
    graph = read_graph(write(tmp_path, "".join(f"{s}\t{t}\n" for s, t in pairs)), directed=True)
    assert edges(graph) == pairs
    order = list(dict.fromkeys(name for pair in pairs for name in pair))
    assert graph.node_ids == order


def test_gzip_is_seen_from_the_content(tmp_path):
    packed = gzip.compress(b"0 1\n1 2\n")
    for name in ("graph.txt.gz", "graph.txt"):
        assert edges(read_graph(write(tmp_path, packed, name), directed=True)) == [(0, 1), (1, 2)]
    for damaged in (packed[:-5], packed[:-3] + b"abc"):
        with pytest.raises(InputError, match="cut short or damaged"):
            read_graph(write(tmp_path, damaged, "graph.txt.gz"))


def test_direction_as_asked_as_said_and_as_seen(tmp_path):
    both = [(0, 1), (1, 0), (1, 2), (2, 1)]
    assert edges(read_graph(write(tmp_path, "0 1\n1 2\n"))) == both
    assert edges(read_graph(write(tmp_path, "0 1\n1 0\n1 2\n2 1\n"))) == both
    assert edges(read_graph(write(tmp_path, "# Directed graph (each pair once)\n0 1\n1 2\n"))) == [
        (0, 1),
        (1, 2),
    ]
    assert edges(read_graph(write(tmp_path, "# Undirected graph: x\n0 1\n1 2\n"))) == both
    assert edges(read_graph(write(tmp_path, "# Undirected graph: x\n0 1\n"), directed=True)) == [(0, 1)]
    assert edges(read_graph(write(tmp_path, "0 1\n", "g.ungraph"))) == [(0, 1), (1, 0)]
    assert edges(read_graph(write(tmp_path, "0 0 1\n0 1 2\n"))) == [(0, 0, 1.0), (0, 1, 2.0), (1, 0, 2.0)]
    mixed = write(tmp_path, "0 1\n1 0\n1 2\n")
    with pytest.raises(
        InputError, match=r"2 of 3 are there in both directions\. Pass directed=True, or directed=False"
    ):
        read_graph(mixed)
    assert len(edges(read_graph(mixed, directed=False))) == 6


@pytest.mark.parametrize("name", ["g.txt", "g.csv", "g.tsv", "g.edgelist.gz"])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize(
    "ids", [None, [7, -3, 10**12, 0], ["a b", 'c"d', "5", "#x"], ["plain", "naïve", "com,ma", "semi;colon"]]
)
def test_what_is_written_comes_back(tmp_path, name, weighted, directed, ids):
    pairs = [(0, 1), (1, 2), (2, 2), (3, 1), (0, 1)]
    if not directed:
        pairs += [(t, s) for s, t in pairs if s != t]
    weight = torch.arange(1.0, len(pairs) + 1) / 3 if weighted else None
    if weighted and not directed:
        weight[5:] = weight[[0, 1, 3, 4]]
    num_nodes = 6 if ids is None else 4
    graph = Adjacency.from_edge_index(torch.tensor(pairs).T, num_nodes, weight, ids)
    write_graph(graph, tmp_path / name)
    again = Adjacency.from_file(tmp_path / name)
    assert again.num_nodes == num_nodes
    assert sorted(edges(again), key=repr) == sorted(edges(graph), key=repr)
    assert (again.node_ids is None) == (ids is None)
    if directed:
        assert edges(again) == edges(graph)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_empty_graph_comes_back(tmp_path):
    for nodes in (0, 3):
        write_graph(
            Adjacency.from_edge_index(torch.empty(2, 0, dtype=torch.int64), nodes), tmp_path / "g.txt"
        )
        assert read_graph(tmp_path / "g.txt").num_nodes == nodes


def test_networkx_reads_what_we_write(tmp_path):
    graph = Adjacency.from_networkx(networkx.karate_club_graph())
    write_graph(graph, tmp_path / "karate.txt")
    theirs = networkx.read_weighted_edgelist(tmp_path / "karate.txt", nodetype=int)
    np.testing.assert_array_equal(
        networkx.to_numpy_array(theirs, nodelist=range(34)), graph.to_scipy().toarray()
    )


def test_nothing_half_written(tmp_path):
    path = tmp_path / "g.txt"
    path.write_text("precious")
    edge = torch.tensor([[0], [1]])
    for ids, message in (
        (["a", "b", "c"], "'c' has none"),
        (["a", ("b", 1)], r"text of one line, but got \('b', 1\)"),
        (["a", "b\nc"], "text of one line"),
    ):
        with pytest.raises(InputError, match=message):
            write_graph(Adjacency.from_edge_index(edge, len(ids), node_ids=ids), path)
    with pytest.raises(InputError, match="directed=True"):
        write_graph(Adjacency.from_edge_index(edge, 2), path, directed=False)
    with pytest.raises(InputError, match="without gradients"):
        write_graph(
            Adjacency.from_edge_index(edge, 2, torch.ones(1, requires_grad=True)), path, directed=True
        )
    with pytest.raises(InputError, match="Adjacency to write, but got Tensor"):
        write_graph(edge, path)
    with pytest.raises(InputError, match="could not be written: No such file"):
        write_graph(Adjacency.from_edge_index(edge, 2), tmp_path / "missing" / "g.txt")
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_graph(tmp_path / "nowhere.txt")
    with pytest.raises(InputError, match="is a folder"):
        read_graph(tmp_path, format="edge-list")
    with pytest.raises(UnknownNameError, match=r"'\.doc'.*Known: .*\.edgelist"):
        read_graph(write(tmp_path, "0 1\n", "graph.doc"))
    with pytest.raises(UnknownNameError, match=r"no graph format 'edges'\. Did you mean 'edge-list'"):
        read_graph(write(tmp_path, "0 1\n"), format="edges")
    assert read_graph(write(tmp_path, "0 1\n", "graph.doc"), format="edge-list").num_nodes == 2
    with pytest.raises(InputError, match="one plain character as delimiter, but got ', '"):
        read_graph(write(tmp_path, "0 1\n"), delimiter=", ")
    with pytest.raises(InputError, match="int, str or None"):
        read_graph(write(tmp_path, "0 1\n"), ids=float)


def test_ten_gigabytes_on_a_budget_of_four(tmp_path):
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(10 * 10**9)  # a hole: takes no space
    with pytest.raises(InputError, match=r"has 10\.0 GB.*more than the 4\.0 GB.*build_csr"):
        read_graph(path, memory_budget=4 * 10**9)


def test_a_small_file_that_unpacks_to_a_large_one(tmp_path):
    path = write(tmp_path, gzip.compress(b"0 1\n" * 500_000), "bomb.txt.gz")
    with pytest.raises(
        InputError, match=r"bomb\.txt\.gz has more than the 1,0.. kB|more than the .* that fit"
    ):
        read_graph(path, directed=True, memory_budget=24_000_000)


@pytest.mark.data
@pytest.mark.skipif(not DATA, reason="needs $MMGRAPH_DATA")
def test_published_files():
    karate = read_graph(Path(DATA) / "karate" / "karate.edgelist")
    assert (karate.num_nodes, karate.num_edges, karate.node_ids) == (34, 156, list(range(1, 35)))
    dblp = read_graph(Path(DATA) / "dblp_multilabel" / "dblp.ungraph")
    assert (dblp.num_nodes, dblp.num_edges) == (51_264, 2 * 127_968)
    # Of 38,739 lines 894 are self-loops.
    ppi = read_graph(Path(DATA) / "ppi_homo_sapiens" / "PPI.ungraph")
    assert (ppi.num_nodes, ppi.to_scipy().nnz) == (3_890, 76_584)
