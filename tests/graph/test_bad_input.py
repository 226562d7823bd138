"""The bad input that the library promises to answer with one clear sentence, tried at every door."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path

import networkx
import numpy as np
import pytest
import scipy.sparse
import torch

import mmgraph.graph
from mmgraph.errors import InputError, MMGraphError
from mmgraph.graph import (
    GNN,
    Adjacency,
    DeepWalk,
    GATConv,
    GATv2Conv,
    NetMF,
    Node2Vec,
    PartitionedEmbedding,
    Planetoid,
    SpectralEmbedding,
    aggregate,
    build_csr,
    knn_graph,
    pool,
    propagate,
    propagate_max,
    random_walks,
    read_graph,
    write_graph,
)

CONVOLUTIONS = {
    name: getattr(mmgraph.graph, name)
    for name in mmgraph.graph.__all__
    if name.endswith("Conv") and name not in ("EdgeConv", "RelationalGCNConv")
}
GRAPH = torch.tensor([[0, 1, 2], [1, 2, 0]])
WEIGHTED = {"GCNConv", "SGConv", "ChebConv", "ARMAConv", "CayleyConv", "SpectralConv"}
"""Those that normalise the weights of a graph."""


def layer(name: str) -> torch.nn.Module:
    return CONVOLUTIONS[name](4, 4)


def test_all_convolutions_are_tried():
    assert len(CONVOLUTIONS) >= 10
    assert set(CONVOLUTIONS) >= WEIGHTED


@pytest.mark.parametrize("name", sorted(CONVOLUTIONS.keys() - {"LinearConv"}))  # which takes no notice of it
@pytest.mark.parametrize(
    ("edge_index", "message"),
    [
        (
            torch.tensor([[0, 3], [1, 2]]),
            "node indices ≥ 0 and < num_nodes = 3, but edge_index goes from 0 to 3",
        ),
        (torch.tensor([[0, -1], [1, 2]]), "goes from -1 to 2"),
        (GRAPH.float(), r"edge_index of integers, but got torch\.float32"),
        (GRAPH.bool(), r"edge_index of integers, but got torch\.bool"),
        (GRAPH.T[:, :1], r"edge_index of shape \(2, E\), but got \(3, 1\)"),
        (GRAPH[0], r"edge_index of shape \(2, E\), but got \(3,\)"),
        (GRAPH.float().to_sparse(), "dense tensor"),
        (GRAPH.tolist(), "edge_index tensor or an Adjacency, but got list"),
        (networkx.path_graph(3), "edge_index tensor or an Adjacency, but got Graph: convert it"),
        (None, "edge_index tensor or an Adjacency, but got NoneType"),
        (
            Adjacency.from_edge_index(GRAPH, 5),
            "one row of features per node, but the graph has 5 nodes and .* 3 rows",
        ),
    ],
)
def test_graphs_that_are_none(name, edge_index, message):
    with pytest.raises(InputError, match=message):
        layer(name)(torch.ones(3, 4), edge_index)


@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.ones(3, 5), "4.*5|5.*4"),
        (torch.ones(12), r"\(12,\)"),
        (torch.ones(2, 3, 4), r"\(2, 3, 4\)"),
        (torch.ones(3, 4, dtype=torch.int64), "int64"),
        (np.ones((3, 4)), "ndarray"),
    ],
)
def test_features_that_do_not_fit(name, x, message):
    with pytest.raises(InputError, match=message):
        layer(name)(x, torch.cat([GRAPH, GRAPH.flip(0)], 1))


@pytest.mark.parametrize("name", sorted(WEIGHTED))
def test_negative_weights_where_degrees_are_taken_roots_of(name):
    both = torch.cat([GRAPH, GRAPH.flip(0)], 1)
    graph = Adjacency.from_edge_index(both, 3, torch.tensor([1.0, -2.0, 1.0] * 2))
    with pytest.raises(InputError, match=r"weights ≥ 0 .*smallest is -2"):
        layer(name)(torch.ones(3, 4), graph)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_no_numbers(bad):
    weight = torch.tensor([1.0, bad, 1.0])
    matrix = scipy.sparse.coo_array((weight.numpy(), GRAPH.numpy()), shape=(3, 3))
    nx = networkx.DiGraph()
    nx.add_edge(0, 1, weight=1.0)
    nx.add_edge(1, 2, weight=bad)
    for make in (
        lambda: Adjacency.from_edge_index(GRAPH, 3, weight),
        lambda: Adjacency.from_scipy(matrix),
        lambda: Adjacency.from_networkx(nx),
    ):
        with pytest.raises(InputError, match=f"finite weights, but edge 1 has {bad}"):
            make()


NEGATIVE = Adjacency.from_edge_index(GRAPH, 3, torch.tensor([1.0, -2.0, 1.0]))


@pytest.mark.parametrize(
    "work",
    [
        lambda: NEGATIVE.normalized(),
        lambda: NEGATIVE.normalized("row"),
        lambda: NEGATIVE.laplacian(),
        lambda: random_walks(NEGATIVE, 5, 1),
        lambda: DeepWalk(dimensions=2).fit(NEGATIVE),
        lambda: SpectralEmbedding(1).fit(NEGATIVE),
        lambda: NetMF(1).fit(NEGATIVE),
    ],
)
def test_negative_weights(work):
    with pytest.raises(InputError, match=r"weights ≥ 0.*the smallest is -[12]"):
        work()


EMPTY = Adjacency.from_edge_index(torch.empty(2, 0, dtype=torch.int64), 0)


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (lambda: random_walks(EMPTY, 5, 1), "nodes"),
        (lambda: DeepWalk().fit(EMPTY), "a graph with nodes to embed, but it has none"),
        (lambda: Node2Vec().fit(networkx.Graph()), "a graph with nodes to embed, but it has none"),
        (lambda: SpectralEmbedding(1).fit(EMPTY), "a graph with nodes to embed, but it has none"),
        (lambda: NetMF(1).fit(EMPTY), "a graph with nodes to embed, but it has none"),
    ],
)
def test_an_empty_graph_where_there_is_nothing_to_do(work, message):
    with pytest.raises(InputError, match=message):
        work()


LABELLED = {"x": np.eye(3, dtype=np.float32), "train": np.array([0, 1])}


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (EMPTY, "a graph with nodes to embed, but it has none"),
        (NEGATIVE, "weights ≥ 0.*the smallest is -2"),
        (torch.tensor([[0, -1], [1, 2]]), "goes from -1 to 2|node indices ≥ 0"),
        (GRAPH.float(), "edge_index of integers"),
        ("friends.txt", "but got str"),
    ],
)
def test_what_cannot_be_embedded_leaves_no_run_and_no_storage(tmp_path, monkeypatch, graph, message):
    monkeypatch.setenv("MMGRAPH_RUNS", str(tmp_path / "runs"))
    stored = PartitionedEmbedding(DeepWalk(dimensions=2), 2, tmp_path / "storage")
    for fit in (
        lambda: DeepWalk(dimensions=2).fit(graph, run="mine"),
        lambda: Node2Vec(p=0.5, dimensions=2).fit(graph, run="mine"),
        lambda: Planetoid().fit(graph, np.array([0, 1, 0]), **LABELLED, run="mine"),
        lambda: stored.fit(graph, run="mine"),
    ):
        with pytest.raises(InputError, match=message):
            fit()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_an_empty_graph_where_there_is_an_answer(name):
    assert layer(name)(torch.ones(0, 4), EMPTY).shape == (0, 4)
    assert layer(name)(torch.ones(3, 4), torch.empty(2, 0, dtype=torch.int64)).isfinite().all()


def test_an_isolated_start_node_ends_its_walk_at_once():
    graph = Adjacency.from_edge_index(torch.tensor([[0, 1], [1, 0]]), 3)
    for p in (1.0, 0.5):
        walks = random_walks(graph, 4, 2, p=p)
        assert walks[[2, 5]].tolist() == [[2, -1, -1, -1]] * 2
        assert (walks[[0, 1, 3, 4]] >= 0).all()
    assert np.isfinite(DeepWalk(dimensions=4, walks_per_node=1).fit(graph).embedding_).all()


@pytest.mark.parametrize("bad", [0, -1, -0.5, float("nan"), float("inf")])
@pytest.mark.parametrize("which", ["p", "q"])
def test_p_and_q(which, bad):
    graph = Adjacency.from_edge_index(GRAPH, 3)
    for work in (
        lambda: random_walks(graph, 5, 1, **{which: bad}),
        lambda: Node2Vec(**{which: bad}, dimensions=2).fit(graph),
    ):
        with pytest.raises(InputError, match=rf"{which}\b.*{bad}|{bad}"):
            work()


@pytest.mark.parametrize("conv", [GATConv, GATv2Conv])
def test_heads_and_channels(conv):
    """Channels are counted per head, so there can be more heads than channels, but not fewer than one of either."""
    assert conv(4, 2, heads=5)(torch.ones(3, 4), GRAPH).shape == (3, 10)
    for heads in (0, -1):
        with pytest.raises(InputError, match=f"at least 1 head, but got {heads}"):
            conv(4, 2, heads=heads)
    for channels in ((0, 4), (4, 0), (4, -4)):
        with pytest.raises(
            InputError, match=f"at least one channel, but got {channels[0]} in and {channels[1]} out"
        ):
            conv(*channels)
    with pytest.raises(InputError, match="at least 1 head"):
        GNN(4, 2, 2, conv="gat", heads=0)


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (lambda: propagate(Adjacency.from_edge_index(GRAPH, 3), torch.ones(2, 4)), "2"),
        (
            lambda: propagate(Adjacency.from_edge_index(GRAPH, 3), torch.ones(3, 2, 4), torch.ones(2, 2)),
            "weight",
        ),
        (lambda: propagate_max(Adjacency.from_edge_index(GRAPH, 3), torch.ones(4, 4)), "4"),
        (lambda: aggregate(Adjacency.from_edge_index(GRAPH, 3), torch.ones(2, 4), "sum"), "2"),
        (lambda: aggregate(Adjacency.from_edge_index(GRAPH, 3), torch.ones(3, 4), "middle"), "middle"),
        (lambda: pool(torch.ones(3, 4), torch.tensor([0, 1]), "mean"), "2"),
        (lambda: pool(torch.ones(3, 4), torch.tensor([0, -1, 0]), "mean"), "-1"),
        (lambda: knn_graph(torch.ones(3, 4), 0), "0"),
        (lambda: knn_graph(torch.tensor([[float("nan")]]), 1), "finite|nan|1"),
        (lambda: GNN(4, 4, 2, conv="gnc"), "Did you mean"),
        (lambda: GNN(4, 4, 2, conv="gcn")(torch.ones(3, 5), GRAPH), "5"),
        (lambda: GNN(4, 4, 2, conv="gcn")(torch.ones(3, 4), torch.tensor([[0], [3]])), "num_nodes = 3"),
        (lambda: DeepWalk().fit([[0, 1], [1, 0]]), "but got list"),
        (lambda: DeepWalk().fit(np.ones((3, 3))), "edge_index"),
        (lambda: DeepWalk(dimensions=0).fit(GRAPH), "dimensions ≥ 1, but got 0"),
        (lambda: DeepWalk().transform([0]), r"call fit\(graph\) first"),
        (lambda: DeepWalk(dimensions=2).fit(GRAPH).transform([7]), "but 7 is none of the 3"),
        (
            lambda: Adjacency.from_edge_index(torch.tensor([[0], [10**12]])),
            "< 3,037,000,499, but the largest is 10",
        ),
        (lambda: Adjacency.from_edge_index(GRAPH, 3.0), "number of nodes .* but got 3.0"),
        (lambda: Adjacency.from_scipy(scipy.sparse.csr_array((2, 3))), "square"),
        (lambda: Adjacency.from_edge_index(GRAPH, 3).subgraph(torch.tensor([0, 0])), "at most once"),
        (lambda: Adjacency.from_edge_index(GRAPH, 3).subgraph(torch.tensor([3])), "num_nodes = 3"),
    ],
)
def test_what_else_does_not_fit(work: Callable[[], object], message: str):
    with pytest.raises(MMGraphError, match=message):
        work()


def test_a_broken_line_of_any_file_is_named(tmp_path):
    broken = {
        "g.csv": "0,1\n1,2\n2;0\n",
        "g.graphml": '<graphml><graph edgedefault="directed">\n<node id="a"/>\n<edge source="a"/></graph></graphml>',
        "g.gexf": '<gexf><graph>\n<nodes><node id="a"/></nodes>\n<edges><edge source="a"/></edges></graph></gexf>',
        "g.gml": "graph [\n node [ id 0 ]\n edge [ source 0 ]\n]",
    }
    for name, text in broken.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(InputError, match=rf"{name}, line 3: expected ") as raised:
            read_graph(tmp_path / name, directed=True)
        assert "\n" not in str(raised.value)
    with pytest.raises(InputError, match=r"g\.csv, line 3"):
        build_csr(tmp_path / "g.csv", tmp_path / "stored", True)
    assert {path.name for path in tmp_path.iterdir()} == set(broken)


@pytest.mark.skipif(os.name == "nt", reason="needs files with holes")
@pytest.mark.parametrize("suffix", ["txt", "csv", "graphml", "gexf", "gml", "npz"])
def test_ten_gigabytes_on_a_budget_of_four(tmp_path: Path, suffix: str):
    path = tmp_path / f"large.{suffix}"
    with path.open("wb") as file:
        file.truncate(10 * 10**9)
    with pytest.raises(InputError, match=r"10\.0 GB.* more than the 4\.0 GB"):
        read_graph(path, memory_budget=4 * 10**9)


def test_files_are_written_whole_or_not_at_all(tmp_path):
    class Odd:
        pass

    graph = Adjacency.from_edge_index(GRAPH, 3, node_ids=["a", "b", Odd()])
    for suffix in ("txt", "graphml", "gexf", "gml", "npz"):
        (tmp_path / f"g.{suffix}").write_bytes(b"before")
        with pytest.raises(InputError, match=r"node ids|node_ids"):
            write_graph(graph, tmp_path / f"g.{suffix}")
        assert (tmp_path / f"g.{suffix}").read_bytes() == b"before"
    assert len(list(tmp_path.iterdir())) == 5


def test_no_layer_asserts_on_what_it_is_given():
    """`assert` vanishes under `python -O` and says nothing to anybody."""
    folder = Path(inspect.getfile(mmgraph.graph)).parent
    for path in folder.rglob("*.py"):
        assert not any(line.lstrip().startswith("assert ") for line in path.read_text().splitlines()), path
