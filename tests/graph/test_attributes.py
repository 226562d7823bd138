from __future__ import annotations

import networkx
import numpy as np
import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.graph import Adjacency
from mmgraph.graph.attributes import column


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([True, False], np.bool_),
        ([1, 2], np.int64),
        ([1, 2.5], np.float64),
        ([[1.0, 2.0], [3.0, 4.0]], np.float64),
        ([np.float32(1), np.float32(2)], np.float32),
        ([np.ones(3, np.int32), np.ones(3, np.int32)], np.int32),
        (["a", "b"], object),
        ([1, None], object),
        ([1, "a"], object),
        ([[1], [1, 2]], object),
        ([2**70, 1], object),
        ([True, 1], object),
        ([("a", 1), ("b", 2)], object),
        ([], object),
    ],
)
def test_a_column_is_numbers_where_all_are_and_loses_nothing(values, dtype):
    array = column(values)
    assert array.dtype == dtype
    assert len(array) == len(values)
    for got, given in zip(array, values, strict=True):
        assert np.array_equal(got, given) if isinstance(given, np.ndarray | list) else got == given


def social() -> networkx.Graph:
    graph = networkx.Graph()
    graph.add_node("ann", age=31, mail="a@b", place=[1.0, 2.0])
    graph.add_node("bob", age=27, place=[0.0, 1.5])
    graph.add_node("cid", age=55, place=[3.0, 3.0])
    graph.add_edge("ann", "bob", weight=2.0, since=2001, kind="work")
    graph.add_edge("cid", "bob", weight=1.0, since=1999)
    graph.add_edge("cid", "cid", weight=0.5, since=2020)
    return graph


def by_edge(graph: Adjacency, name: str) -> dict[tuple[object, object], object]:
    sources, targets = graph.to_edge_index()[0].tolist()
    ids = graph.node_ids
    return {
        (ids[s], ids[t]): value
        for s, t, value in zip(sources, targets, graph.edge_attributes[name].tolist(), strict=True)
    }


def test_attributes_come_from_networkx_and_go_back():
    given = social()
    graph = Adjacency.from_networkx(given)
    assert graph.node_attributes["age"].tolist() == [31, 27, 55]
    assert graph.node_attributes["mail"].tolist() == ["a@b", None, None]
    assert graph.node_attributes["place"].shape == (3, 2)
    assert by_edge(graph, "since")["bob", "cid"] == 1999
    assert "weight" not in graph.edge_attributes

    again = graph.to_networkx(directed=False)
    assert dict(again.nodes(data=True)) == dict(given.nodes(data=True))
    assert networkx.utils.edges_equal(again.edges(data=True), given.edges(data=True))


def test_attributes_stay_with_their_edges():
    graph = Adjacency.from_networkx(social())
    since = by_edge(graph, "since")
    assert by_edge(graph.transpose(), "since") == {(t, s): year for (s, t), year in since.items()}
    assert by_edge(graph.without_self_loops(), "since") == {e: y for e, y in since.items() if e[0] != e[1]}
    part = graph.subgraph(torch.tensor([2, 1]))
    assert part.node_attributes["age"].tolist() == [55, 27]
    assert by_edge(part, "since") == {e: y for e, y in since.items() if "ann" not in e}
    assert by_edge(graph.with_value(None), "since") == since
    assert by_edge(graph.to("cpu"), "since") == since
    looped = graph.with_self_loops()
    assert looped.edge_attributes == {}
    assert looped.node_attributes["age"].tolist() == [31, 27, 55]


def test_data_gets_tensors_where_there_are_numbers(pyg):
    graph = Adjacency.from_networkx(social())
    data = graph.to_data()
    assert torch.equal(data.edge_index, graph.to_edge_index()[0])
    assert torch.equal(data.edge_weight, graph.to_edge_index()[1])
    assert data.age.tolist() == [31, 27, 55]
    assert data.place.shape == (3, 2)
    assert data.mail == ["a@b", None, None]
    assert data.edge_since.tolist() == graph.edge_attributes["since"].tolist()
    assert data.node_ids == ["ann", "bob", "cid"]
    assert data.validate()
    plain = Adjacency.from_edge_index(torch.tensor([[0], [1]]), 4).to_data()
    assert plain.num_nodes == 4
    assert "edge_weight" not in plain
    assert Adjacency.from_data(data).num_edges == graph.num_edges


def test_ids_and_attributes_are_checked():
    edges = torch.tensor([[0, 1], [1, 2]])
    graph = Adjacency.from_edge_index(
        edges, 3, node_ids="abc", node_attributes={"x": [1, 2, 3]}, edge_attributes={"kind": np.array([7, 8])}
    )
    assert graph.to_networkx().edges["b", "c"] == {"kind": 8}
    with pytest.raises(InputError, match="one id per node, 3, but got 2"):
        Adjacency.from_edge_index(edges, 3, node_ids="ab")
    with pytest.raises(InputError, match="different node ids, but 'a' is there 2 times"):
        Adjacency.from_edge_index(edges, 3, node_ids="aba")
    with pytest.raises(
        InputError, match=r"per node for the attribute 'x', 3, but got an array of shape \(2,\)"
    ):
        Adjacency.from_edge_index(edges, 3, node_attributes={"x": [1, 2]})
    with pytest.raises(
        InputError, match=r"per edge for the attribute 'kind', 2, but got an array of shape \(\)"
    ):
        Adjacency.from_edge_index(edges, 3, edge_attributes={"kind": np.array(3)})


def test_a_graph_without_attributes_gives_bare_networkx_edges():
    again = Adjacency.from_edge_index(torch.tensor([[0, 1], [1, 1]]), 3).to_networkx()
    assert list(again.edges(data=True)) == [(0, 1, {}), (1, 1, {})]
    assert list(again.nodes(data=True)) == [(0, {}), (1, {}), (2, {})]
