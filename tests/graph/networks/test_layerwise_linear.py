from __future__ import annotations

import pytest
import torch
from torch import nn

from mmgraph.errors import InputError
from mmgraph.graph.networks.layerwise_linear import LayerwiseLinear


def made(dropout: float = 0.0) -> LayerwiseLinear:
    torch.manual_seed(0)
    return LayerwiseLinear([2, 3, 1], 4, dropout=dropout).double()


def test_without_dropout_it_is_the_sum_of_a_linear_map_per_layer():
    layer, layers = made(), [torch.randn(5, channels, dtype=torch.float64) for channels in (2, 3, 1)]
    expected = layer.bias + sum(
        nn.functional.linear(h, w) for h, w in zip(layers, layer.weight.split([2, 3, 1], dim=1), strict=True)
    )
    x = torch.cat(layers, dim=1)
    torch.testing.assert_close(layer(x), expected)
    torch.testing.assert_close(layer.eval()(x), expected)
    dropping = made(0.5)
    torch.testing.assert_close(dropping.eval()(x), expected)


def test_whole_scores_of_single_layers_are_dropped():
    layer = made(0.5)
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.zero_()
        # Every layer says a number of its own, so that the sum tells which of them were dropped.
        layer.weight[:, 0], layer.weight[:, 2], layer.weight[:, 5] = 0.5, 1.0, 2.0
    scores = layer(torch.ones(2000, 6, dtype=torch.float64))
    counts = torch.bincount(scores.flatten().long(), minlength=8)
    assert set(scores.unique().tolist()) == set(range(8))
    expected = scores.numel() / 8
    assert ((counts - expected) ** 2 / expected).sum() < 24.3  # chi-squared, 7 degrees of freedom, p = 0.001


def test_weights_start_by_the_width_of_their_layer():
    layer = LayerwiseLinear([10_000, 4], 3)
    wide, narrow = layer.weight.detach().split([10_000, 4], dim=1)
    assert float(wide.abs().max()) <= 0.01 < 0.1 < float(narrow.abs().max()) <= 0.5


def test_gradients():
    layer = made(0.0)
    x = torch.randn(3, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (x,))


def test_the_mask_is_not_saved():
    assert set(made().state_dict()) == {"weight", "bias"}


@pytest.mark.parametrize(
    ("channels", "out_channels", "dropout", "words"),
    [
        ([], 2, 0.0, "at least 1 layer"),
        ([3, 0], 2, 0.0, "one channel"),
        ([3], 0, 0.0, "one channel"),
        ([3], 2, 2.0, "dropout"),
    ],
)
def test_bad_input_is_refused(channels, out_channels, dropout, words):
    with pytest.raises(InputError, match=words):
        LayerwiseLinear(channels, out_channels, dropout=dropout)
