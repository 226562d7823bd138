from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mmgraph.graph import Adjacency
from mmgraph.graph.kernels.edge_scores import edge_scores


def reference(adjacency: Adjacency, source: Tensor, target: Tensor, vector: Tensor, slope: float) -> Tensor:
    pairs = source[adjacency.col] + target[adjacency.row]
    return (torch.where(pairs > 0, pairs, slope * pairs) * vector).sum(-1)


def inputs(num_nodes: int, dtype: torch.dtype) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = [(num_nodes, 3, 4), (num_nodes, 3, 4), (3, 4)]
    return [torch.randn(shape, dtype=dtype, generator=generator, requires_grad=True) for shape in shapes]


def test_scores_and_gradients_equal_the_ones_of_every_edge(edges, dtype, compare):
    adjacency = Adjacency.from_edge_index(*edges)
    given = inputs(edges[1], dtype)
    scores = edge_scores(adjacency.pattern, *given, 0.2)
    compare(scores, reference(adjacency, *given, 0.2), given, given)


def test_one_tensor_may_be_source_and_target(edges, dtype, compare):
    adjacency = Adjacency.from_edge_index(*edges)
    both, _, vector = inputs(edges[1], dtype)
    scores = edge_scores(adjacency.pattern, both, both, vector, 0.1)
    compare(scores, reference(adjacency, both, both, vector, 0.1), [both, vector], [both, vector])


@pytest.mark.parametrize("wanted", [(0,), (1,), (2,), (0, 2)])
def test_first_and_second_derivatives_of_some_inputs(wanted):
    adjacency = Adjacency.from_edge_index(torch.tensor([[0, 1, 2, 2, 0, 0], [1, 2, 0, 2, 1, 1]]), 4)
    given = [tensor.detach() for tensor in inputs(4, torch.float64)]

    def scores(*free: Tensor) -> Tensor:
        mixed = list(given)
        for position, tensor in zip(wanted, free, strict=True):
            mixed[position] = tensor
        return edge_scores(adjacency.pattern, *mixed, 0.2).square()

    free = [given[position].clone().requires_grad_() for position in wanted]
    assert torch.autograd.gradcheck(scores, free)
    assert torch.autograd.gradgradcheck(scores, free)


def test_views_and_half_precision():
    adjacency = Adjacency.from_edge_index(torch.tensor([[0, 1], [1, 2]]), 3)
    source, target, vector = (tensor.detach() for tensor in inputs(3, torch.float32))
    expected = reference(adjacency, source, target, vector, 0.2)
    strided = torch.stack([source, target], dim=1)
    torch.testing.assert_close(
        edge_scores(adjacency.pattern, strided[:, 0], strided[:, 1], vector, 0.2), expected
    )
    rounded = edge_scores(adjacency.pattern, source.bfloat16(), target.bfloat16(), vector, 0.2)
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, expected, rtol=0.02, atol=0.02)
