from __future__ import annotations

import networkx
import numpy as np
import pytest
import torch
from torch_geometric.data import Batch, Data

from mmgraph.errors import InputError
from mmgraph.graph import Adjacency, GraphStack, propagate

SIZES = (5, 1, 4, 0, 6, 3)


def edges_of(size: int, seed: int) -> torch.Tensor:
    """Directed edges with self-loops and duplicates; none in graphs of one node or without nodes."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(max(size, 1), (2, 3 * size if size > 1 else 0), generator=generator)


def some(weighted: bool = True) -> list[Adjacency]:
    graphs = []
    for seed, size in enumerate(SIZES):
        edges = edges_of(size, seed)
        weight = torch.rand(edges.shape[1], dtype=torch.float64) + 0.1 if weighted else None
        graphs.append(Adjacency.from_edge_index(edges, size, weight))
    return graphs


def dense(graph: Adjacency) -> torch.Tensor:
    matrix = torch.zeros(graph.num_nodes, graph.num_nodes, dtype=torch.float64)
    return matrix.index_put((graph.row, graph.col), graph.weight(torch.float64), accumulate=True)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("chosen", [[2, 0, 4], [4, 4, 1], [3], [1, 3, 1], [], [0, 1, 2, 3, 4, 5]])
def test_a_batch_is_the_block_diagonal_of_its_graphs(weighted, chosen):
    graphs = some(weighted)
    stack = GraphStack.of(graphs)
    batch = stack.select(torch.tensor(chosen, dtype=torch.int64))
    assert len(stack) == len(SIZES)
    starts = np.cumsum([0, *SIZES])
    assert batch.nodes.tolist() == [n for g in chosen for n in range(starts[g], starts[g + 1])]
    assert batch.batch.tolist() == [place for place, g in enumerate(chosen) for _ in range(SIZES[g])]

    def check(found, derive):
        expected = torch.block_diag(*[dense(derive(graphs[g])) for g in chosen])
        if not chosen:
            expected = torch.zeros(0, 0)
        torch.testing.assert_close(dense(found), expected.to(torch.float64))
        # The transpose that gradients take, and that of the graph.
        reversed_, entries = found.pattern.transpose
        flipped = Adjacency(reversed_, found.weight(torch.float64)[entries])
        torch.testing.assert_close(dense(flipped), dense(found).T)
        torch.testing.assert_close(dense(found.transpose()), dense(found).T)

    check(batch.graph, lambda graph: graph)
    check(batch.graph.with_self_loops(), Adjacency.with_self_loops)
    check(batch.graph.without_self_loops(), Adjacency.without_self_loops)
    for kind in ("sym", "row", "none"):
        for loops in (True, False):
            check(
                batch.graph.normalized(kind, loops, torch.float64),
                lambda graph, kind=kind, loops=loops: graph.normalized(kind, loops, torch.float64),
            )
        check(
            batch.graph.laplacian(kind, torch.float64),
            lambda graph, kind=kind: graph.laplacian(kind, torch.float64),
        )


def test_where_every_edge_has_its_reverse_the_transpose_lies_at_the_same_places():
    graphs = []
    for seed, size in enumerate(SIZES):
        edges = edges_of(size, seed)
        both = torch.cat([edges, edges.flip(0)], dim=1).unique(dim=1)
        graphs.append(Adjacency.from_edge_index(both, size, torch.rand(both.shape[1], dtype=torch.float64)))
    stack = GraphStack.of(graphs)
    assert stack.adjacency.pattern.is_symmetric
    assert not stack.adjacency.is_symmetric
    assert not GraphStack.of(some()).adjacency.pattern.is_symmetric
    graph = stack.select(torch.tensor([4, 0, 2])).graph
    reversed_, entries = graph.pattern.transpose
    torch.testing.assert_close(dense(Adjacency(reversed_, graph.value[entries])), dense(graph).T)
    assert torch.equal(reversed_.order, graph.pattern.order[entries])


def test_same_as_torch_geometric():
    graphs = [Data(edge_index=edges_of(size, seed), num_nodes=size) for seed, size in enumerate(SIZES)]
    expected = Batch.from_data_list(graphs)
    found = GraphStack.of([Adjacency.from_data(data) for data in graphs]).select(torch.arange(len(SIZES)))
    assert torch.equal(found.batch, expected.batch)
    torch.testing.assert_close(dense(found.graph), dense(Adjacency.from_data(expected)))


def test_gradients_are_those_of_the_stack():
    graphs = some()
    stack = GraphStack.of(graphs)
    x = torch.randn(sum(SIZES), 3, dtype=torch.float64, requires_grad=True)
    batch = stack.select(torch.tensor([4, 0]))
    target = torch.randn(11, 3, dtype=torch.float64)
    (propagate(batch.graph.normalized(), x[batch.nodes]) * target).sum().backward()
    expected = torch.zeros_like(x)
    for graph, rows, g in ((graphs[4], slice(10, 16), slice(0, 6)), (graphs[0], slice(0, 5), slice(6, 11))):
        expected[rows] = dense(graph.normalized()).T @ target[g]
    torch.testing.assert_close(x.grad, expected)


def test_learned_weights_get_gradients_through_a_batch():
    graph = some(weighted=False)[0]
    weight = torch.rand(graph.num_edges, dtype=torch.float64, requires_grad=True)
    stack = GraphStack.of([graph.with_value(weight), graph.with_value(weight * 2)])
    x = torch.randn(5, 2, dtype=torch.float64)
    propagate(stack.select(torch.tensor([1])).graph.normalized("none", False), x).sum().backward()
    torch.testing.assert_close(weight.grad, 2 * x.sum(1)[graph.col])


def test_what_nodes_are_called_goes_along():
    graph = Adjacency.from_networkx(networkx.disjoint_union(networkx.path_graph(2), networkx.path_graph(3)))
    named = Adjacency(graph.pattern, None, list("abcde"))
    stack = GraphStack(named, torch.tensor([0, 2, 5]))
    assert stack.select(torch.tensor([1])).graph.node_ids == ["c", "d", "e"]


def test_derived_graphs_are_made_once():
    batch = GraphStack.of(some()).select(torch.tensor([0, 2]))
    assert batch.graph.normalized() is batch.graph.normalized()
    assert batch.graph.normalized().pattern is batch.graph.with_self_loops().pattern
    assert batch.graph.normalized("none", self_loops=False).pattern is batch.graph.pattern


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_other_devices():
    stack = GraphStack.of(some())
    chosen = torch.tensor([4, 1])
    found = stack.to("cuda").select(chosen.cuda())
    assert found.graph.device.type == found.nodes.device.type == "cuda"
    assert torch.equal(found.graph.edge_index.cpu(), stack.select(chosen).graph.edge_index)


@pytest.mark.parametrize(
    ("starts", "words"),
    [
        (torch.tensor([0, 2]), "rise from 0 to the 5 nodes, but they go from 0 to 2"),
        (torch.tensor([1, 5]), "rise from 0 to the 5 nodes"),
        (torch.tensor([0, 4, 2, 5]), "and fall between"),
        (torch.tensor([0.0, 5.0]), "int64"),
        (torch.tensor([], dtype=torch.int64), "int64"),
        (torch.tensor([0, 1, 5]), "joins two"),
    ],
)
def test_starts_that_do_not_fit(starts, words):
    graph = Adjacency.from_edge_index(torch.tensor([[0, 2], [1, 3]]), 5)
    with pytest.raises(InputError, match=words):
        GraphStack(graph, starts)


@pytest.mark.parametrize(
    ("graphs", "words"),
    [
        (torch.tensor([0, 6]), "graphs from 0 to 5, but got 0 to 6"),
        (torch.tensor([-1]), "got -1"),
        (torch.tensor([0.0]), "integers"),
        (torch.tensor([True]), "integers"),
        (torch.tensor(1), "integers"),
    ],
)
def test_graphs_that_are_not_there(graphs, words):
    with pytest.raises(InputError, match=words):
        GraphStack.of(some()).select(graphs)


def test_graphs_that_cannot_be_stacked():
    with pytest.raises(InputError, match="at least one graph"):
        GraphStack.of([])
    with pytest.raises(InputError, match="all with weights or all without"):
        GraphStack.of([some(True)[0], some(False)[0]])
