from __future__ import annotations

import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.graph import APPNP, Adjacency, SparseFeatures


@pytest.mark.parametrize(("K", "alpha"), [(1, 0.1), (10, 0.1), (5, 0.0), (5, 1.0)])
@pytest.mark.parametrize("self_loops", [True, False])
def test_outputs_and_gradients_equal_torch_geometric(pyg, edges, dtype, compare, K, alpha, self_loops):
    edge_index, num_nodes = edges
    ours = APPNP(K=K, alpha=alpha, self_loops=self_loops)
    theirs = pyg.nn.APPNP(K, alpha, add_self_loops=self_loops)
    generator = torch.Generator().manual_seed(1)
    h = torch.randn(num_nodes, 3, dtype=dtype, generator=generator, requires_grad=True)
    weight = torch.rand(edge_index.size(1), dtype=dtype, generator=generator) + 0.1
    graph = Adjacency.from_edge_index(edge_index, num_nodes, weight)
    compare(ours(h, graph), theirs(h, edge_index, weight), [h], [h])


def test_many_steps_reach_personalised_pagerank():
    edge_index = torch.tensor([[0, 1, 1, 2, 3, 0], [1, 0, 2, 1, 0, 3]])
    h = torch.randn(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    graph = Adjacency.from_edge_index(edge_index, 5).normalized("sym", dtype=torch.float64)
    dense = torch.zeros(5, 5, dtype=torch.float64).index_put((graph.row, graph.col), graph.value)
    limit = 0.2 * torch.linalg.solve(torch.eye(5).double() - 0.8 * dense, h)
    torch.testing.assert_close(APPNP(K=200, alpha=0.2)(h, edge_index), limit)


def test_edges_are_dropped_in_training_only():
    h, edge_index = torch.eye(3), torch.tensor([[0, 1], [1, 2]])
    layer = APPNP(K=2, alpha=0.5, edge_dropout=1.0)
    torch.testing.assert_close(layer(h, edge_index), 0.5 * h)
    torch.testing.assert_close(layer.eval()(h, edge_index), APPNP(K=2, alpha=0.5)(h, edge_index))


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="at least 1 step"):
        APPNP(K=0)
    with pytest.raises(InputError, match=r"alpha from 0 to 1, but got -0\.1"):
        APPNP(alpha=-0.1)
    with pytest.raises(InputError, match="edge dropout from 0 to 1"):
        APPNP(edge_dropout=2.0)
    with pytest.raises(InputError, match="got SparseFeatures"):
        APPNP()(SparseFeatures.from_dense(torch.eye(2)), torch.tensor([[0], [1]]))
