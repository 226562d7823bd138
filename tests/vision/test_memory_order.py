from __future__ import annotations

import pytest
import torch
from torch import nn

from mmgraph.vision import channels_innermost


@pytest.mark.parametrize("channels", [1, 3])
def test_the_same_images_whose_channels_lie_together_through_a_convolution(channels: int) -> None:
    images = torch.randn(4, channels, 6, 7)[1:]
    ordered = channels_innermost(images)
    assert torch.equal(ordered, images)
    assert ordered.stride(1) == 1
    convolution = nn.Conv2d(channels, 5, 3)
    found = convolution(ordered)
    torch.testing.assert_close(found, convolution(images))
    assert found.stride(1) == 1
    assert torch.equal(channels_innermost(ordered), images)


def test_other_shapes_are_left_alone() -> None:
    vectors = torch.zeros(3, 4)
    assert channels_innermost(vectors) is vectors
    assert channels_innermost(torch.zeros(0, 1, 5, 5)).shape == (0, 1, 5, 5)
