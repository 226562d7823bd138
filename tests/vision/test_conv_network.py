from __future__ import annotations

import pytest
import torch

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.vision import ConvNetwork, ConvSpec, deepen, widen
from mmgraph.vision.conv_spec import TINY_DARKNET, Concat, Conv, Pool, Residual

IMAGES = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(2), dtype=torch.float64)

WIRED = (
    Conv(6),
    Residual((Conv(4), Conv(6))),
    Pool(),
    Concat(((), (Conv(3, 1),), (Conv(2, 1), Conv(5)))),
    Pool(2, "average"),
    Conv(7, stride=2),
)


def network(spec, out_features=4):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ConvNetwork(spec, 3, out_features).double().eval()


def test_tiny_darknet_has_the_published_layers():
    model = ConvNetwork(TINY_DARKNET, 3, 1000)
    convolutions = [model.get_submodule(name) for name in model.convolutions]
    published = [16, 32, 16, 128, 16, 128, 32, 256, 32, 256, 64, 512, 64, 512, 128]
    assert [part.out_channels for part in convolutions] == published
    assert [part.kernel_size[0] for part in convolutions] == [3, 3, *[1, 3] * 6, 1]
    # 4.1 MB in float32, as published: 4.0 MB.
    weights = sum(part.weight.numel() for part in convolutions) + model.output.weight.numel()
    assert weights == 1_036_720
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in model.modules())
    assert model(torch.zeros(2, 3, 224, 224)).shape == (2, 1000)
    assert model.shrink == 16


def test_scaling_changes_channels_alone():
    half = network(TINY_DARKNET.scaled(0.5))
    assert [half.get_submodule(name).out_channels for name in half.convolutions][:4] == [8, 16, 8, 64]
    assert [part.channels for part in ConvSpec((Conv(2),)).scaled(0.01).layers] == [1]
    wired = network(ConvSpec(WIRED).scaled(2))
    assert [wired.get_submodule(name).out_channels for name in wired.convolutions] == [
        12,
        8,
        12,
        6,
        4,
        10,
        14,
    ]


@pytest.mark.parametrize("activation", ["relu", "elu", "tanh"])
def test_what_passes_keeps_its_size_without_batch_norm(activation):
    model = network(ConvSpec((Conv(64),) * 12, activation))
    with torch.no_grad():
        size = model.layers(IMAGES)[:, :, 12:-12, 12:-12].square().mean().sqrt()
    assert 0.2 < float(size) < 3


def test_residual_and_concatenating_layers_compute_what_they_say():
    model = network(ConvSpec(WIRED, "elu"))
    first, residual, pool, concat, average, last = model.layers
    h = first(IMAGES)
    h = pool(h + residual.branches[0](h))
    h = last(average(torch.cat([h, concat.branches[1](h), concat.branches[2](h)], 1)))
    assert torch.allclose(model(IMAGES), model.output(h.mean((2, 3))))
    assert h.shape == (3, 7, 4, 4)
    assert network(ConvSpec(WIRED), None)(IMAGES).shape == (3, 7)


@pytest.mark.parametrize(
    "spec", [ConvSpec(WIRED, "elu"), ConvSpec(WIRED, "relu", True), TINY_DARKNET.scaled(0.1)]
)
def test_every_wiring_grows_without_a_change(spec):
    model = network(spec)
    before = model(IMAGES)
    for name in model.convolutions:
        widen(model, name, model.get_submodule(name).out_channels + 3, IMAGES)
    deepen(model, "layers.0.activation", IMAGES)
    assert float((model(IMAGES) - before).detach().abs().max()) < 1e-12


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ((), "at least one convolution"),
        ((Pool(),), "at least one convolution"),
        ((Conv(0),), "channels and stride"),
        ((Conv(4, 2),), "odd kernel"),
        ((Conv(4), Pool(0)), "at least 1 pixel"),
        ((Conv(4), Residual((Conv(5),))), "keep 4 channels"),
        ((Conv(4), Residual((Conv(4), Pool()))), "divide height and width by 2"),
        ((Conv(4), Concat(((), (Pool(),)))), r"divide height and width alike, but they do by \[1, 2\]"),
    ],
)
def test_specs_that_cannot_be_say_why(layers, words):
    with pytest.raises(InputError, match=words):
        ConvNetwork(ConvSpec(layers))


def test_names_and_images_that_do_not_fit_say_why():
    with pytest.raises(UnknownNameError, match="swish"):
        ConvSpec((Conv(4),), "swish")
    with pytest.raises(UnknownNameError, match="median"):
        ConvSpec((Conv(4), Pool(2, "median")))
    model = ConvNetwork(ConvSpec((Conv(4), Pool(4))), 3)
    for images in (torch.zeros(2, 1, 8, 8), torch.zeros(2, 3, 3, 8), torch.zeros(3, 8, 8)):
        with pytest.raises(InputError, match=r"\(n, 3, height, width\) of at least 4×4"):
            model(images)
    with pytest.raises(InputError, match="at least 1 channel"):
        ConvNetwork(ConvSpec((Conv(4),)), 0)
