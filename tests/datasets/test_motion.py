from __future__ import annotations

import math

import pytest
import torch

from mmgraph.datasets.motion import frame_differences, optical_flow
from mmgraph.errors import InputError


def pattern(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """A smooth picture that can be looked at anywhere, between 0 and 1."""
    return (
        0.5
        + 0.2 * torch.sin(x / 5 + 0.3 * y / 7)
        + 0.15 * torch.cos(y / 4 - x / 11)
        + 0.1 * torch.sin((x + y) / 3)
    )


def moving(shift: tuple[float, float], size: tuple[int, int] = (48, 64), frames: int = 2) -> torch.Tensor:
    y, x = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in size), indexing="ij")
    return torch.stack([pattern(x - t * shift[0], y - t * shift[1]) for t in range(frames)]).unsqueeze(1)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.5, -0.3), (2.0, 1.0), (-5.0, 3.0), (0.0, 7.0)])
def test_flow_is_how_far_the_picture_moved(shift: tuple[float, float]) -> None:
    flow = optical_flow(moving(shift, frames=3))
    assert flow.shape == (2, 2, 48, 64)
    inside = flow[:, :, 10:-10, 10:-10]
    expected = torch.tensor(shift, dtype=torch.float64).view(1, 2, 1, 1).expand_as(inside)
    assert float((inside - expected).norm(dim=1).median()) < 0.1


def test_flow_of_a_turning_picture() -> None:
    y, x = torch.meshgrid(*(torch.arange(64, dtype=torch.float64) - 31.5 for _ in range(2)), indexing="ij")
    angle = 0.05
    before = pattern(x, y)
    after = pattern(math.cos(angle) * x + math.sin(angle) * y, math.cos(angle) * y - math.sin(angle) * x)
    flow = optical_flow(torch.stack([before, after]).unsqueeze(1))[0]
    expected = torch.stack(
        [(math.cos(angle) - 1) * x - math.sin(angle) * y, math.sin(angle) * x + (math.cos(angle) - 1) * y]
    )
    assert float((flow - expected)[:, 8:-8, 8:-8].norm(dim=0).mean()) < 0.15


def test_each_clip_of_a_batch_alone_and_colours_by_brightness() -> None:
    clips = torch.stack([moving((1.0, 0.0)), moving((0.0, -2.0))])
    both = optical_flow(clips)
    assert both.shape == (2, 1, 2, 48, 64)
    for one, clip in zip(both, clips, strict=True):
        assert torch.allclose(one, optical_flow(clip), atol=1e-9)
    assert torch.allclose(optical_flow(clips.expand(2, 2, 3, 48, 64)), both, atol=1e-9)


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (17, 31)])
def test_small_and_odd_sizes_are_finite(size: tuple[int, int]) -> None:
    clips = torch.rand(3, 1, *size, generator=torch.Generator().manual_seed(0))
    flow = optical_flow(clips)
    assert flow.shape == (2, 2, *size)
    assert bool(torch.isfinite(flow).all())
    assert float(optical_flow(torch.full((2, 1, *size), 0.4)).abs().max()) == 0


def test_differences() -> None:
    clips = torch.rand(4, 5, 3, 6, 7)
    differences = frame_differences(clips)
    assert torch.equal(differences[:, 2], clips[:, 3] - clips[:, 2])
    assert torch.allclose(clips[:, 0] + differences.sum(1), clips[:, 4], atol=1e-6)


def test_bad_requests() -> None:
    for bad in (torch.zeros(1, 3, 8, 8), torch.zeros(3, 8, 8), torch.zeros(2, 3, 8, 8, dtype=torch.uint8)):
        for function in (frame_differences, optical_flow):
            with pytest.raises(InputError, match="at least two frames"):
                function(bad)
    clips = torch.zeros(2, 2, 8, 8)
    with pytest.raises(InputError, match="1 or 3 channels"):
        optical_flow(clips)
    for bad_option in ({"window": 0.0}, {"iterations": 0}, {"regularisation": 0.0}):
        with pytest.raises(InputError, match="positive"):
            optical_flow(clips[:, :1], **bad_option)
