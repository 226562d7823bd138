from __future__ import annotations

import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.graph import Adjacency, CayleyConv


def dense_laplacian(edge_index, num_nodes):
    graph = Adjacency.from_edge_index(edge_index, num_nodes).laplacian(dtype=torch.float64)
    dense = torch.zeros(num_nodes, num_nodes, dtype=torch.float64)
    return dense.index_put((graph.row, graph.col), graph.value, accumulate=True)


def filtered(conv, x, cayley):
    """The formula with a dense matrix for C."""
    y = x @ conv.weight.T
    power = torch.eye(len(x), dtype=torch.complex128)
    for real, imaginary in zip(conv.weight_real, conv.weight_imaginary, strict=True):
        power = cayley @ power
        y = y + 2 * (power @ x.to(torch.complex128) @ torch.complex(real, imaginary).T).real
    return y + conv.bias


def make(**options) -> CayleyConv:
    torch.manual_seed(0)
    conv = CayleyConv(4, 3, **options).double()
    torch.nn.init.normal_(conv.bias)
    return conv


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize("iterations", [0, 1, 4])
def test_it_is_the_jacobi_iteration_of_the_paper(edges, order, iterations):
    edge_index, num_nodes = edges
    conv = make(order=order, iterations=iterations, zoom=0.7)
    x = torch.randn(num_nodes, 4, dtype=torch.float64)
    laplacian, eye = dense_laplacian(edge_index, num_nodes), torch.eye(num_nodes, dtype=torch.complex128)
    matrix = 0.7 * laplacian + 1j * eye
    diagonal = torch.diag(matrix.diagonal())
    jacobi = -torch.linalg.inv(diagonal) @ (matrix - diagonal)
    start = torch.linalg.inv(diagonal) @ (0.7 * laplacian - 1j * eye)
    cayley = start
    for _ in range(iterations):
        cayley = jacobi @ cayley + start
    # float32 holds the zoom at construction.
    torch.testing.assert_close(conv(x, edge_index), filtered(conv, x, cayley), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("zoom", [0.3, 1.0, 2.0])
def test_many_iterations_reach_the_rational_filter(edges, zoom):
    edge_index, num_nodes = torch.cat([edges[0], edges[0].flip(0)], dim=1), edges[1]
    conv = make(order=3, iterations=300)
    with torch.no_grad():
        conv.zoom.fill_(zoom)
    x = torch.randn(num_nodes, 4, dtype=torch.float64)
    laplacian, eye = dense_laplacian(edge_index, num_nodes), torch.eye(num_nodes, dtype=torch.complex128)
    cayley = torch.linalg.solve(zoom * laplacian + 1j * eye, zoom * laplacian - 1j * eye)
    torch.testing.assert_close(conv(x, edge_index), filtered(conv, x, cayley), rtol=1e-10, atol=1e-10)


def test_the_zoom_is_learned():
    conv = make()
    conv(torch.randn(3, 4, dtype=torch.float64), torch.tensor([[0, 1], [1, 0]])).sum().backward()
    assert conv.zoom.grad.abs() > 0


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="at least 1 power"):
        CayleyConv(3, 2, order=0)
    with pytest.raises(InputError, match="at least 0 iterations"):
        CayleyConv(3, 2, iterations=-1)
