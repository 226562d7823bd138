from __future__ import annotations

from typing import get_args

import pytest
import torch

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph import Adjacency, DotDecoder, GraphAutoencoder, MLPDecoder, SparseFeatures
from mmgraph.graph.convolutions.catalogue import Convolution
from mmgraph.graph.networks.graph_autoencoder import Encoding

EDGES = torch.tensor([[0, 1, 1, 2, 3, 0, 4, 2], [1, 0, 2, 1, 0, 3, 2, 4]])
PAIRS = torch.tensor([[0, 1, 4, 2], [3, 1, 0, 0]])


def features(channels: int = 6) -> torch.Tensor:
    return torch.randn(5, channels, generator=torch.Generator().manual_seed(0))


def built(**options) -> GraphAutoencoder:
    torch.manual_seed(0)
    return GraphAutoencoder(6, 8, 4, **options)


@pytest.mark.parametrize("decoder", ["dot", "mlp"])
@pytest.mark.parametrize("variational", [False, True])
def test_it_is_that_of_torch_geometric_with_the_same_weights(pyg, decoder, variational):
    """Reconstruction, divergence and every gradient, in evaluation; the noise is compared in another test."""
    ours = built(decoder="dot", variational=variational).eval()
    x, graph = features(), Adjacency.from_edge_index(EDGES, 5)
    first, last = ours.encoder.convs
    conv = pyg.nn.GCNConv
    hidden, mean, log_std = conv(6, 8), conv(8, 4), conv(8, 4)

    class Encoder(torch.nn.Module):
        def forward(self, x, edge_index):
            h = hidden(x, edge_index).relu()
            return (mean(h, edge_index), log_std(h, edge_index)) if variational else mean(h, edge_index)

    with torch.no_grad():
        hidden.lin.weight.copy_(first.weight)
        mean.lin.weight.copy_(last.weight[:4])
        if variational:
            log_std.lin.weight.copy_(last.weight[4:])
        for layer, bias in ((hidden, first.bias), (mean, last.bias[:4]), (log_std, last.bias[4:])):
            bias.uniform_(-1, 1)
            layer.bias.copy_(bias if len(bias) else 0)
    theirs = (pyg.nn.VGAE if variational else pyg.nn.GAE)(Encoder()).eval()
    z = theirs.encode(x, EDGES)
    if decoder == "dot":
        expected = theirs.decode(z, PAIRS, sigmoid=False)
        torch.testing.assert_close(ours(x, graph, PAIRS), expected)
    else:
        model = built(decoder="mlp", variational=variational).eval()
        model.encoder = ours.encoder
        u, v = z[PAIRS[0]], z[PAIRS[1]]
        torch.testing.assert_close(model(x, EDGES, PAIRS), model.decoder.mlp(u * v).flatten())
    encoding = ours.encode(x, graph)
    torch.testing.assert_close(encoding.mean, z)
    if variational:
        torch.testing.assert_close(encoding.divergence(), theirs.kl_loss())
        torch.testing.assert_close(encoding.log_std, theirs.__logstd__)
        got = torch.autograd.grad(encoding.divergence(), [first.weight, last.weight])
        wanted = torch.autograd.grad(
            theirs.kl_loss(), [hidden.lin.weight, mean.lin.weight, log_std.lin.weight]
        )
        torch.testing.assert_close(got[0], wanted[0])
        torch.testing.assert_close(got[1], torch.cat(wanted[1:]))
    else:
        assert encoding.divergence() == 0


def test_the_divergence_is_that_of_normal_distributions():
    mean, log_std = features(3), features(3) / 2
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(normal(mean, log_std.exp()), normal(0.0, 1.0)).sum(1).mean()
    torch.testing.assert_close(Encoding(mean, log_std).divergence(), expected)


def test_vectors_scatter_as_they_should_in_training_and_not_in_evaluation():
    encoding = Encoding(torch.tensor([[1.0, -2.0]]).repeat(20_000, 1), torch.tensor([[0.0, -1.0]]))
    torch.manual_seed(0)
    drawn = encoding.sample()
    torch.testing.assert_close(drawn.mean(0), torch.tensor([1.0, -2.0]), atol=0.03, rtol=0)
    torch.testing.assert_close(drawn.std(0), torch.tensor([0.0, -1.0]).exp(), atol=0.03, rtol=0)
    model = built(variational=True)
    assert not torch.equal(model(features(), EDGES, PAIRS), model(features(), EDGES, PAIRS))
    model.eval()
    assert torch.equal(model(features(), EDGES, PAIRS), model(features(), EDGES, PAIRS))


@pytest.mark.parametrize("conv", sorted(set(get_args(Convolution)) - {"edge", "rgcn"}))
@pytest.mark.parametrize("decoder", ["dot", "mlp"])
def test_every_convolution_encodes_and_every_gradient_flows(conv, decoder):
    model = built(conv=conv, decoder=decoder, variational=True, num_layers=2, heads=2)
    scores = model(features(), EDGES, PAIRS)
    assert scores.shape == (4,)
    (scores.square().sum() + model.encode(features(), EDGES).divergence()).backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in model.encoder.convs.parameters())


def test_sparse_features_are_the_same():
    x = torch.where(features() > 0, features(), 0.0)
    model = built().eval()
    torch.testing.assert_close(model(x, EDGES, PAIRS), model(SparseFeatures.from_dense(x), EDGES, PAIRS))


def test_pairs_are_scored_one_by_one_and_none_at_all():
    model = built(decoder="mlp").eval()
    together = model(features(), EDGES, PAIRS)
    single = torch.cat([model(features(), EDGES, PAIRS[:, i : i + 1]) for i in range(4)])
    torch.testing.assert_close(together, single)
    torch.testing.assert_close(together, model(features(), EDGES, PAIRS.flip(0)))
    assert model(features(), EDGES, PAIRS[:, :0]).shape == (0,)


@pytest.mark.parametrize("join", ["product", "ends"])
@pytest.mark.parametrize("edge_channels", [0, 3])
def test_the_perceptron_reads_what_it_says(join, edge_channels):
    torch.manual_seed(0)
    decoder = MLPDecoder(6, 7, 2, join=join, edge_channels=edge_channels, dropout=0.5).eval()
    z, edge_attr = features(), torch.randn(4, 3) if edge_channels else None
    u, v = z[PAIRS[0]], z[PAIRS[1]]
    parts = ([u * v] if join == "product" else [u, v]) + ([edge_attr] if edge_channels else [])
    first, _, _, last = decoder.mlp
    torch.testing.assert_close(decoder(z, PAIRS, edge_attr), last(first(torch.cat(parts, 1)).relu()))
    assert torch.equal(DotDecoder()(z, PAIRS), (u * v).sum(1))


def test_what_cannot_be_is_refused():
    with pytest.raises(UnknownNameError, match="decoder 'cosine'"):
        built(decoder="cosine")
    with pytest.raises(InputError, match="embedding channel"):
        GraphAutoencoder(6, 8, 0)
    with pytest.raises(UnknownNameError, match="option of the convolution"):
        built(conv="gcn", K=3)
    with pytest.raises(InputError, match="node indices"):
        built()(features(), EDGES, torch.tensor([[0], [5]]))
    with pytest.raises(UnknownNameError, match="join"):
        MLPDecoder(6, 7, join="sum")
    with pytest.raises(InputError, match="2 features per edge, but got 0"):
        MLPDecoder(6, 7, edge_channels=2)(features(), PAIRS)
    with pytest.raises(InputError, match="0 features per edge, but got 2"):
        MLPDecoder(6, 7)(features(), PAIRS, torch.zeros(4, 2))
    with pytest.raises(InputError, match="one row of features per pair"):
        MLPDecoder(6, 7, edge_channels=2)(features(), PAIRS, torch.zeros(3, 2))
    for wrong in ({"hidden_channels": 0}, {"edge_channels": -1}, {"dropout": 2.0}):
        with pytest.raises(InputError):
            MLPDecoder(**{"in_channels": 6, "hidden_channels": 7, **wrong})
