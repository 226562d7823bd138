from __future__ import annotations

import pytest
import torch
from torch import nn

import mmgraph.vision
from mmgraph.errors import InputError, UnknownNameError
from mmgraph.vision import LeNet


def test_the_paper_s_sizes_have_its_number_of_weights():
    model = LeNet(image_size=32, channels=(6, 16))
    # 6·(25+1) + 16·(6·25+1) + 120·(400+1) + 84·(120+1) + 10·(84+1)
    assert sum(p.numel() for p in model.parameters()) == 156 + 2416 + 48120 + 10164 + 850


@pytest.mark.parametrize("image_size", [28, 32])
@pytest.mark.parametrize("in_channels", [1, 3])
def test_output_is_the_formula(image_size, in_channels):
    torch.manual_seed(0)
    model = LeNet(in_channels, 7, image_size, activation="tanh", pooling="average", dropout=0.5).eval()
    images = torch.randn(2, in_channels, image_size, image_size)
    padded = nn.functional.pad(images, [(32 - image_size) // 2] * 4)
    h = nn.functional.conv2d(padded, model.conv1.weight, model.conv1.bias).tanh()
    h = model.conv2(nn.functional.avg_pool2d(h, 2)).tanh()
    h = nn.functional.avg_pool2d(h, 2).flatten(1)
    h = model.fc2(model.fc1(h).tanh()).tanh()
    torch.testing.assert_close(model.embed(images), h)
    torch.testing.assert_close(model(images), model.output(h))


def test_layers_have_readable_names_and_all_learn():
    model = LeNet()
    assert [n for n, m in model.named_children() if list(m.parameters())] == [
        "conv1",
        "conv2",
        "fc1",
        "fc2",
        "output",
    ]
    model(torch.rand(3, 1, 28, 28)).square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters())


def test_empty_batch():
    assert LeNet()(torch.empty(0, 1, 28, 28)).shape == (0, 10)


def test_dropout_acts_in_training_only():
    model = LeNet(dropout=1.0)
    a, b = torch.rand(2, 1, 1, 28, 28)
    assert torch.equal(model(a), model(b))
    assert not torch.equal(model.eval()(a), model(b))


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="28 or 32, but got 64"):
        LeNet(image_size=64)
    with pytest.raises(InputError, match="positive sizes"):
        LeNet(channels=(0, 3))
    with pytest.raises(InputError, match="dropout from 0 to 1"):
        LeNet(dropout=2)
    with pytest.raises(UnknownNameError, match="activation 'sigmoid'"):
        LeNet(activation="sigmoid")
    with pytest.raises(UnknownNameError, match="pooling 'min'"):
        LeNet(pooling="min")
    with pytest.raises(InputError, match=r"images \(n, 1, 28, 28\), but got \(2, 28, 28\)"):
        LeNet()(torch.ones(2, 28, 28))
    with pytest.raises(InputError, match=r"\(n, 1, 28, 28\), but got \(2, 3, 28, 28\)"):
        LeNet()(torch.ones(2, 3, 28, 28))


def test_every_public_name_is_there():
    for name in mmgraph.vision.__all__:
        assert hasattr(mmgraph.vision, name), name
    assert set(mmgraph.vision.__all__) <= set(dir(mmgraph.vision))
    name = "AlexNet"
    with pytest.raises(AttributeError, match=f"no attribute '{name}'"):
        getattr(mmgraph.vision, name)
