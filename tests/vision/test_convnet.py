from __future__ import annotations

import pytest
import torch
from torch import nn

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.vision import ConvEncoder


def test_output_is_the_formula():
    torch.manual_seed(0)
    encoder = ConvEncoder(3, (4, 5), 6, (9, 8), activation="gelu", pooling="average", dropout=0.5).eval()
    images = torch.randn(2, 3, 9, 8)
    h = images
    for block in encoder.blocks:
        h = nn.functional.conv2d(h, block.conv.weight, block.conv.bias, padding=1)
        h = nn.functional.avg_pool2d(nn.functional.gelu(h), 2)
    assert h.shape == (2, 5, 2, 2)
    torch.testing.assert_close(encoder(images), encoder.output(h.flatten(1)))


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize(("channels", "image_size"), [((4,), 2), ((16, 32), 8), ((4, 4, 4), (28, 9))])
def test_any_depth_and_size(channels, image_size, batch_norm):
    torch.manual_seed(0)
    encoder = ConvEncoder(1, channels, 10, image_size, batch_norm=batch_norm, kernel_size=5)
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    features = encoder(torch.rand(4, 1, *size))
    assert features.shape == (4, 10)
    features.square().sum().backward()
    assert all(p.grad is not None for p in encoder.parameters())
    norms = [m for m in encoder.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == (len(channels) if batch_norm else 0)


def test_layers_have_readable_names():
    names = [name for name, _ in ConvEncoder(batch_norm=True).named_modules()]
    assert {"blocks.0.conv", "blocks.0.norm", "blocks.1.activation", "blocks.1.pool", "output"} <= set(names)


def test_batch_equals_single():
    torch.manual_seed(0)
    encoder = ConvEncoder(batch_norm=True).eval()
    images = torch.rand(5, 1, 8, 8)
    torch.testing.assert_close(encoder(images), torch.cat([encoder(image[None]) for image in images]))
    assert encoder(images[:0]).shape == (0, 64)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"channels": ()}, "at least one block"),
        ({"channels": (4, 0)}, "positive sizes"),
        ({"in_channels": 0}, "positive sizes"),
        ({"kernel_size": 4}, "odd kernel size, but got 4"),
        ({"image_size": 3}, "at least 4×4 for 2 poolings, but got 3×3"),
        ({"dropout": 1.5}, "dropout from 0 to 1"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        ConvEncoder(**arguments)


def test_bad_names_and_images_are_refused():
    with pytest.raises(UnknownNameError, match=r"activation 'relo'\. Did you mean 'relu'"):
        ConvEncoder(activation="relo")
    with pytest.raises(UnknownNameError, match="pooling 'mean'"):
        ConvEncoder(pooling="mean")
    with pytest.raises(InputError, match=r"images \(n, 1, 8, 8\), but got \(2, 1, 9, 9\)"):
        ConvEncoder()(torch.ones(2, 1, 9, 9))


def test_pooling_first_is_that_order_of_the_same_layers():
    encoder = ConvEncoder(1, (4, 8), None, 8, batch_norm=True, pool_first=True).eval()
    images = torch.randn(3, 1, 8, 8)
    h = images
    for block in encoder.blocks:
        assert [name for name, _ in block.named_children()] == ["conv", "pool", "norm", "activation"]
        h = torch.relu(block.norm(torch.nn.functional.max_pool2d(block.conv(h), 2)))
    torch.testing.assert_close(encoder(images), h.flatten(1))
    assert encoder(images).shape == (3, encoder.out_features) == (3, 32)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_activations_that_only_rise_come_after_the_maximum_with_the_same_numbers(activation):
    torch.manual_seed(0)
    encoder = ConvEncoder(1, (4, 8), 5, 9, activation=activation, batch_norm=True)
    images = torch.randn(6, 1, 9, 9)
    encoder(images).square().sum().backward()
    slopes = [parameter.grad.clone() for parameter in encoder.parameters()]
    encoder.zero_grad()
    h = images
    for block in encoder.blocks:
        h = nn.functional.max_pool2d(block.activation(block.norm(block.conv(h))), 2)
    encoder.output(h.flatten(1)).square().sum().backward()
    assert all(torch.equal(a, p.grad) for a, p in zip(slopes, encoder.parameters(), strict=True))


def test_what_is_seen_counts_the_same_everywhere():
    encoder = ConvEncoder(1, (4,), 3, 8, everywhere=True).eval()
    images = torch.zeros(2, 1, 8, 8)
    images[0, 0, 2, 2] = images[1, 0, 4, 4] = 1.0
    first, second = encoder(images)
    torch.testing.assert_close(first, second)
    assert encoder.output.in_features == 4
