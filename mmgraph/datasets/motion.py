"""What moves between the frames of a clip: differences, or optical flow."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mmgraph.errors import InputError

LUMINANCE = (0.299, 0.587, 0.114)
SMALLEST = 8
"""Height and width of the coarsest pictures that flow is looked for in."""


def frame_differences(clips: Tensor) -> Tensor:
    """Each frame minus the one before it.

    Shapes:
        clips (…, t, channels, height, width): (…, t − 1, channels, height, width).

    Raises:
        InputError: fewer than two frames, or no floating-point numbers.
    """
    _check(clips)
    return clips[..., 1:, :, :, :] - clips[..., :-1, :, :, :]


def optical_flow(
    clips: Tensor, *, window: float = 2.0, iterations: int = 3, regularisation: float = 1e-3
) -> Tensor:
    """How far each pixel moves until the next frame, by pyramidal Lucas-Kanade.

    At each level, coarsest first, with u what is known so far and the second frame moved back by it:
        (G ∗ ∇I ∇Iᵀ + λ·1) v = −G ∗ (∇I (I₂(x + u) − I₁(x)));   u ← u + v
    G is a Gaussian window, so a pixel answers for its neighbourhood. Where a picture has no structure λ keeps it still.

    Args:
        clips: brightness 0 to 1; colours are averaged as the eye does.
        window: standard deviation of the Gaussian.
        iterations: at each level.
        regularisation: λ, in squared brightness per pixel; larger stands stiller.

    Shapes:
        clips (…, t, channels, height, width), 1 or 3 channels: (…, t − 1, 2, height, width), x to the right and y down.

    Units: pixels per frame.

    Raises:
        InputError: fewer than two frames, another number of channels, or a number out of range.

    Source: Lucas & Kanade, "An iterative image registration technique", IJCAI 1981; Bouguet, "Pyramidal implementation
    of the Lucas Kanade feature tracker", Intel 2001.
    Differs: dense, and regularised instead of leaving out pixels without structure.
    """
    _check(clips)
    if clips.size(-3) not in (1, 3):
        raise InputError(f"Expected frames of 1 or 3 channels, but got {clips.size(-3)}.")
    if window <= 0 or iterations < 1 or regularisation <= 0:
        raise InputError(
            f"Expected a positive window and regularisation and at least one iteration, but got {window}, "
            f"{regularisation} and {iterations}."
        )
    grey = clips
    if clips.size(-3) == 3:
        grey = (clips * clips.new_tensor(LUMINANCE).view(3, 1, 1)).sum(-3, keepdim=True)
    first = grey[..., :-1, :, :, :].flatten(0, -4)
    second = grey[..., 1:, :, :, :].flatten(0, -4)
    pyramid = [(first, second)]
    while min(pyramid[-1][0].shape[-2:]) >= 2 * SMALLEST:
        finer, finer_next = pyramid[-1]
        pyramid.append((F.avg_pool2d(finer, 2), F.avg_pool2d(finer_next, 2)))
    flow = first.new_zeros(len(first), 2, *pyramid[-1][0].shape[-2:])
    for before, after in reversed(pyramid):
        if flow.shape[-2:] != before.shape[-2:]:
            size = before.shape[-2:]
            grown = flow.new_tensor([size[1] / flow.size(-1), size[0] / flow.size(-2)]).view(2, 1, 1)
            flow = F.interpolate(flow, size, mode="bilinear", align_corners=False) * grown
        flow = _refined(flow, before, after, window, iterations, regularisation)
    return flow.reshape(*grey.shape[:-4], grey.size(-4) - 1, 2, *grey.shape[-2:])


def _refined(
    flow: Tensor, first: Tensor, second: Tensor, window: float, iterations: int, regularisation: float
) -> Tensor:
    """Gauss-Newton steps at one level of the pyramid."""
    dx, dy = _gradient(first)
    xx = _blurred(dx * dx, window) + regularisation
    yy = _blurred(dy * dy, window) + regularisation
    xy = _blurred(dx * dy, window)
    determinant = xx * yy - xy * xy
    for _ in range(iterations):
        change = _moved_back(second, flow) - first
        x, y = _blurred(dx * change, window), _blurred(dy * change, window)
        step = torch.cat([xy * y - yy * x, xy * x - xx * y], 1) / determinant
        # The linear model holds for about a pixel; farther motion is the business of coarser levels.
        flow = flow + step.clamp(-1, 1)
    return flow


def _gradient(images: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences to the right and down; at the border of pixels repeated there."""
    padded = F.pad(images, (1, 1, 1, 1), mode="replicate")
    dx = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    dy = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    return dx, dy


def _blurred(images: Tensor, deviation: float) -> Tensor:
    """A Gaussian along both axes."""
    reach = min(max(1, round(2.5 * deviation)), min(images.shape[-2:]) - 1)
    place = torch.arange(-reach, reach + 1, dtype=images.dtype, device=images.device)
    kernel = torch.exp(-0.5 * (place / deviation) ** 2)
    kernel = kernel / kernel.sum()
    padded = F.pad(images, (reach, reach, reach, reach), mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))


def _moved_back(images: Tensor, flow: Tensor) -> Tensor:
    """images(x + flow(x)), between pixels by straight lines."""
    height, width = images.shape[-2:]
    y = torch.arange(height, dtype=flow.dtype, device=flow.device).view(-1, 1) + flow[:, 1]
    x = torch.arange(width, dtype=flow.dtype, device=flow.device) + flow[:, 0]
    grid = torch.stack([2 * x / max(width - 1, 1) - 1, 2 * y / max(height - 1, 1) - 1], -1)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=True)


def _check(clips: Tensor) -> None:
    if clips.dim() < 4 or clips.size(-4) < 2 or not clips.is_floating_point():
        raise InputError(
            f"Expected clips (…, t, channels, height, width) of at least two frames and floating-point numbers, but "
            f"got {tuple(clips.shape)} of {clips.dtype}."
        )
