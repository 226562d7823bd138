from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch_geometric import nn as pyg
from torch_geometric.explain.algorithm.utils import clear_masks, set_masks

from mmgraph.errors import InputError
from mmgraph.graph import (
    Adjacency,
    EdgeConv,
    GATConv,
    GATv2Conv,
    GCNConv,
    GINConv,
    RelationalGCNConv,
    SAGEConv,
)
from mmgraph.graph.edge_masking import masked_edges, message_weight

EDGES = torch.tensor([[0, 1, 2, 3, 3, 1, 4, 4], [1, 0, 1, 2, 1, 3, 0, 0]])


def features() -> Tensor:
    return torch.randn(6, 5, generator=torch.Generator().manual_seed(1))


def masked(layer: torch.nn.Module, x: Tensor, edges: Tensor, mask: Tensor) -> Tensor:
    with masked_edges(edges, mask):
        result: Tensor = layer(x, edges)
    return result


def pyg_masked(layer: torch.nn.Module, x: Tensor, edges: Tensor, mask: Tensor) -> Tensor:
    set_masks(layer, mask, edges, apply_sigmoid=False)
    result: Tensor = layer(x, edges)
    clear_masks(layer)
    return result


@pytest.fixture
def mask() -> Tensor:
    return torch.rand(EDGES.size(1), generator=torch.Generator().manual_seed(2))


def test_gcn_like_torch_geometric(mask: Tensor) -> None:
    ours, theirs = GCNConv(5, 3), pyg.GCNConv(5, 3)
    theirs.lin.weight.data, theirs.bias.data = ours.weight.data, ours.bias.data
    torch.testing.assert_close(
        masked(ours, features(), EDGES, mask), pyg_masked(theirs, features(), EDGES, mask)
    )


def test_gat_like_torch_geometric(mask: Tensor) -> None:
    ours, theirs = GATConv(5, 3, heads=2), pyg.GATConv(5, 3, heads=2)
    theirs.lin.weight.data = ours.weight.data
    theirs.att_src.data, theirs.att_dst.data = (
        ours.attention_source.data[None],
        ours.attention_target.data[None],
    )
    torch.testing.assert_close(
        masked(ours, features(), EDGES, mask), pyg_masked(theirs, features(), EDGES, mask)
    )


@pytest.mark.parametrize("aggregation", ["mean", "max", "sum"])
def test_sage_like_torch_geometric(mask: Tensor, aggregation: str) -> None:
    ours, theirs = SAGEConv(5, 3, aggregation=aggregation), pyg.SAGEConv(5, 3, aggr=aggregation)
    theirs.lin_l.weight.data, theirs.lin_r.weight.data = ours.weight_neighbour.data, ours.weight_root.data
    theirs.lin_l.bias.data = ours.bias.data
    torch.testing.assert_close(
        masked(ours, features(), EDGES, mask), pyg_masked(theirs, features(), EDGES, mask)
    )


@pytest.mark.parametrize("make", [GCNConv, GATConv, GATv2Conv, GINConv, SAGEConv, EdgeConv])
def test_weight_one_changes_nothing(make: type[torch.nn.Module]) -> None:
    layer, x = make(5, 3).eval(), features()
    torch.testing.assert_close(masked(layer, x, EDGES, torch.ones(8)), layer(x, EDGES))


@pytest.mark.parametrize("make", [GCNConv, GINConv, SAGEConv, EdgeConv])
def test_weight_zero_hides_an_edge(make: type[torch.nn.Module]) -> None:
    layer, x = make(5, 3).eval(), features()
    hidden = torch.ones(8)
    hidden[3] = 0  # the one edge into node 2, from node 3
    other = x.clone()
    other[3] += 5
    torch.testing.assert_close(masked(layer, x, EDGES, hidden)[2], masked(layer, other, EDGES, hidden)[2])
    assert not torch.allclose(layer(x, EDGES)[2], layer(other, EDGES)[2])


@pytest.mark.parametrize("bases", [None, 2])
def test_relations(mask: Tensor, bases: int | None) -> None:
    """Scaling every message by one number scales what is received."""
    layer = RelationalGCNConv(5, 3, num_relations=2, num_bases=bases, root=False, bias=False)
    relation = torch.arange(8) % 2
    with masked_edges(EDGES, torch.full((8,), 0.25)):
        quarter = layer(features(), EDGES, relation)
    torch.testing.assert_close(quarter, layer(features(), EDGES, relation) / 4)


def test_parallel_edges_have_weights_of_their_own() -> None:
    graph = Adjacency.from_edge_index(EDGES, 6)
    given = torch.arange(8.0)
    with masked_edges(EDGES, given):
        entries = message_weight(graph.pattern)
    assert entries is not None
    torch.testing.assert_close(graph.in_given_order(entries), given)


def test_added_self_loops_keep_weight_one() -> None:
    graph = Adjacency.from_edge_index(EDGES, 6).with_self_loops()
    with masked_edges(EDGES, torch.zeros(8)):
        entries = message_weight(graph.pattern)
    assert entries is not None
    torch.testing.assert_close(entries, (graph.row == graph.col).float())


def test_gradient_reaches_the_edges_within_reach_only() -> None:
    weight = torch.ones(8, requires_grad=True)
    layer = GCNConv(5, 3)
    with masked_edges(EDGES, weight) as mask:
        layer(features(), EDGES)[2].sum().backward()
    assert mask.products == 1
    assert weight.grad is not None
    assert torch.nonzero(weight.grad).flatten().tolist() == [3]


def test_no_edges() -> None:
    none = torch.zeros(2, 0, dtype=torch.int64)
    layer = GCNConv(5, 3)
    torch.testing.assert_close(masked(layer, features(), none, torch.zeros(0)), layer(features(), none))


def test_nothing_is_masked_outside() -> None:
    assert message_weight(Adjacency.from_edge_index(EDGES).pattern) is None


@pytest.mark.parametrize("weight", [torch.ones(7), torch.ones(8, dtype=torch.int64), torch.ones(8, 2)])
def test_one_weight_per_edge(weight: Tensor) -> None:
    with pytest.raises(InputError, match="one floating-point weight per edge"), masked_edges(EDGES, weight):
        pass
