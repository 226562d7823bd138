from __future__ import annotations

import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.graph import Adjacency, propagate, segment_softmax


def matrix_of(edge_index: torch.Tensor, weight: torch.Tensor, num_nodes: int) -> torch.Tensor:
    zeros = torch.zeros(num_nodes, num_nodes, dtype=weight.dtype)
    return zeros.index_put((edge_index[1], edge_index[0]), weight, accumulate=True)


def test_product_and_gradients_equal_the_dense_ones(edges, dtype, tolerance):
    edge_index, num_nodes = edges
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(edge_index.size(1), dtype=dtype, generator=generator, requires_grad=True)
    x = torch.randn(num_nodes, 5, dtype=dtype, generator=generator, requires_grad=True)
    grad = torch.randn(num_nodes, 5, dtype=dtype, generator=generator)

    ours = propagate(Adjacency.from_edge_index(edge_index, num_nodes, weight), x)
    reference = matrix_of(edge_index, weight, num_nodes) @ x
    torch.testing.assert_close(ours, reference, **tolerance)
    for got, wanted in zip(
        torch.autograd.grad(ours, (weight, x), grad),
        torch.autograd.grad(reference, (weight, x), grad),
        strict=True,
    ):
        torch.testing.assert_close(got, wanted, **tolerance)


def test_without_weights_every_edge_counts_one(edges, dtype, tolerance):
    edge_index, num_nodes = edges
    x = torch.randn(num_nodes, 3, dtype=dtype, generator=torch.Generator().manual_seed(0), requires_grad=True)
    ours = propagate(Adjacency.from_edge_index(edge_index, num_nodes), x)
    ones = torch.ones(edge_index.size(1), dtype=dtype)
    torch.testing.assert_close(ours, matrix_of(edge_index, ones, num_nodes) @ x, **tolerance)


def test_heads_have_their_own_weights(edges, dtype, tolerance):
    edge_index, num_nodes = edges
    generator = torch.Generator().manual_seed(0)
    adjacency = Adjacency.from_edge_index(edge_index, num_nodes)
    weight = torch.randn(edge_index.size(1), 3, dtype=dtype, generator=generator)
    x = torch.randn(num_nodes, 3, 2, dtype=dtype, generator=generator)
    ours = propagate(adjacency, x, weight)
    for head in range(3):
        matrix = matrix_of(adjacency.edge_index, weight[:, head], num_nodes)
        torch.testing.assert_close(ours[:, head], matrix @ x[:, head], **tolerance)


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 0), (4, 2, 3), (4, 2, 3, 2)])
def test_features_of_any_shape(shape):
    edge_index = torch.tensor([[0, 1, 3], [1, 2, 2]])
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    ours = propagate(Adjacency.from_edge_index(edge_index, 4), x)
    matrix = matrix_of(edge_index, torch.ones(3), 4)
    torch.testing.assert_close(ours, torch.tensordot(matrix, x, 1))


def test_first_and_second_derivatives():
    edge_index = torch.tensor([[0, 1, 2, 2, 0, 0], [1, 2, 0, 2, 1, 3]])
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(6, dtype=torch.float64, generator=generator, requires_grad=True)
    x = torch.randn(5, 3, dtype=torch.float64, generator=generator, requires_grad=True)

    def product(weight: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return propagate(Adjacency.from_edge_index(edge_index, 5, weight), x)

    assert torch.autograd.gradcheck(product, (weight, x))
    assert torch.autograd.gradgradcheck(product, (weight, x))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_summed_in_float32(dtype):
    # 300 ones: bfloat16 alone would stop counting at 256.
    edge_index = torch.stack([torch.arange(300), torch.zeros(300, dtype=torch.int64)])
    x = torch.ones(300, 2, dtype=dtype, requires_grad=True)
    y = propagate(Adjacency.from_edge_index(edge_index), x)
    assert y.dtype == dtype
    assert y[0].tolist() == [300.0, 300.0]
    y.sum().backward()
    assert x.grad.dtype == dtype


def test_autocast_does_not_reach_the_sparse_product():
    adjacency = Adjacency.from_edge_index(
        torch.tensor([[0, 1], [1, 0]]), 2, torch.ones(2, requires_grad=True)
    )
    x = torch.randn(2, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = propagate(adjacency, x)
        y.square().sum().backward()
    assert y.dtype == torch.float32
    torch.testing.assert_close(y, x.flip(0))
    torch.testing.assert_close(x.grad, 2 * x.detach())


def test_gradients_take_memory_of_the_edges_only():
    num_nodes = 200_000
    edge_index = torch.tensor([[0, num_nodes - 1], [num_nodes - 1, 0]])
    weight = torch.ones(2, requires_grad=True)
    x = torch.ones(num_nodes, 1, requires_grad=True)
    # A dense gradient of the matrix would take 160 GB.
    propagate(Adjacency.from_edge_index(edge_index, num_nodes, weight), x).sum().backward()
    assert weight.grad.tolist() == [1.0, 1.0]
    assert x.grad.sum() == 2


@pytest.mark.parametrize(
    ("x", "weight", "message"),
    [
        (torch.ones(4, 2), None, r"one row per node, \(3, …\), but got \(4, 2\)"),
        (torch.tensor(1.0), None, "one row per node"),
        (torch.ones(3, 2, dtype=torch.int64), None, "floating-point"),
        (torch.ones(3, 2), torch.ones(3), r"one weight per edge, \(2,\)"),
        (torch.ones(3, 2), torch.ones(2, 2), "per edge and head"),
        (torch.ones(3, 4, 2), torch.ones(2, 3), "per edge and head"),
        (torch.ones(3, 2, device="meta"), None, "one device"),
    ],
)
def test_propagate_refuses_what_does_not_fit(x, weight, message):
    adjacency = Adjacency.from_edge_index(torch.tensor([[0, 1], [1, 2]]), 3)
    with pytest.raises(InputError, match=message):
        propagate(adjacency, x, weight)


@pytest.mark.parametrize("heads", [(), (3,)])
def test_softmax_equals_that_of_each_row(dtype, tolerance, heads):
    rowptr = torch.tensor([0, 0, 3, 4, 4, 9, 9])
    generator = torch.Generator().manual_seed(0)
    scores = 50 * torch.randn(9, *heads, dtype=dtype, generator=generator)
    alpha = segment_softmax(scores, rowptr)
    for start, end in zip(rowptr[:-1].tolist(), rowptr[1:].tolist(), strict=True):
        torch.testing.assert_close(alpha[start:end], scores[start:end].softmax(0), **tolerance)


def test_softmax_of_large_scores_is_finite():
    alpha = segment_softmax(torch.tensor([1e38, 1e38, -1e38, 3e38]), torch.tensor([0, 3, 4]))
    assert alpha.tolist() == [0.5, 0.5, 0.0, 1.0]


def test_softmax_derivatives():
    rowptr = torch.tensor([0, 2, 2, 5])
    scores = torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    scores.requires_grad_()
    assert torch.autograd.gradcheck(lambda s: segment_softmax(s, rowptr), (scores,))
    assert torch.autograd.gradgradcheck(lambda s: segment_softmax(s, rowptr), (scores,))


def test_softmax_of_nothing():
    assert segment_softmax(torch.ones(0, 2), torch.tensor([0])).shape == (0, 2)
    assert segment_softmax(torch.ones(0, 2), torch.zeros(4, dtype=torch.int64)).shape == (0, 2)


def test_softmax_in_half_precision():
    scores = torch.tensor([0.0, 0.0, 1.0], dtype=torch.bfloat16)
    alpha = segment_softmax(scores, torch.tensor([0, 2, 3]))
    assert alpha.dtype == torch.bfloat16
    assert alpha.tolist() == [0.5, 0.5, 1.0]


@pytest.mark.parametrize(
    ("scores", "rowptr", "message"),
    [
        (torch.ones(3), torch.tensor([0, 2]), "end at the number of scores, 3, but they end at 2"),
        (torch.ones(3), torch.tensor(3), "row pointers"),
        (torch.ones(3), torch.empty(0, dtype=torch.int64), "row pointers"),
        (torch.tensor(1.0), torch.tensor([0, 1]), "scores"),
    ],
)
def test_softmax_refuses_what_does_not_fit(scores, rowptr, message):
    with pytest.raises(InputError, match=message):
        segment_softmax(scores, rowptr)
