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
    """Turns, scales, stretches, shears, shifts, mirrors and recolours every image of a batch by numbers of its own.

        p ↦ s · (1 −h; 0 1) · R(φ) · diag(± a, b) · p + t      about the centre, bilinear, edges repeated
        v ↦ g_c · (v − v̄) + v̄ + b_c             per colour c

    with φ even in ±rotation, log s in ±log(1 + scale), log a and log b in ±log(1 + stretch), h in ±shear, t in ±shift
    of each side, the mirror of probability `flip`, and g_c − 1, b_c normal with standard
    deviation `colour`. Parameters of zero leave that part out.

    Args:
        rotation: largest turn.
        scale: largest change of size, as a share.
        stretch: largest change of width and of height, each on its own, as a share.
        shear: largest shear.
        shift: largest shift, as a share of width and height.
        flip: probability of left and right changing places.
        colour: of contrast and brightness, in units of the pixels.
        quarter_turns: turns by a random multiple of 90° first, which mixes no pixels; for square images of what has no
            up and down.

    Shapes:
        images (n, channels, height, width) of any floating type: the same.

    Units: rotation in degrees.

    Raises:
        ConfigError: a number out of range.
        InputError: something else than a batch of images, or quarter turns of images that are not square.
    """

    rotation: float = 0.0
    scale: float = 0.0
    flip: float = 0.0
    colour: float = 0.0
    stretch: float = 0.0
    shear: float = 0.0
    shift: float = 0.0
    quarter_turns: bool = False

    def __post_init__(self) -> None:
        if not (0 <= self.rotation <= 180 and 0 <= self.scale < math.inf and 0 <= self.flip <= 1):
            raise ConfigError(
                f"Expected a rotation from 0 to 180, a scale of at least 0 and a flip from 0 to 1, but got "
                f"{self.rotation}, {self.scale} and {self.flip}."
            )
        for name in ("colour", "stretch", "shear", "shift"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ConfigError(f"Expected {name} of at least 0, but got {getattr(self, name)}.")

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
        warp = 2 * torch.rand(5, n, generator=generator) - 1
        if self.quarter_turns:
            images = _quarter_turned(images, torch.randint(4, (n,), generator=generator))
        moves = self.rotation, self.scale, self.stretch, self.shear, self.shift
        if n and any(moves):
            images = self._moved(images, 2 * turn - 1, 2 * size - 1, mirror < self.flip, warp)
        elif n and self.flip:
            images = torch.where(
                (mirror < self.flip).to(images.device).view(-1, 1, 1, 1), images.flip(3), images
            )
        if n and self.colour:
            mean = images.mean((2, 3), keepdim=True)
            contrast, brightness = (1 + self.colour * gain).to(images), (self.colour * shift).to(images)
            images = contrast * (images - mean) + mean + brightness
        return images

    def _moved(self, images: Tensor, turn: Tensor, size: Tensor, mirrored: Tensor, warp: Tensor) -> Tensor:
        angle = math.radians(self.rotation) * turn
        zoom = torch.exp(-math.log1p(self.scale) * size)
        across = zoom * torch.exp(-math.log1p(self.stretch) * warp[0]) * torch.where(mirrored, -1.0, 1.0)
        down = zoom * torch.exp(-math.log1p(self.stretch) * warp[1])
        lean = self.shear * warp[2]
        cosine, sine = angle.cos(), angle.sin()
        height, width = images.shape[2:]
        # affine_grid measures each axis from −1 to 1, so a turn of pixels needs the aspect of the image.
        aspect = height / width
        rows = torch.stack(
            [
                torch.stack([across * cosine, across * (lean * cosine - sine) * aspect], 1),
                torch.stack([down * sine / aspect, down * (lean * sine + cosine)], 1),
            ],
            dim=1,
        )
        shift = -2 * self.shift * warp[3:].T.unsqueeze(2)
        theta = torch.cat([rows, shift], dim=2).to(images)
        grid = F.affine_grid(theta, list(images.shape), align_corners=False)
        return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _quarter_turned(images: Tensor, turns: Tensor) -> Tensor:
    if images.size(2) != images.size(3):
        raise InputError(f"Expected square images to turn by 90°, but got {tuple(images.shape)}.")
    turned = images.clone()
    for count in (1, 2, 3):
        rows = torch.nonzero(turns == count).flatten().to(images.device)
        turned[rows] = torch.rot90(images[rows], count, (2, 3))
    return turned
