from __future__ import annotations

import pytest
import torch

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph import Adjacency, ChebConv


def symmetrised(edge_index):
    return torch.cat([edge_index, edge_index.flip(0)], dim=1)


@pytest.mark.parametrize("K", [1, 2, 3, 5])
@pytest.mark.parametrize("lambda_max", ["2", "true"])
@pytest.mark.parametrize(("in_channels", "out_channels"), [(5, 3), (3, 5)])
def test_outputs_and_gradients_equal_torch_geometric(
    pyg, edges, dtype, compare, K, lambda_max, in_channels, out_channels
):
    edge_index, num_nodes = symmetrised(edges[0]), edges[1]
    torch.manual_seed(0)
    ours = ChebConv(in_channels, out_channels, K=K, lambda_max=lambda_max).to(dtype)
    torch.nn.init.normal_(ours.bias)
    theirs = pyg.nn.ChebConv(in_channels, out_channels, K).to(dtype)
    with torch.no_grad():
        theirs.bias.copy_(ours.bias)
        for mine, other in zip(ours.weight, theirs.lins, strict=True):
            other.weight.copy_(mine)
    x = torch.randn(
        num_nodes, in_channels, dtype=dtype, generator=torch.Generator().manual_seed(1), requires_grad=True
    )
    bound = None
    if lambda_max == "true":
        matrix = Adjacency.from_edge_index(edge_index, num_nodes).laplacian(dtype=torch.float64)
        dense = torch.zeros(num_nodes, num_nodes, dtype=torch.float64)
        dense.index_put_((matrix.row, matrix.col), matrix.value, accumulate=True)
        bound = torch.linalg.eigvalsh(dense)[-1].to(dtype)
    expected = theirs(x, edge_index, lambda_max=bound)
    y = ours(x, edge_index)
    if x.size(0) > 0:
        compare(y, expected, [x, ours.bias], [x, theirs.bias])
        weights = [lin.weight for lin in theirs.lins]
        wanted = torch.autograd.grad(theirs(x, edge_index, lambda_max=bound).square().sum(), weights)
        (got,) = torch.autograd.grad(ours(x, edge_index).square().sum(), ours.weight)
        scale = got.abs().max()
        torch.testing.assert_close(
            got / scale,
            torch.stack(wanted) / scale,
            rtol=1e-5 if dtype == torch.float32 else 1e-10,
            atol=1e-5 if dtype == torch.float32 else 1e-10,
        )


@pytest.mark.parametrize("weighted", [True, False])
def test_directed_graphs_follow_the_dense_formula(edges, weighted):
    edge_index, num_nodes = edges
    torch.manual_seed(0)
    conv = ChebConv(4, 2, K=4, bias=False).double()
    x = torch.randn(num_nodes, 4, dtype=torch.float64)
    weight = torch.rand(edge_index.size(1), dtype=torch.float64) if weighted else None
    dense = torch.zeros(num_nodes, num_nodes, dtype=torch.float64)
    values = torch.ones(edge_index.size(1)).double() if weight is None else weight
    dense.index_put_((edge_index[1], edge_index[0]), values, accumulate=True)
    dense.fill_diagonal_(0)
    degree = dense.sum(1)
    scale = torch.where(degree > 0, degree.pow(-0.5), 0)
    shifted = -scale[:, None] * dense * scale
    terms = [torch.eye(num_nodes).double(), shifted]
    for _ in range(2):
        terms.append(2 * shifted @ terms[-1] - terms[-2])
    expected = sum(term @ x @ w.T for term, w in zip(terms, conv.weight, strict=True))
    torch.testing.assert_close(conv(x, Adjacency.from_edge_index(edge_index, num_nodes, weight)), expected)


def test_a_filter_reaches_less_than_K_edges():
    path = torch.arange(5)
    conv = ChebConv(1, 1, K=3, bias=False)
    x = torch.zeros(6, 1)
    x[0] = 1
    y = conv(x, symmetrised(torch.stack([path, path + 1])))
    assert (y[:3] != 0).all()
    assert (y[3:] == 0).all()


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="at least 1 polynomial"):
        ChebConv(3, 2, K=0)
    with pytest.raises(UnknownNameError, match="lambda_max 'exact'"):
        ChebConv(3, 2, lambda_max="exact")
    with pytest.raises(InputError, match="Expected an undirected graph"):
        ChebConv(3, 2, lambda_max="true")(torch.ones(2, 3), torch.tensor([[0], [1]]))
