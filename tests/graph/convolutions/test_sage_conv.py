from __future__ import annotations

import pytest
import torch

from mmgraph.errors import UnknownNameError
from mmgraph.graph import Adjacency, SAGEConv


def features(num_nodes, channels, dtype):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(num_nodes, channels, dtype=dtype, generator=generator, requires_grad=True)


@pytest.mark.parametrize("aggregation", ["mean", "max", "sum"])
@pytest.mark.parametrize("project", [False, True])
@pytest.mark.parametrize(("in_channels", "out_channels"), [(5, 3), (3, 5)])
def test_outputs_and_gradients_equal_torch_geometric(
    pyg, edges, dtype, compare, aggregation, project, in_channels, out_channels
):
    edge_index, num_nodes = edges
    torch.manual_seed(0)
    ours = SAGEConv(in_channels, out_channels, aggregation=aggregation, project=project).to(dtype)
    torch.nn.init.normal_(ours.bias)
    theirs = pyg.nn.SAGEConv(in_channels, out_channels, aggr=aggregation, project=project).to(dtype)
    pairs = [
        (ours.weight_neighbour, theirs.lin_l.weight),
        (ours.bias, theirs.lin_l.bias),
        (ours.weight_root, theirs.lin_r.weight),
    ]
    if project:
        pairs += [(ours.weight_project, theirs.lin.weight), (ours.bias_project, theirs.lin.bias)]
    with torch.no_grad():
        for mine, other in pairs:
            other.copy_(mine)
    x = features(num_nodes, in_channels, dtype)
    if project and aggregation == "max":
        # Where ReLU gives 0 to several neighbours, torch_geometric shares the gradient among them; it is lost there.
        torch.nn.init.constant_(ours.bias_project, 4.0)
        torch.nn.init.constant_(theirs.lin.bias, 4.0)
    compare(
        ours(x, edge_index),
        theirs(x, edge_index),
        [x, *(mine for mine, _ in pairs)],
        [x, *(other for _, other in pairs)],
    )


@pytest.mark.parametrize("aggregation", ["mean", "sum"])
def test_weights_of_the_graph_enter(edges, aggregation):
    edge_index, num_nodes = edges
    torch.manual_seed(0)
    weight = torch.rand(edge_index.size(1), dtype=torch.float64)
    conv = SAGEConv(4, 2, aggregation=aggregation, root=False, bias=False).double()
    x = features(num_nodes, 4, torch.float64)
    dense = torch.zeros(num_nodes, num_nodes, dtype=torch.float64)
    dense.index_put_((edge_index[1], edge_index[0]), weight, accumulate=True)
    if aggregation == "mean":
        total = dense.sum(1, keepdim=True)
        dense = dense / torch.where(total > 0, total, 1)
    y = conv(x, Adjacency.from_edge_index(edge_index, num_nodes, weight))
    torch.testing.assert_close(y, dense @ x @ conv.weight_neighbour.T)


def test_normalized_rows_have_length_one():
    torch.manual_seed(0)
    y = SAGEConv(3, 4, normalize=True)(torch.randn(3, 3), torch.tensor([[0, 1], [1, 2]]))
    torch.testing.assert_close(y.norm(dim=1), torch.ones(3))


def test_state_dict_is_plain():
    shapes = {name: tuple(p.shape) for name, p in SAGEConv(3, 2, project=True).state_dict().items()}
    assert shapes == {
        "weight_project": (3, 3),
        "bias_project": (3,),
        "weight_neighbour": (2, 3),
        "weight_root": (2, 3),
        "bias": (2,),
    }
    assert set(SAGEConv(3, 2, root=False, bias=False).state_dict()) == {"weight_neighbour"}


def test_bad_input_is_refused():
    with pytest.raises(UnknownNameError, match="aggregation 'median'"):
        SAGEConv(3, 2, aggregation="median")
