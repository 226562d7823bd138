"""GraphML, GEXF, GML and npz, with networkx and SciPy as the judges."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import zipfile
from pathlib import Path

import networkx
import numpy as np
import pytest
import scipy.sparse
import torch

from mmgraph.errors import InputError
from mmgraph.graph import Adjacency, read_graph, write_graph

TEXT_FORMATS = ["graphml", "gexf", "gml"]
ALL = [*TEXT_FORMATS, "npz"]


def social(directed: bool, names: str = "text") -> networkx.Graph:
    graph = networkx.DiGraph() if directed else networkx.Graph()
    ann, bob, cid, dan = {
        "text": ["ann", 'b"o<b>&', "çid", "dan"],
        "numbers": [4, 2, 9, 0],
        "plain": [0, 1, 2, 3],
    }[names]
    graph.add_node(ann, age=31, height=1.7, mail="a@b & <c>", member=True)
    graph.add_node(bob, age=27, height=2.0, member=False)
    graph.add_node(cid, age=-5, height=1e-300, member=True)
    graph.add_node(dan, age=0, height=float("inf"), member=True)
    graph.add_edge(ann, bob, weight=2.5, since=2001, kind="work")
    graph.add_edge(cid, bob, weight=1.0, since=1999)
    graph.add_edge(cid, cid, weight=0.1, since=2020)
    return graph


def described(graph: networkx.Graph, booleans: bool = True) -> tuple[object, ...]:
    """Nodes in order and edges as a set, with attributes; weights as float32 keeps them."""

    def plain(values: dict[str, object]) -> tuple[tuple[str, str], ...]:
        known = {
            name: float(np.float32(value)) if name == "weight" else value
            for name, value in values.items()
            if name not in ("label", "id") and (booleans or not isinstance(value, bool))
        }
        return tuple(sorted((name, repr(value)) for name, value in known.items()))

    edges = [
        ((u, v) if graph.is_directed() else frozenset((u, v)), plain(values))
        for u, v, values in graph.edges(data=True)
    ]
    return [(node, plain(values)) for node, values in graph.nodes(data=True)], sorted(edges, key=repr)


@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize("names", ["text", "numbers", "plain"])
@pytest.mark.parametrize("suffix", [*ALL, "graphml.gz"])
def test_what_is_written_comes_back(tmp_path, suffix, directed, names):
    given = social(directed, names)
    graph = Adjacency.from_networkx(given)
    write_graph(graph, tmp_path / f"g.{suffix}")
    again = Adjacency.from_file(tmp_path / f"g.{suffix}")
    back = again.to_networkx(directed)
    assert described(back)[1] == described(given)[1]
    if suffix == "gml":
        assert [node["member"] for node in dict(back.nodes(data=True)).values()] == [1, 0, 1, 1]
    else:
        assert described(back)[0] == described(given)[0]
    if suffix == "npz":
        assert torch.equal(again.to_edge_index()[0], graph.to_edge_index()[0])
        assert torch.equal(again.value, graph.value)


READERS = {"graphml": networkx.read_graphml, "gexf": networkx.read_gexf, "gml": networkx.read_gml}
WRITERS = {"graphml": networkx.write_graphml_xml, "gexf": networkx.write_gexf, "gml": networkx.write_gml}


@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize("kind", TEXT_FORMATS)
def test_networkx_reads_what_we_write(tmp_path, kind, directed):
    given = social(directed)
    write_graph(Adjacency.from_networkx(given), tmp_path / f"g.{kind}")
    theirs = READERS[kind](tmp_path / f"g.{kind}")
    for _, _, values in theirs.edges(data=True):
        values.pop("id", None)
    assert theirs.is_directed() == directed
    assert list(theirs) == list(given)
    assert described(theirs, False)[1] == described(given, False)[1]
    assert [n["age"] for n in dict(theirs.nodes(data=True)).values()] == [31, 27, -5, 0]


@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize("kind", TEXT_FORMATS)
def test_we_read_what_networkx_writes(tmp_path, kind, directed):
    given = social(directed)
    WRITERS[kind](given, tmp_path / f"g.{kind}")
    ours = read_graph(tmp_path / f"g.{kind}").to_networkx(directed)
    assert described(ours, kind != "gml")[1] == described(given, kind != "gml")[1]
    assert list(ours) == list(given)
    for name in ("age", "height", "mail"):
        assert networkx.get_node_attributes(ours, name) == networkx.get_node_attributes(given, name)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("num_nodes", [0, 3])
def test_graphs_without_edges(tmp_path, kind, num_nodes):
    empty = Adjacency.from_edge_index(torch.empty(2, 0, dtype=torch.int64), num_nodes)
    write_graph(empty, tmp_path / f"g.{kind}")
    again = read_graph(tmp_path / f"g.{kind}")
    assert (again.num_nodes, again.num_edges, again.node_ids) == (num_nodes, 0, None)


@pytest.mark.parametrize("kind", ALL)
def test_several_equal_edges(tmp_path, kind):
    graph = Adjacency.from_edge_index(torch.tensor([[0, 0, 1], [1, 1, 1]]), 2, torch.tensor([1.0, 2.0, 3.0]))
    write_graph(graph, tmp_path / f"g.{kind}")
    again = read_graph(tmp_path / f"g.{kind}")
    assert [part.tolist() for part in again.to_edge_index()] == [
        part.tolist() for part in graph.to_edge_index()
    ]


def test_options_of_reading(tmp_path):
    graph = networkx.Graph([("1", "2"), ("2", "3")])
    graph["1"]["2"]["cost"] = 7
    networkx.write_graphml_xml(graph, tmp_path / "g.graphml")
    costly = read_graph(tmp_path / "g.graphml", weight="cost")
    assert costly.to_edge_index()[1].tolist() == [7.0, 7.0, 1.0, 1.0]
    assert costly.node_ids == [1, 2, 3]
    plain = read_graph(tmp_path / "g.graphml", ids=str, directed=True)
    assert plain.node_ids == ["1", "2", "3"]
    assert plain.to_edge_index()[0].tolist() == [[0, 1], [1, 2]]
    assert plain.edge_attributes["cost"].tolist() == [7, None]
    with pytest.raises(InputError, match=r"for edge lists only, but .* is graphml"):
        read_graph(tmp_path / "g.graphml", num_nodes=3)
    with pytest.raises(InputError, match="more than the 100 bytes there are for it"):
        read_graph(tmp_path / "g.graphml", memory_budget=100)


def graphml(body: str, head: str = "") -> str:
    return (
        f'<?xml version="1.0"?>\n{head}<graphml>\n'
        '<key id="a" for="node" attr.name="age" attr.type="int"><default>7</default></key>\n'
        f'<graph edgedefault="directed">\n<node id="x"/><node id="y"/>\n{body}</graph></graphml>'
    )


BOMB = '<!DOCTYPE g [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>\n'
OUTSIDE = '<!DOCTYPE g [<!ENTITY a SYSTEM "file:///etc/passwd">]>\n'


def test_defaults_of_graphml(tmp_path):
    (tmp_path / "g.graphml").write_text(graphml('<node id="z"><data key="a">1</data></node>'))
    assert read_graph(tmp_path / "g.graphml").node_attributes["age"].tolist() == [7, 7, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            graphml('<edge source="x" target="q"/>'),
            "line 6: expected an edge between nodes of the file, got 'q'",
        ),
        (
            graphml("\n<edge source='x'/>"),
            "line 7: expected an attribute 'target' of the element 'edge', got none",
        ),
        (
            graphml('<node id="x"/>'),
            "line 6: expected nodes with ids of their own, got 'x' for the second time",
        ),
        (
            graphml('<node id="z"><data key="a">old</data></node>'),
            "line 6: .*type int for the attribute 'age', got 'old'",
        ),
        (
            graphml('<node id="z"><data key="b">1</data></node>'),
            "line 6: expected the id of a 'key' .* got 'b'",
        ),
        (
            graphml('<edge source="x" target="y" directed="no"/>'),
            "line 6: .*directed or undirected, got neither",
        ),
        (graphml("<hyperedge/>"), "line 6: .*'hyperedge', which is not supported"),
        (graphml("</node>"), "line 6: expected XML, but found: mismatched tag"),
        (graphml("")[:-30], "line 5: expected XML, but found: unclosed token"),
        (graphml("", '<!DOCTYPE g SYSTEM "http://example.org/g.dtd">\n') + "x", "expected XML"),
        (graphml("&b;", BOMB), "line 2: expected a file without entities of its own"),
        (graphml("&a;", OUTSIDE), "line 2: expected a file without entities of its own"),
        (
            graphml("&a;", '<!DOCTYPE g SYSTEM "file:///etc/passwd">\n'),
            "line 7: expected a file without entities",
        ),
        (graphml("&a;"), "line 6: expected XML, but found: undefined entity"),
        (graphml("<x>" * 80 + "</x>" * 80), "line 6: expected at most 64 elements within each other"),
        ("<gexf/>", "line 1: expected the root element 'graphml', got 'gexf'"),
        ("<graphml/>", "line 1: expected an element 'graph', got none"),
        ("", "line 1: expected XML, but found: no element found"),
        ("0 1\n", "line 1: expected XML, but found: syntax error"),
    ],
)
def test_broken_graphml(tmp_path, text, message):
    (tmp_path / "g.graphml").write_text(text)
    with pytest.raises(InputError, match=message) as raised:
        read_graph(tmp_path / "g.graphml")
    assert str(raised.value).startswith(str(tmp_path / "g.graphml"))


def gexf(body: str, head: str = '<graph defaultedgetype="directed">') -> str:
    return f"<gexf>{head}\n<nodes><node id='x'/><node id='y'/></nodes>\n<edges>{body}</edges></graph></gexf>"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            gexf("<edge source='x' target='q'/>"),
            "line 3: expected an edge between nodes of the file, got 'q'",
        ),
        (
            gexf("<edge source='x' target='y' weight='fat'/>"),
            "line 3: .*type double for the attribute 'weight'",
        ),
        (
            gexf("<edge source='x' target='y' weight='nan'/>"),
            "line 3: expected a finite number as the edge's weight",
        ),
        (
            gexf("<edge source='x' target='y' type='up'/>"),
            "line 3: expected edges that are directed, .*got 'up'",
        ),
        (
            gexf("<edge source='x' target='y'><attvalue for='1' value='2'/></edge>"),
            "line 3: .*declared before, got '1'",
        ),
        (gexf("", "<graph mode='dynamic'>"), "line 1: expected a static graph"),
        (gexf("", "<graph><nodes><node id='1'><nodes><node id='2'/>"), "line 1: .*a node within a node"),
        (gexf("", BOMB.replace("\n", "")), "expected XML|entities"),
    ],
)
def test_broken_gexf(tmp_path, text, message):
    (tmp_path / "g.gexf").write_text(text)
    with pytest.raises(InputError, match=message):
        read_graph(tmp_path / "g.gexf")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "graph [\n node [ id 0 ]\n node [ id 0 ]\n]",
            "line 3: expected nodes with ids of their own, got '0'",
        ),
        ("graph [\n node [ id 0 ]\n edge [ source 0 target 5 ]\n]", "line 3: .*got '5'"),
        ('graph [\n node [ label "a" ]\n]', "line 2: expected one whole number 'id' of the node, got none"),
        ("graph [\n node [ id 0\n", "line 2: expected a bracket"),
        ("graph [\n node 3 ]", r"line 2: expected a list 'node \[ … \]', got 3"),
        ("graph [\n 3 node ]", "line 2: expected a key, got '3'"),
        ("graph [\n a ]", "line 2: expected a value of 'a', got ']'"),
        ("graph [\n a §§ ]", "line 2: expected a key, number, text in quotes or bracket, got '§§ ]'"),
        ('graph [\n a "never closed ]', "line 2: expected a key, number, text"),
        ("graph [ ] graph [ ]", r"line 1: expected one list 'graph \[ … \]', got 2"),
        ("", r"line 1: expected one list 'graph"),
        ("graph [" + "a [" * 70, "line 1: expected at most 64 lists within each other"),
        ("graph [\n a " + "1" * 5000 + "]", "line 2: expected a value of 'a'"),
        (
            'graph [ node [ id 0 ] edge [ source 0 target 0 weight "1" ] ]',
            "finite number as the edge's weight",
        ),
    ],
)
def test_broken_gml(tmp_path, text, message):
    (tmp_path / "g.gml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_graph(tmp_path / "g.gml")


def test_what_gml_can_say(tmp_path):
    (tmp_path / "g.gml").write_bytes(
        b'# made by hand\nCreator "me"\ngraph [\n directed 0\n node [ id 7 graphics [ x 1.5 y -2 ] size 1 size 2 ]\n'
        b' node [ id 8 note "S&#227;o &quot;x&quot;" far +INF ]\n edge [ source 7 target 8 value 3E2 ]\n]'
    )
    graph = read_graph(tmp_path / "g.gml", weight="value")
    assert graph.node_ids == [7, 8]
    assert graph.node_attributes["graphics"].tolist() == [{"x": 1.5, "y": -2}, None]
    assert graph.node_attributes["size"].tolist() == [[1, 2], None]
    assert graph.node_attributes["note"][1] == 'São "x"'
    assert graph.node_attributes["far"][1] == float("inf")
    assert graph.value.tolist() == [300.0, 300.0]


@pytest.mark.parametrize(
    ("node_ids", "attributes", "kinds", "message"),
    [
        ([(1, 2), "b"], {}, TEXT_FORMATS, r"whole numbers or text in .*, but got \(1, 2\)"),
        ([1, "1"], {}, TEXT_FORMATS, "differ as text"),
        (
            None,
            {"x": np.ones((2, 3))},
            TEXT_FORMATS,
            "numbers, booleans or text as values of the attribute 'x'",
        ),
        (None, {"x": np.array([1, "a"], object)}, TEXT_FORMATS, "but they are int and str: write .npz"),
        (
            None,
            {"x": np.array(["a\0", "b"], object)},
            ["graphml", "gexf"],
            "text that .* can hold, but 'a.x00'",
        ),
        (None, {"a b": np.ones(2)}, ["gml"], "letters, digits and _.* but got 'a b'"),
        (
            None,
            {"x": np.array([{1}, None], object)},
            ["npz"],
            r"numbers, text or lists of them in 'node\.x'.* \{1\}",
        ),
        ([(1, 2), "b"], {}, ["npz"], "lists of them in 'node_ids'"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_and_nothing_written(
    tmp_path, node_ids, attributes, kinds, message
):
    graph = Adjacency.from_edge_index(torch.tensor([[0], [1]]), 2, None, node_ids, attributes)
    for kind in kinds:
        with pytest.raises(InputError, match=message):
            write_graph(graph, tmp_path / f"g.{kind}")
    assert not list(tmp_path.iterdir())


def test_npz_keeps_everything(tmp_path):
    graph = Adjacency.from_edge_index(
        torch.tensor([[2, 0, 2], [0, 1, 0]]),
        4,
        torch.tensor([0.1, 0.2, 1 / 3], dtype=torch.float64),
        ["a", 5, 2.5, "d"],
        {"x": np.arange(8.0).reshape(4, 2), "tags": [["u"], [], None, ["v", 1]]},
        {"time": np.array([3, 1, 2], np.int16)},
    )
    write_graph(graph, tmp_path / "g.npz")
    again = read_graph(tmp_path / "g.npz")
    assert again.num_nodes == 4
    assert torch.equal(again.to_edge_index()[0], graph.to_edge_index()[0])
    assert torch.equal(again.to_edge_index()[1], graph.to_edge_index()[1])
    assert again.node_ids == ["a", 5, 2.5, "d"]
    assert again.node_attributes["x"].tolist() == graph.node_attributes["x"].tolist()
    assert again.node_attributes["tags"].tolist() == [["u"], [], None, ["v", 1]]
    assert again.edge_attributes["time"].dtype == np.int16


@pytest.mark.parametrize("kind", ["csr", "csc", "coo"])
def test_matrices_of_scipy(tmp_path, kind):
    matrix = scipy.sparse.random(6, 6, 0.3, kind, rng=np.random.default_rng(0))
    scipy.sparse.save_npz(tmp_path / "m.npz", matrix)
    np.testing.assert_array_equal(read_graph(tmp_path / "m.npz").to_scipy().toarray(), matrix.toarray())


def npz(**arrays: object) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def lying_npz() -> bytes:
    """An array of 10¹² numbers, says its header."""
    array = io.BytesIO()
    np.lib.format.write_array_header_1_0(array, {"descr": "<i8", "fortran_order": False, "shape": (10**12,)})
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("edge_index.npy", array.getvalue() + b"12345678")
    return file.getvalue()


class Hostile:
    def __reduce__(self) -> object:
        return os.system, ("exit 1",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not a zip", "npz file of arrays, but .* cannot be read"),
        (npz(about=np.array([Hostile()], object)), "it holds pickles, which can run code"),
        (pickle.dumps(Hostile()), "cannot be read"),
        (lying_npz(), r"shape \(1000000000000,\) and 8 bytes do not go together"),
        (npz(x=np.ones(3)), r"written by mmgraph or scipy.* holds \['x'\]"),
        (npz(about=np.frombuffer(b"{}", np.uint8)), "cannot be read: 'version'"),
        (npz(about=np.frombuffer(b'{"version": 9}', np.uint8)), "written by a newer mmgraph"),
        (npz(about=np.frombuffer(b"[", np.uint8)), "cannot be read"),
        (
            npz(
                about=np.frombuffer(b'{"version":1,"num_nodes":2,"json":[]}', np.uint8),
                edge_index=np.array([[0], [7]]),
            ),
            "num_nodes = 2, but edge_index goes from 0 to 7",
        ),
        (
            npz(
                format=np.array(b"csr"), shape=np.array([2, 2]), data=np.ones(1),
                indices=np.array([9]), indptr=np.array([0, 1, 1]),
            ),
            "cannot be read: .*indices",
        ),
        (npz(format=np.array(b"dia"), shape=np.array([2, 2])), "kind 'dia' are not supported"),
    ],
)  # fmt: skip
def test_hostile_npz(tmp_path, content, message):
    (tmp_path / "g.npz").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_graph(tmp_path / "g.npz")


def test_archives_that_unpack_to_more_than_the_budget(tmp_path):
    np.savez_compressed(tmp_path / "g.npz", edge_index=np.zeros((2, 10**6), np.int64))
    with pytest.raises(InputError, match=r"unpacks to 16\.0 MB, more than the 1\.0 MB"):
        read_graph(tmp_path / "g.npz", memory_budget=6_000_000)
    (tmp_path / "g.graphml.gz").write_bytes(gzip.compress(b"<graphml>" + b" " * 10**7))
    with pytest.raises(InputError, match=r"more than the 1\.0 MB that fit"):
        read_graph(tmp_path / "g.graphml.gz", memory_budget=24_000_000)


def test_no_directions_for_npz(tmp_path):
    write_graph(Adjacency.from_edge_index(torch.tensor([[0], [1]])), tmp_path / "g.npz")
    with pytest.raises(InputError, match="every edge in each of its directions"):
        read_graph(Path(tmp_path / "g.npz"), directed=False)
