from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph import Adjacency, GCNConv


def peers(pyg, in_channels, out_channels, dtype):
    """Our layer and torch_geometric's with the same weights, bias included."""
    torch.manual_seed(0)
    ours = GCNConv(in_channels, out_channels).to(dtype)
    torch.nn.init.normal_(ours.bias)
    theirs = pyg.nn.GCNConv(in_channels, out_channels).to(dtype)
    theirs.load_state_dict({"lin.weight": ours.weight.detach(), "bias": ours.bias.detach()})
    return ours, theirs


@pytest.mark.parametrize(("in_channels", "out_channels"), [(5, 3), (3, 5)])
@pytest.mark.parametrize("weighted", [True, False])
def test_outputs_and_gradients_equal_torch_geometric(
    pyg, edges, dtype, tolerance, weighted, in_channels, out_channels
):
    edge_index, num_nodes = edges
    ours, theirs = peers(pyg, in_channels, out_channels, dtype)
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(num_nodes, in_channels, dtype=dtype, generator=generator, requires_grad=True)
    grad = torch.randn(num_nodes, out_channels, dtype=dtype, generator=generator)
    weight = None
    if weighted:
        weight = torch.rand(edge_index.size(1), dtype=dtype, generator=generator) + 0.1
        weight.requires_grad_()

    y = ours(x, Adjacency.from_edge_index(edge_index, num_nodes, weight))
    expected = theirs(x, edge_index, weight)
    torch.testing.assert_close(y, expected, **tolerance)

    inputs = [x] if weight is None else [x, weight]
    got = torch.autograd.grad(y, [*inputs, ours.weight, ours.bias], grad)
    wanted = torch.autograd.grad(expected, [*inputs, theirs.lin.weight, theirs.bias], grad)
    if weighted:
        # torch_geometric hands a gradient to self-loops that were overwritten by a later one: no derivative.
        nodes = edge_index[0, edge_index[0] == edge_index[1]].tolist()
        loops = torch.nonzero(edge_index[0] == edge_index[1]).flatten().tolist()
        lost = [loop for i, loop in enumerate(loops) if nodes[i] in nodes[i + 1 :]]
        assert got[1][lost].abs().sum() == 0
        wanted[1][lost] = 0
    for mine, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(mine, other, **tolerance)


@pytest.mark.parametrize("normalization", ["row", "none"])
@pytest.mark.parametrize("self_loops", [True, False])
def test_options_equal_the_dense_formula(edges, normalization, self_loops):
    edge_index, num_nodes = edges
    torch.manual_seed(0)
    conv = GCNConv(4, 2, normalization=normalization, self_loops=self_loops, bias=False).double()
    x = torch.randn(num_nodes, 4, dtype=torch.float64)
    matrix = torch.zeros(num_nodes, num_nodes, dtype=torch.float64)
    matrix.index_put_(
        (edge_index[1], edge_index[0]), torch.ones(edge_index.size(1)).double(), accumulate=True
    )
    if self_loops:
        matrix.fill_diagonal_(1)
    if normalization == "row":
        matrix = matrix / matrix.sum(1, keepdim=True).clamp_min(1)
    torch.testing.assert_close(conv(x, edge_index), matrix @ x @ conv.weight.T)


def test_edge_index_and_adjacency_give_the_same():
    edge_index = torch.tensor([[0, 1, 2], [1, 2, 0]])
    conv = GCNConv(2, 2)
    x = torch.ones(4, 2)
    assert torch.equal(conv(x, edge_index), conv(x, Adjacency.from_edge_index(edge_index, 4)))
    assert torch.equal(conv(x, edge_index), conv(x, edge_index.int()))


@given(st.permutations(range(6)))
def test_renaming_nodes_renames_the_output(permutation):
    renamed = torch.tensor(permutation)
    edge_index = torch.tensor([[0, 1, 2, 2, 5, 3, 3], [1, 0, 1, 2, 0, 1, 1]])
    torch.manual_seed(0)
    conv = GCNConv(3, 2).double()
    x = torch.randn(6, 3, dtype=torch.float64)
    moved = torch.empty_like(x)
    moved[renamed] = x
    torch.testing.assert_close(conv(moved, renamed[edge_index])[renamed], conv(x, edge_index))


def test_state_dict_is_plain():
    assert {name: tuple(p.shape) for name, p in GCNConv(3, 2).state_dict().items()} == {
        "weight": (2, 3),
        "bias": (2,),
    }
    bound = (6 / (300 + 200)) ** 0.5
    torch.manual_seed(0)
    weight = GCNConv(300, 200).weight.detach()
    assert weight.abs().max() <= bound
    assert weight.std() == pytest.approx(bound / 3**0.5, rel=0.02)


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="at least one channel"):
        GCNConv(0, 3)
    with pytest.raises(UnknownNameError, match="normalisation 'left'"):
        GCNConv(2, 3, normalization="left")(torch.ones(2, 2), torch.tensor([[0], [1]]))
    conv = GCNConv(2, 3)
    with pytest.raises(InputError, match=r"features \(num_nodes, 2\), but got \(4, 3\)"):
        conv(torch.ones(4, 3), torch.tensor([[0], [1]]))
    with pytest.raises(InputError, match="5 nodes and the features have 4 rows"):
        conv(torch.ones(4, 2), Adjacency.from_edge_index(torch.tensor([[0], [1]]), 5))
    with pytest.raises(InputError, match="num_nodes = 4"):
        conv(torch.ones(4, 2), torch.tensor([[0], [7]]))
