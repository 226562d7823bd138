from __future__ import annotations

import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.graph import Adjacency, SGConv


@pytest.mark.parametrize("K", [1, 3])
@pytest.mark.parametrize("self_loops", [True, False])
@pytest.mark.parametrize(("in_channels", "out_channels"), [(5, 3), (3, 5)])
def test_outputs_and_gradients_equal_torch_geometric(
    pyg, edges, dtype, compare, K, self_loops, in_channels, out_channels
):
    edge_index, num_nodes = edges
    torch.manual_seed(0)
    ours = SGConv(in_channels, out_channels, K=K, self_loops=self_loops).to(dtype)
    torch.nn.init.normal_(ours.bias)
    theirs = pyg.nn.SGConv(in_channels, out_channels, K=K, add_self_loops=self_loops).to(dtype)
    theirs.load_state_dict({"lin.weight": ours.weight.detach(), "lin.bias": ours.bias.detach()})
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(num_nodes, in_channels, dtype=dtype, generator=generator, requires_grad=True)
    weight = torch.rand(edge_index.size(1), dtype=dtype, generator=generator) + 0.1
    compare(
        ours(x, Adjacency.from_edge_index(edge_index, num_nodes, weight)),
        theirs(x, edge_index, weight),
        [x, ours.weight, ours.bias],
        [x, theirs.lin.weight, theirs.lin.bias],
    )


def test_without_propagation_it_is_linear():
    conv, x = SGConv(3, 2, K=0), torch.eye(3)
    expected = x @ conv.weight.T + conv.bias
    torch.testing.assert_close(conv(x, torch.tensor([[0, 1], [1, 2]])), expected)


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="at least 0 propagations"):
        SGConv(3, 2, K=-1)
