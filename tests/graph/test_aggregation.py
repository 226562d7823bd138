from __future__ import annotations

import pytest
import torch

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph import Adjacency, SparseFeatures, aggregate, aggregation, propagate_max


@pytest.fixture(params=["compiled", "blocks", "blocks of 5", "blocks of 1"])
def way(request, monkeypatch) -> str:
    """How the largest source is found: the CPU's kernel, or torch's operators as on other devices."""
    if request.param != "compiled":
        size = {"blocks": 1 << 21, "blocks of 5": 5, "blocks of 1": 1}[request.param]
        monkeypatch.setattr(aggregation, "_BLOCK", size)
        monkeypatch.setattr(aggregation, "_largest", aggregation._largest_in_blocks)
    return request.param


@pytest.mark.usefixtures("way")
def test_largest_over_neighbours(edges, dtype, compare):
    edge_index, num_nodes = edges
    x = torch.randn(num_nodes, 3, dtype=dtype, generator=torch.Generator().manual_seed(0), requires_grad=True)
    source, target = edge_index
    expected = torch.stack(
        [
            x[source[target == node]].amax(0) if (target == node).any() else x.new_zeros(3)
            for node in range(num_nodes)
        ]
    )
    if edge_index.size(1) == 0:
        assert torch.equal(propagate_max(Adjacency.from_edge_index(edge_index, num_nodes), x), expected)
        return
    compare(propagate_max(Adjacency.from_edge_index(edge_index, num_nodes), x), expected, [x], [x])


@pytest.mark.usefixtures("way")
def test_the_gradient_of_a_maximum_goes_to_one_source_in_each_channel():
    x = torch.tensor([[1.0, 5.0], [2.0, 5.0], [0.0, 0.0]], requires_grad=True)
    propagate_max(Adjacency.from_edge_index(torch.tensor([[0, 1], [2, 2]]), 3), x).sum().backward()
    assert x.grad[:, 0].tolist() == [0.0, 1.0, 0.0]
    assert sorted(x.grad[:, 1].tolist()) == [0.0, 0.0, 1.0]


def test_first_and_second_derivatives_of_the_maximum():
    x = torch.randn(4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    graph = Adjacency.from_edge_index(torch.tensor([[0, 1, 2, 3], [1, 1, 1, 2]]), 4)
    assert torch.autograd.gradcheck(lambda x: propagate_max(graph, x), (x,))
    assert torch.autograd.gradgradcheck(lambda x: propagate_max(graph, x), (x,))


@pytest.mark.usefixtures("way")
def test_nan_and_infinity_are_passed_on():
    x = torch.tensor([[torch.nan, torch.inf, -torch.inf], [1.0, 1.0, -torch.inf], [0.0, 0.0, 0.0]])
    y = propagate_max(Adjacency.from_edge_index(torch.tensor([[0, 1], [2, 2]]), 3), x)
    assert y[2, 0].isnan()
    assert y[2, 1:].tolist() == [torch.inf, -torch.inf]
    assert torch.equal(y[:2], torch.zeros(2, 3))


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_half_precision_and_strides(half):
    graph = Adjacency.from_edge_index(torch.tensor([[0, 1], [2, 2]]), 3)
    x = torch.tensor([[1.0, 5.0, 0.0], [2.0, 3.0, 0.0]], dtype=half).T
    assert propagate_max(graph, x)[2].tolist() == [5.0, 3.0]
    assert propagate_max(graph, x).dtype == half


@pytest.mark.usefixtures("way")
def test_memory_of_the_maximum_is_that_of_nodes():
    """A star of 20,000 edges with 4,000 channels: the messages alone would take 320 MB."""
    hub = torch.zeros(20_000, dtype=torch.int64)
    graph = Adjacency.from_edge_index(torch.stack([hub, hub]), 1)
    seen = []

    class Largest(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            result = function(*args, **(kwargs or {}))
            if isinstance(result, torch.Tensor):
                seen.append(result.numel())
            return result

    with Largest():
        propagate_max(graph, torch.ones(1, 4_000))
    assert max(seen) <= 1 << 21


@pytest.mark.parametrize("kind", ["sum", "mean", "max"])
def test_messages_of_edges(edges, dtype, compare, kind):
    edge_index, num_nodes = edges
    graph = Adjacency.from_edge_index(edge_index, num_nodes)
    messages = torch.randn(
        edge_index.size(1), 3, dtype=dtype, generator=torch.Generator().manual_seed(0), requires_grad=True
    )
    reduce = {"sum": lambda m: m.sum(0), "mean": lambda m: m.mean(0), "max": lambda m: m.amax(0)}[kind]
    rows = [messages[graph.row == node] for node in range(num_nodes)]
    expected = torch.stack([reduce(m) if len(m) else messages.new_zeros(3) for m in rows])
    y = aggregate(graph, messages, kind)
    if edge_index.size(1) == 0:
        assert torch.equal(y, expected)
        return
    compare(y, expected, [messages], [messages])


def test_bad_input_is_refused():
    graph = Adjacency.from_edge_index(torch.tensor([[0], [1]]), 2)
    with pytest.raises(InputError, match=r"dense features \(2, channels\), but got \(3, 1\)"):
        propagate_max(graph, torch.ones(3, 1))
    with pytest.raises(InputError, match="got SparseFeatures"):
        propagate_max(graph, SparseFeatures.from_dense(torch.eye(2)))
    with pytest.raises(InputError, match=r"\(1, channels\), but got \(2, 1\)"):
        aggregate(graph, torch.ones(2, 1))
    with pytest.raises(UnknownNameError, match="aggregation 'min'"):
        aggregate(graph, torch.ones(1, 1), "min")
