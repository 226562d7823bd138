from __future__ import annotations

import pytest
import torch

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph import Adjacency, ARMAConv


@pytest.mark.parametrize(
    ("num_stacks", "num_steps", "share_weights"), [(1, 1, False), (2, 3, False), (3, 3, True), (2, 1, True)]
)
def test_outputs_and_gradients_equal_torch_geometric(
    pyg, edges, dtype, tolerance, compare, num_stacks, num_steps, share_weights
):
    edge_index, num_nodes = edges
    torch.manual_seed(0)
    ours = ARMAConv(5, 3, num_stacks=num_stacks, num_steps=num_steps, share_weights=share_weights).to(dtype)
    torch.nn.init.normal_(ours.bias)
    theirs = pyg.nn.ARMAConv(
        5, 3, num_stacks=num_stacks, num_layers=num_steps, shared_weights=share_weights
    ).to(dtype)
    theirs.reset_parameters()
    with torch.no_grad():
        theirs.init_weight.copy_(ours.weight_first.mT)
        theirs.bias.copy_(ours.bias.unsqueeze(2))
        theirs.root_weight.copy_(ours.weight_skip.mT)
        if ours.weight is not None:
            theirs.weight.copy_(ours.weight.mT)
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(num_nodes, 5, dtype=dtype, generator=generator, requires_grad=True)
    weight = torch.rand(edge_index.size(1), dtype=dtype, generator=generator) + 0.1
    graph = Adjacency.from_edge_index(edge_index, num_nodes, weight)
    compare(ours(x, graph), theirs(x, edge_index, weight), [x, ours.bias], [x, theirs.bias])
    theirs_at = [theirs.init_weight, theirs.root_weight, theirs.weight][: 2 + (num_steps > 1)]
    ours_at = [ours.weight_first, ours.weight_skip, ours.weight][: len(theirs_at)]
    wanted = torch.autograd.grad(theirs(x, edge_index, weight).square().sum(), theirs_at)
    got = torch.autograd.grad(ours(x, graph).square().sum(), ours_at)
    for mine, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(mine, other.mT, **tolerance)


def test_dropout_acts_on_the_skip_connection_only():
    torch.manual_seed(0)
    conv = ARMAConv(3, 2, skip_dropout=1.0, bias=False, activation=None)
    lonely = torch.empty(2, 0, dtype=torch.int64)
    assert conv(torch.ones(2, 3), lonely).abs().sum() == 0
    assert conv(torch.ones(2, 3), torch.tensor([[0, 1], [1, 0]])).abs().sum() > 0
    assert conv.eval()(torch.ones(2, 3), lonely).abs().sum() > 0


def test_state_dict_is_plain():
    shapes = {
        name: tuple(p.shape) for name, p in ARMAConv(5, 3, num_stacks=2, num_steps=4).state_dict().items()
    }
    assert "weight" not in ARMAConv(5, 3).state_dict()
    assert shapes == {
        "weight_first": (2, 3, 5),
        "weight": (3, 2, 3, 3),
        "weight_skip": (4, 2, 3, 5),
        "bias": (4, 2, 3),
    }


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="at least 1 stack"):
        ARMAConv(3, 2, num_stacks=0)
    with pytest.raises(InputError, match="at least 1 step"):
        ARMAConv(3, 2, num_steps=0)
    with pytest.raises(UnknownNameError, match="activation 'rely'"):
        ARMAConv(3, 2, activation="rely")
    with pytest.raises(InputError, match="dropout from 0 to 1"):
        ARMAConv(3, 2, skip_dropout=-1.0)
