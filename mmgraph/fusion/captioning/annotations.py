"""Annotation vectors: what a convolutional network sees at each place of an image."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError


class Annotations(nn.Module):
    """Images as L vectors, one per place of the last feature map.

    aᵢ = W fᵢ + pᵢ        i = 1 … L, row by row

    fᵢ are the channels of the network's output at place i, pᵢ a vector that says where that is: learned, from sines and
    cosines of row and column on.

    Args:
        network: images to feature maps.
        example: an image (1, channels, height, width), to find out what the network makes of it.
        features: numbers D per annotation vector.

    Shapes:
        images (n, channels, height, width): (n, L, D) with L = `grid[0]` · `grid[1]`.

    Raises:
        InputError: the network does not give feature maps, or of another size than for the example.

    Source: Xu et al., "Show, Attend and Tell", ICML 2015, section 3.1.1. Differs: W and p, with which a shallow network
    can say where a thing is.
    """

    def __init__(self, network: nn.Module, example: Tensor, features: int = 128) -> None:
        super().__init__()
        if features < 1:
            raise InputError(f"Expected at least one feature per annotation vector, but got {features}.")
        training = network.training
        network.eval()
        with torch.no_grad():
            maps = network(example)
        network.train(training)
        if maps.dim() != 4:
            raise InputError(
                f"Expected a network that gives feature maps (n, channels, height, width), but it gives "
                f"{tuple(maps.shape)}."
            )
        self.network = network
        self.grid: tuple[int, int] = (maps.size(2), maps.size(3))
        self.features = features
        self.project = nn.Linear(maps.size(1), features)
        self.place = nn.Parameter(places(*self.grid, features))

    def forward(self, images: Tensor) -> Tensor:
        maps = self.network(images)
        if maps.shape[2:] != self.grid:
            raise InputError(
                f"Expected images of one size, with feature maps of {self.grid[0]}×{self.grid[1]}, but got "
                f"{maps.size(2)}×{maps.size(3)}."
            )
        annotations: Tensor = self.project(maps.flatten(2).transpose(1, 2)) + self.place
        return annotations


def places(rows: int, columns: int, features: int) -> Tensor:
    """Waves along the rows and along the columns, so that places near each other have like vectors.

    p = [sin ωₖ y, cos ωₖ y, sin ωₖ x, cos ωₖ x]ₖ with y and x from 0 to 1 and ωₖ from 1 to 8 half-turns

    Shapes:
        (rows · columns, features).
    """
    waves = -(-features // 4)
    frequencies = torch.pi * 8 ** torch.linspace(0, 1, waves)
    y = (torch.arange(rows) + 0.5).div(rows).repeat_interleave(columns)
    x = (torch.arange(columns) + 0.5).div(columns).repeat(rows)
    angles = torch.stack([y, x], dim=1).unsqueeze(2) * frequencies
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)[:, :features]
