from __future__ import annotations

import numpy as np
import pytest
import torch

from mmgraph.graph import Adjacency, propagate, propagate_max, segment_softmax
from mmgraph.graph.kernels.edge_scores import edge_scores
from mmgraph.graph.kernels.row_blocks import in_row_blocks


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("lengths", [[], [0], [5], [0, 0, 9, 0], [1] * 50, [1000, 0, 0, 1]])
def test_every_row_is_in_one_block(threads, lengths):
    rowptr = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int32)
    blocks: list[tuple[int, int]] = []
    in_row_blocks(lambda first, last: blocks.append((first, last)), rowptr, 1 << 30)
    rows = sorted(row for first, last in blocks for row in range(first, last))
    assert rows == list(range(len(lengths)))
    assert len(blocks) == threads


def test_little_work_stays_in_this_thread(threads):
    blocks: list[tuple[int, int]] = []
    in_row_blocks(lambda first, last: blocks.append((first, last)), np.array([0, 1, 2]), 2)
    assert blocks == [(0, 2)]


def test_results_are_the_same_in_every_bit_on_any_number_of_threads(threads):
    generator = torch.Generator().manual_seed(0)
    # More numbers than one thread is given.
    graph = Adjacency.from_edge_index(torch.randint(2000, (2, 40_000), generator=generator), 2000)
    x = torch.randn(2000, 4, 24, generator=generator, requires_grad=True)
    vector = torch.randn(4, 24, generator=generator)

    def results() -> list[torch.Tensor]:
        alpha = segment_softmax(edge_scores(graph.pattern, x, x, vector, 0.2), graph.rowptr)
        y = propagate(graph, x, alpha)
        largest = propagate_max(graph, x.flatten(1))
        return [alpha, y, largest, *torch.autograd.grad(y.square().sum() + largest.square().sum(), [x])]

    found = results()
    torch.set_num_threads(1)
    for some, one in zip(found, results(), strict=True):
        assert torch.equal(some, one)
