"""Random changes of images that leave alone what they show, for a whole batch at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from mmgraph.errors import ConfigError, InputError


@dataclass(frozen=True)
class Augmentation:
    """Turns, scales, mirrors and recolours every image of a batch by numbers of its own.

        p ↦ s · R(φ) · diag(±1, 1) · p          about the centre, bilinear, edges repeated
        v ↦ g_c · (v − v̄) + v̄ + b_c             per colour c

    with φ even in ±rotation, log s even in ±log(1 + scale), the mirror of probability `flip`, and g_c − 1, b_c normal
    with standard deviation `colour`. Parameters of zero leave that part out.

    Args:
        rotation: largest turn.
        scale: largest change of size, as a share.
        flip: probability of left and right changing places.
        colour: of contrast and brightness, in units of the pixels.

    Shapes:
        images (n, channels, height, width) of any floating type: the same.

    Units: rotation in degrees.

    Raises:
        ConfigError: a number out of range.
        InputError: something else than a batch of images.
    """

    rotation: float = 0.0
    scale: float = 0.0
    flip: float = 0.0
    colour: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.rotation <= 180 and 0 <= self.scale < math.inf and 0 <= self.flip <= 1):
            raise ConfigError(
                f"Expected a rotation from 0 to 180, a scale of at least 0 and a flip from 0 to 1, but got "
                f"{self.rotation}, {self.scale} and {self.flip}."
            )
        if not 0 <= self.colour < math.inf:
            raise ConfigError(f"Expected colour noise of at least 0, but got {self.colour}.")

    def __call__(self, images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Changed copies of images.

        Args:
            generator: of the CPU; one of seed 0 by default.
        """
        if images.dim() != 4 or not images.is_floating_point():
            raise InputError(
                f"Expected floating images (n, channels, height, width), but got {images.dtype} {tuple(images.shape)}."
            )
        if generator is None:
            generator = torch.Generator().manual_seed(0)
        n = len(images)
        # All numbers are drawn whatever is left out, so that one change of an option changes nothing else.
        turn, size, mirror = torch.rand(3, n, generator=generator)
        gain, shift = torch.randn(2, n, images.size(1), 1, 1, generator=generator)
        if n and (self.rotation or self.scale or self.flip):
            images = self._moved(images, 2 * turn - 1, 2 * size - 1, mirror < self.flip)
        if n and self.colour:
            mean = images.mean((2, 3), keepdim=True)
            contrast, brightness = (1 + self.colour * gain).to(images), (self.colour * shift).to(images)
            images = contrast * (images - mean) + mean + brightness
        return images

    def _moved(self, images: Tensor, turn: Tensor, size: Tensor, mirrored: Tensor) -> Tensor:
        angle = math.radians(self.rotation) * turn
        zoom = torch.exp(-math.log1p(self.scale) * size)
        sign = torch.where(mirrored, -1.0, 1.0)
        if not (self.rotation or self.scale):
            return torch.where(mirrored.to(images.device).view(-1, 1, 1, 1), images.flip(3), images)
        height, width = images.shape[2:]
        # affine_grid measures each axis from −1 to 1, so a turn of pixels needs the aspect of the image.
        aspect = height / width
        rows = torch.stack(
            [
                torch.stack([sign * zoom * angle.cos(), -sign * zoom * angle.sin() * aspect], 1),
                torch.stack([zoom * angle.sin() / aspect, zoom * angle.cos()], 1),
            ],
            dim=1,
        )
        theta = torch.cat([rows, torch.zeros(len(images), 2, 1)], dim=2).to(images)
        grid = F.affine_grid(theta, list(images.shape), align_corners=False)
        return F.grid_sample(images, grid, padding_mode="border", align_corners=False)
