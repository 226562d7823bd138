from __future__ import annotations

import pytest
import torch
from torch import nn

from mmgraph.errors import InputError
from mmgraph.graph import Adjacency, GINConv, SparseFeatures


@pytest.mark.parametrize("train_eps", [True, False])
def test_outputs_and_gradients_equal_torch_geometric(pyg, edges, dtype, compare, train_eps):
    edge_index, num_nodes = edges
    torch.manual_seed(0)
    mlp = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3)).to(dtype)
    ours = GINConv(5, 3, mlp=mlp, eps=0.3, train_eps=train_eps).to(dtype)
    theirs = pyg.nn.GINConv(mlp, eps=0.3, train_eps=train_eps).to(dtype)
    x = torch.randn(num_nodes, 5, dtype=dtype, generator=torch.Generator().manual_seed(1), requires_grad=True)
    eps = ([ours.eps], [theirs.eps]) if train_eps else ([], [])
    compare(
        ours(x, edge_index),
        theirs(x, edge_index),
        [x, *mlp.parameters(), *eps[0]],
        [x, *mlp.parameters(), *eps[1]],
    )


def test_weights_of_the_graph_enter():
    conv = GINConv(1, 1, mlp=nn.Identity(), eps=1.0)
    graph = Adjacency.from_edge_index(torch.tensor([[0, 1], [2, 2]]), 3, torch.tensor([0.5, -2.0]))
    assert conv(torch.tensor([[4.0], [1.0], [3.0]]), graph).flatten().tolist() == [8.0, 2.0, 6.0]


def test_the_perceptron_that_is_built():
    conv = GINConv(4, 3, mlp_channels=7)
    kinds = [type(module) for module in conv.mlp]
    assert kinds == [nn.Linear, nn.BatchNorm1d, nn.ReLU, nn.Linear]
    assert conv.mlp[0].weight.shape == (7, 4)
    assert conv.mlp[3].weight.shape == (3, 7)
    assert [type(m) for m in GINConv(4, 3, batch_norm=False).mlp][1] is nn.Identity
    assert "eps" in dict(conv.named_parameters())
    fixed = GINConv(4, 3, eps=0.5, train_eps=False)
    assert "eps" not in dict(fixed.named_parameters())
    assert fixed.state_dict()["eps"] == 0.5


def test_sum_tells_multisets_apart_that_mean_and_max_do_not():
    x = torch.ones(5, 2)
    y = GINConv(2, 2, mlp=nn.Identity())(x, torch.tensor([[0, 1, 0], [3, 4, 4]]))
    assert not torch.equal(y[3], y[4])


@pytest.mark.parametrize(
    "mlp", [nn.Linear(7, 3), nn.Linear(7, 3, bias=False), nn.Sequential(nn.Linear(7, 3))]
)
def test_sparse_features_go_through_the_first_linear_map(mlp):
    x = torch.eye(5, 7)
    edge_index = torch.tensor([[0, 1, 2], [1, 2, 0]])
    conv = GINConv(7, 3, mlp=mlp)
    torch.testing.assert_close(conv(SparseFeatures.from_dense(x), edge_index), conv(x, edge_index))


def test_bad_input_is_refused():
    sparse = SparseFeatures.from_dense(torch.eye(3))
    nothing = torch.empty(2, 0, dtype=torch.int64)
    with pytest.raises(InputError, match=r"starts with nn\.Linear.*got Identity"):
        GINConv(3, 3, mlp=nn.Identity())(sparse, nothing)
    with pytest.raises(InputError, match=r"starts with nn\.Linear"):
        GINConv(3, 3, mlp=nn.Sequential(nn.ReLU(), nn.Linear(3, 3)))(sparse, nothing)
    with pytest.raises(InputError, match="3 in and 0 out"):
        GINConv(3, 3, mlp_channels=0)
