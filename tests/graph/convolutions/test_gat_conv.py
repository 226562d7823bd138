from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmgraph.errors import InputError
from mmgraph.graph import Adjacency, GATConv


def peers(pyg, dtype, *, heads, concat, self_loops=True):
    """Our layer and torch_geometric's with the same weights, bias included."""
    torch.manual_seed(0)
    ours = GATConv(5, 4, heads=heads, concat=concat, self_loops=self_loops).to(dtype)
    torch.nn.init.normal_(ours.bias)
    theirs = pyg.nn.GATConv(5, 4, heads=heads, concat=concat, add_self_loops=self_loops).to(dtype)
    theirs.load_state_dict(
        {
            "lin.weight": ours.weight.detach(),
            "att_src": ours.attention_source.detach()[None],
            "att_dst": ours.attention_target.detach()[None],
            "bias": ours.bias.detach(),
        }
    )
    return ours, theirs


@pytest.mark.parametrize(
    ("heads", "concat", "self_loops"), [(1, True, True), (3, True, True), (3, False, True), (2, True, False)]
)
def test_outputs_attention_and_gradients_equal_torch_geometric(
    pyg, edges, dtype, tolerance, heads, concat, self_loops
):
    edge_index, num_nodes = edges
    ours, theirs = peers(pyg, dtype, heads=heads, concat=concat, self_loops=self_loops)
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(num_nodes, 5, dtype=dtype, generator=generator, requires_grad=True)

    y = ours(x, edge_index)
    expected, (their_edges, their_alpha) = theirs(x, edge_index, return_attention_weights=True)
    torch.testing.assert_close(y, expected, **tolerance)

    our_edges, alpha = ours.attention(x, edge_index)
    assert torch.equal(our_edges, their_edges)
    torch.testing.assert_close(alpha, their_alpha, **tolerance)

    grad = torch.randn(y.shape, dtype=dtype, generator=generator)
    ours_at = [x, ours.weight, ours.attention_source, ours.attention_target, ours.bias]
    theirs_at = [x, theirs.lin.weight, theirs.att_src, theirs.att_dst, theirs.bias]
    for mine, other in zip(
        torch.autograd.grad(y, ours_at, grad), torch.autograd.grad(expected, theirs_at, grad), strict=True
    ):
        torch.testing.assert_close(mine, other.view_as(mine), **tolerance)


def test_attention_sums_to_one_per_target(edges):
    edge_index, num_nodes = edges
    torch.manual_seed(0)
    conv = GATConv(3, 2, heads=4, attention_dropout=0.9)
    attended, alpha = conv.attention(torch.randn(num_nodes, 3), edge_index)
    assert alpha.shape == (attended.size(1), 4)
    sums = torch.zeros(num_nodes, 4).index_add(0, attended[1], alpha)
    torch.testing.assert_close(sums, torch.ones(num_nodes, 4))


def test_without_self_loops_a_lonely_node_receives_nothing():
    conv = GATConv(3, 2, self_loops=False, bias=False)
    y = conv(torch.ones(3, 3), torch.tensor([[0], [1]]))
    assert y[0].tolist() == [0.0, 0.0]
    assert y[1].abs().sum() > 0


def test_dropout_acts_on_the_coefficients_in_training_only():
    torch.manual_seed(0)
    conv = GATConv(3, 2, attention_dropout=1.0, bias=False)
    x, edge_index = torch.randn(3, 3), torch.tensor([[0, 1], [1, 2]])
    assert conv(x, edge_index).abs().sum() == 0
    assert conv.eval()(x, edge_index).abs().sum() > 0


@given(st.permutations(range(6)))
def test_renaming_nodes_renames_the_output(permutation):
    renamed = torch.tensor(permutation)
    edge_index = torch.tensor([[0, 1, 2, 2, 5, 3, 3], [1, 0, 1, 2, 0, 1, 1]])
    torch.manual_seed(0)
    conv = GATConv(3, 2, heads=2).double()
    x = torch.randn(6, 3, dtype=torch.float64)
    moved = torch.empty_like(x)
    moved[renamed] = x
    torch.testing.assert_close(conv(moved, renamed[edge_index])[renamed], conv(x, edge_index))
    attended, alpha = conv.attention(x, edge_index)
    _, alpha_moved = conv.attention(moved, renamed[edge_index])
    between = attended[0] != attended[1]
    torch.testing.assert_close(alpha_moved[between], alpha[between])


def test_autocast_keeps_the_network_usable():
    torch.manual_seed(0)
    conv, x = GATConv(8, 4, heads=2), torch.randn(3, 8)
    edge_index = torch.tensor([[0, 1], [1, 2]])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = conv(x, edge_index)
    torch.testing.assert_close(y.float(), conv(x, edge_index), rtol=0.05, atol=0.05)
    y.float().sum().backward()
    assert conv.weight.grad.isfinite().all()


def test_state_dict_is_plain():
    shapes = {name: tuple(p.shape) for name, p in GATConv(5, 4, heads=3).state_dict().items()}
    assert shapes == {
        "weight": (12, 5),
        "attention_source": (3, 4),
        "attention_target": (3, 4),
        "bias": (12,),
    }
    assert GATConv(5, 4, heads=3, concat=False).bias.shape == (4,)
    assert GATConv(5, 4, bias=False).bias is None


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="at least 1 head, but got 0"):
        GATConv(3, 2, heads=0)
    with pytest.raises(InputError, match=r"attention dropout from 0 to 1, but got 1\.5"):
        GATConv(3, 2, attention_dropout=1.5)
    with pytest.raises(InputError, match=r"\(num_nodes, 3\), but got \(4, 5\)"):
        GATConv(3, 2)(torch.ones(4, 5), torch.tensor([[0], [1]]))
    with pytest.raises(InputError, match="5 nodes and the features have 4 rows"):
        GATConv(3, 2)(torch.ones(4, 3), Adjacency.from_edge_index(torch.tensor([[0], [1]]), 5))
