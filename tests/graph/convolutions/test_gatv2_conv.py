from __future__ import annotations

import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.graph import GATv2Conv
from mmgraph.graph.kernels import edge_scores


def peers(pyg, dtype, *, heads, concat, self_loops, share_weights):
    """Our layer and torch_geometric's with the same weights; its inner biases, which the paper lacks, are zero."""
    torch.manual_seed(0)
    ours = GATv2Conv(5, 4, heads=heads, concat=concat, self_loops=self_loops, share_weights=share_weights).to(
        dtype
    )
    torch.nn.init.normal_(ours.bias)
    theirs = pyg.nn.GATv2Conv(
        5, 4, heads=heads, concat=concat, add_self_loops=self_loops, share_weights=share_weights
    ).to(dtype)
    pairs = [
        (ours.weight_source, theirs.lin_l.weight),
        (ours.attention_vector, theirs.att),
        (ours.bias, theirs.bias),
    ]
    if not share_weights:
        pairs.append((ours.weight_target, theirs.lin_r.weight))
    with torch.no_grad():
        theirs.lin_l.bias.zero_()
        theirs.lin_r.bias.zero_()
        for mine, other in pairs:
            other.copy_(mine.view_as(other))
    return ours, theirs, pairs


@pytest.mark.parametrize(
    ("heads", "concat", "self_loops", "share_weights"),
    [(1, True, True, False), (3, True, True, False), (3, False, True, True), (2, True, False, False)],
)
@pytest.mark.parametrize("block", [1 << 22, 1])
def test_outputs_attention_and_gradients_equal_torch_geometric(
    pyg, edges, dtype, tolerance, compare, monkeypatch, block, heads, concat, self_loops, share_weights
):
    monkeypatch.setattr(edge_scores, "_BLOCK", block)
    edge_index, num_nodes = edges
    ours, theirs, pairs = peers(
        pyg, dtype, heads=heads, concat=concat, self_loops=self_loops, share_weights=share_weights
    )
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(num_nodes, 5, dtype=dtype, generator=generator, requires_grad=True)
    expected, (their_edges, their_alpha) = theirs(x, edge_index, return_attention_weights=True)
    our_edges, alpha = ours.attention(x, edge_index)
    assert torch.equal(our_edges, their_edges)
    torch.testing.assert_close(alpha, their_alpha, **tolerance)
    compare(
        ours(x, edge_index),
        expected,
        [x, *(mine for mine, _ in pairs)],
        [x, *(other for _, other in pairs)],
    )


def test_blocks_of_edges_can_be_differentiated_twice(monkeypatch):
    monkeypatch.setattr(edge_scores, "_BLOCK", 1)
    torch.manual_seed(0)
    conv = GATv2Conv(3, 2, heads=2).double()
    x = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)
    edge_index = torch.tensor([[0, 1, 2, 0, 1], [1, 2, 0, 2, 0]])
    assert torch.autograd.gradcheck(lambda x: conv(x, edge_index), (x,))
    assert torch.autograd.gradgradcheck(lambda x: conv(x, edge_index), (x,))


def test_which_neighbour_ranks_first_depends_on_the_target():
    """The paper's point: GAT gives every target the same ranking, GATv2 need not."""
    conv = GATv2Conv(2, 4, negative_slope=0.0, self_loops=False).double()
    with torch.no_grad():
        # a · relu(W[xⱼ + xᵢ]) is |same sign| along the first feature.
        conv.weight_source.copy_(torch.tensor([[1.0, 0], [-1, 0], [0, 0], [0, 0]]))
        conv.weight_target.copy_(torch.tensor([[1.0, 0], [-1, 0], [0, 0], [0, 0]]))
        conv.attention_vector.copy_(torch.tensor([[1.0, 1, 0, 0]]))
    x = torch.tensor([[1.0, 0], [-1, 0], [1, 0], [-1, 0]], dtype=torch.float64)
    edge_index = torch.tensor([[0, 1, 0, 1], [2, 2, 3, 3]])
    _, alpha = conv.attention(x, edge_index)
    assert alpha[0] > alpha[1]
    assert alpha[3] > alpha[2]


def test_dropout_acts_on_the_coefficients_in_training_only():
    torch.manual_seed(0)
    conv = GATv2Conv(3, 2, attention_dropout=1.0, bias=False)
    x, edge_index = torch.randn(3, 3), torch.tensor([[0, 1], [1, 2]])
    assert conv(x, edge_index).abs().sum() == 0
    assert conv.eval()(x, edge_index).abs().sum() > 0
    _, alpha = conv.train().attention(x, edge_index)
    assert alpha.min() > 0


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="at least 1 head, but got 0"):
        GATv2Conv(3, 2, heads=0)
    with pytest.raises(InputError, match=r"attention dropout from 0 to 1, but got 1\.5"):
        GATv2Conv(3, 2, attention_dropout=1.5)
