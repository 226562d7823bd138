from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph import Adjacency
from mmgraph.graph.sampling.excerpt import Degrees, Excerpt


def whole(edges: tuple[Tensor, int], weighted: bool) -> Adjacency:
    edge_index, num_nodes = edges
    weight = torch.rand(edge_index.size(1), dtype=torch.float64) + 0.1 if weighted else None
    return Adjacency.from_edge_index(edge_index, num_nodes, weight)


@pytest.fixture(params=[False, True], ids=["plain", "weighted"])
def graph(request, edges) -> Adjacency:
    return whole(edges, request.param)


def same(a: Adjacency, b: Adjacency) -> None:
    assert torch.equal(a.rowptr, b.rowptr)
    assert torch.equal(a.col, b.col)
    assert torch.equal(a.order, b.order)
    torch.testing.assert_close(a.weight(torch.float64), b.weight(torch.float64), rtol=1e-12, atol=1e-12)


def test_all_of_a_graph_is_that_graph(graph):
    excerpt = Excerpt(graph.pattern, graph.value, torch.arange(graph.num_nodes), Degrees.of(graph))
    same(excerpt.with_self_loops(), graph.with_self_loops())
    same(excerpt.without_self_loops(), graph.without_self_loops())
    for kind in ("sym", "row", "none"):
        for loops in (True, False):
            same(excerpt.normalized(kind, loops, torch.float64), graph.normalized(kind, loops, torch.float64))
        same(
            excerpt.laplacian(kind if kind != "none" else "sym"),
            graph.laplacian(kind if kind != "none" else "sym"),
        )


def test_bad_normalisations(graph):
    excerpt = Excerpt(graph.pattern, graph.value, torch.arange(graph.num_nodes), Degrees.of(graph))
    with pytest.raises(UnknownNameError, match="normalisation 'col'"):
        excerpt.normalized("col")
    if graph.num_edges:
        negative = Excerpt(graph.pattern, -graph.weight(), torch.arange(graph.num_nodes), Degrees.of(graph))
        with pytest.raises(InputError, match="weights ≥ 0"):
            negative.normalized("sym")
