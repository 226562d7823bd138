from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.interpolate import CubicSpline

from mmgraph.errors import InputError
from mmgraph.graph import Adjacency, SpectralConv


@pytest.mark.parametrize("knots", [2, 3, 8])
@pytest.mark.parametrize(("in_channels", "out_channels"), [(2, 3), (9, 1)])
def test_multipliers_are_splines_of_the_eigenvalues(edges, knots, in_channels, out_channels):
    edge_index, num_nodes = torch.cat([edges[0], edges[0].flip(0)], dim=1), edges[1]
    torch.manual_seed(0)
    conv = SpectralConv(in_channels, out_channels, knots=knots, bias=False).double()
    x = torch.randn(num_nodes, in_channels, dtype=torch.float64)
    graph = Adjacency.from_edge_index(edge_index, num_nodes).laplacian(dtype=torch.float64)
    dense = torch.zeros(num_nodes, num_nodes, dtype=torch.float64)
    dense.index_put_((graph.row, graph.col), graph.value, accumulate=True)
    values, basis = np.linalg.eigh(dense.numpy())
    expected = np.zeros((num_nodes, out_channels))
    for o in range(out_channels):
        for i in range(in_channels):
            response = CubicSpline(
                np.linspace(0, 2, knots), conv.weight[:, o, i].detach().numpy(), bc_type="natural"
            )
            expected[:, o] += basis @ (response(values) * (basis.T @ x[:, i].numpy()))
    torch.testing.assert_close(conv(x, edge_index), torch.from_numpy(expected), rtol=1e-10, atol=1e-10)


def test_equal_values_at_the_knots_filter_nothing():
    conv = SpectralConv(1, 1, knots=5, bias=False).double()
    torch.nn.init.constant_(conv.weight, 3.0)
    x = torch.randn(4, 1, dtype=torch.float64)
    torch.testing.assert_close(conv(x, torch.tensor([[0, 1], [1, 0]])), 3 * x)


def test_the_eigenbasis_is_computed_once():
    graph = Adjacency.from_edge_index(torch.tensor([[0, 1], [1, 0]]), 3)
    conv = SpectralConv(2, 2)
    conv(torch.ones(3, 2), graph)
    assert graph.eigenbasis(torch.float32)[1] is graph.eigenbasis(torch.float32)[1]


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="at least 2 knots"):
        SpectralConv(3, 2, knots=1)
    with pytest.raises(InputError, match="Expected an undirected graph"):
        SpectralConv(3, 2)(torch.ones(2, 3), torch.tensor([[0], [1]]))
