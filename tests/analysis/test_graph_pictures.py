from __future__ import annotations

import networkx
import numpy as np
import pytest

from mmgraph.analysis import distance_layout, graph_pictures
from mmgraph.errors import InputError


def edges_of(graph: networkx.Graph) -> np.ndarray:
    pairs = np.array(graph.edges, dtype=np.int64).reshape(-1, 2).T
    both = np.concatenate([pairs, pairs[::-1]], axis=1)
    return both[:, np.lexsort((both[0], both[1]))]


def test_a_path_becomes_a_straight_line_of_its_length():
    places = distance_layout(edges_of(networkx.path_graph(7)), 7)
    lengths = np.linalg.norm(np.diff(places, axis=0), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-7)
    assert np.linalg.norm(places[6] - places[0]) == pytest.approx(6)


def test_a_grid_keeps_its_neighbours_together():
    graph = networkx.convert_node_labels_to_integers(networkx.grid_2d_graph(5, 6))
    places = distance_layout(edges_of(graph), 30)
    apart = np.linalg.norm(places[:, None] - places, axis=2)
    paths = networkx.floyd_warshall_numpy(graph)
    assert np.corrcoef(apart.ravel(), paths.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("nodes", [0, 1, 2, 5])
def test_graphs_without_edges_and_without_nodes(nodes):
    places = distance_layout(np.zeros((2, 0), dtype=np.int64), nodes)
    assert places.shape == (nodes, 2)
    assert np.isfinite(places).all()


def test_pictures_show_each_graph_and_nothing_of_the_others():
    graphs = [
        networkx.path_graph(2),
        networkx.empty_graph(0),
        networkx.cycle_graph(5),
        networkx.empty_graph(1),
    ]
    starts = np.cumsum([0, *map(len, graphs)])
    edges = np.concatenate(
        [edges_of(graph) + start for graph, start in zip(graphs, starts, strict=False)], axis=1
    )
    red, blue = [200, 0, 0], [0, 0, 200]
    colours = np.array([red, blue, *[red] * 5, blue], dtype=np.uint8)
    pictures = graph_pictures(edges, starts, colours, size=32)
    assert pictures.shape == (4, 32, 32, 3)
    assert pictures.dtype == np.uint8

    def dots(picture, colour):
        return int((picture == colour).all(axis=2).sum())

    assert [(dots(picture, red), dots(picture, blue)) for picture in pictures] == [
        (9, 9),
        (0, 0),
        (45, 0),
        (0, 9),
    ]
    grey = [
        int(((picture == picture[:, :, :1]).all(axis=2) & (picture[:, :, 0] < 255)).sum())
        for picture in pictures
    ]
    assert grey[0] > 15
    assert grey[1] == grey[3] == 0
    assert grey[2] > 15
    assert (pictures[:, [0, -1]] == 255).all()
    alone = graph_pictures(edges[:, 2:] - 2, np.array([0, 0, 5]), colours[2:7], size=32)
    np.testing.assert_array_equal(alone[1], pictures[2])


def test_a_large_graph_is_drawn_too():
    graph = networkx.random_regular_graph(3, 1200, seed=0)
    pictures = graph_pictures(edges_of(graph), np.array([0, 1200]), np.zeros((1200, 3), dtype=np.uint8))
    assert (pictures[0] == 0).all(axis=2).sum() > 300


@pytest.mark.parametrize(
    ("size", "colours"),
    [(4, np.zeros((3, 3), np.uint8)), (20, np.zeros((2, 3), np.uint8)), (20, np.zeros((3, 3)))],
)
def test_parts_that_do_not_fit(size, colours):
    with pytest.raises(InputError, match="at least 8 pixels"):
        graph_pictures(np.zeros((2, 0), dtype=np.int64), np.array([0, 3]), colours, size=size)
