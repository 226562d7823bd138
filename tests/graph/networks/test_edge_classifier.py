from __future__ import annotations

from typing import get_args

import pytest
import torch

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph import Adjacency, EdgeClassifier, SparseFeatures
from mmgraph.graph.convolutions.catalogue import Convolution

EDGES = torch.tensor([[0, 1, 1, 2, 3, 0, 4, 2], [1, 0, 2, 1, 0, 3, 2, 4]])
PAIRS = torch.tensor([[0, 1, 4, 2], [3, 1, 0, 0]])
EDGE_ATTR = torch.randn(4, 2, generator=torch.Generator().manual_seed(1))


def features() -> torch.Tensor:
    return torch.randn(5, 6, generator=torch.Generator().manual_seed(0)).relu()


def built(**options) -> EdgeClassifier:
    torch.manual_seed(0)
    return EdgeClassifier(6, 8, 3, **options)


@pytest.mark.parametrize("join", ["product", "symmetric", "ends"])
@pytest.mark.parametrize("edge_channels", [0, 2])
def test_it_is_the_formula(join, edge_channels):
    model = built(join=join, edge_channels=edge_channels).eval()
    graph, edge_attr = Adjacency.from_edge_index(EDGES, 5), EDGE_ATTR if edge_channels else None
    first, second = model.encoder.convs
    z = second(first(features(), graph).relu(), graph).relu()
    u, v = z[PAIRS[0]], z[PAIRS[1]]
    parts = {"product": [u * v], "symmetric": [u + v, (u - v).abs()], "ends": [u, v]}[join]
    joined = torch.cat(parts if edge_attr is None else [*parts, edge_attr], dim=1)
    inner, _, _, outer = model.decoder.mlp
    logits = model(features(), graph, PAIRS, edge_attr)
    torch.testing.assert_close(logits, outer(inner(joined).relu()))
    hidden = model.embed(features(), graph, PAIRS, edge_attr)
    torch.testing.assert_close(outer(hidden), logits)
    both_ways = torch.equal(model(features(), EDGES, PAIRS.flip(0), edge_attr), logits)
    assert both_ways == (join != "ends")


@pytest.mark.parametrize("conv", sorted(set(get_args(Convolution)) - {"edge", "rgcn"}))
def test_every_convolution_reads_nodes_and_every_gradient_flows(conv):
    model = built(conv=conv, heads=2, dropout=0.0)
    model(features(), EDGES, PAIRS).square().sum().backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in model.encoder.convs.parameters())


def test_sparse_features_no_pairs_and_single_pairs():
    model = built().eval()
    logits = model(features(), EDGES, PAIRS)
    torch.testing.assert_close(model(SparseFeatures.from_dense(features()), EDGES, PAIRS), logits)
    assert model(features(), EDGES, PAIRS[:, :0]).shape == (0, 3)
    torch.testing.assert_close(model(features(), EDGES, PAIRS[:, 2:3]), logits[2:3])


def test_dropout_acts_in_training_only():
    model = built(dropout=0.5)
    assert not torch.equal(model(features(), EDGES, PAIRS), model(features(), EDGES, PAIRS))
    model.eval()
    assert torch.equal(model(features(), EDGES, PAIRS), model(features(), EDGES, PAIRS))


def test_what_cannot_be_is_refused():
    with pytest.raises(UnknownNameError, match="join"):
        built(join="sum")
    with pytest.raises(InputError, match="channel"):
        EdgeClassifier(6, 8, 0)
    with pytest.raises(InputError, match="2 features per edge, but got 0"):
        built(edge_channels=2)(features(), EDGES, PAIRS)
    with pytest.raises(InputError, match="node indices"):
        built()(features(), EDGES, PAIRS + 5)
