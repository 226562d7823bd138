"""Residual networks for small images, and weights that others trained."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmgraph.errors import CheckpointError, InputError

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the pixels, as fractions of 255, that published weights expect to be taken off and divided by."""


class CIFARResNet(nn.Module):
    """Three stages of residual blocks without a last layer: images to feature maps of a quarter of their sides.

    h ← relu(norm(conv(x)));  h ← relu(s(h) + norm(conv(relu(norm(conv(h))))))    6n + 2 layers with the last one

    s takes every second row and column and fills up new channels with zeros where a stage begins, and is the identity
    elsewhere. Names of weights are those of the widely copied program of Y. Idelbayev, whose checkpoints can be read.

    Args:
        depth: 6n + 2, such as 20.

    Shapes:
        images (n, 3, height, width): (n, 64, ⌈height / 4⌉, ⌈width / 4⌉).

    Raises:
        InputError: no such depth.

    Source: He et al., "Deep residual learning for image recognition", CVPR 2016, section 4.2, shortcuts A.
    """

    def __init__(self, depth: int = 20) -> None:
        super().__init__()
        if depth < 8 or (depth - 2) % 6:
            raise InputError(f"Expected a depth of 6n + 2, such as 20, 32 or 44, but got {depth}.")
        blocks = (depth - 2) // 6
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)
        self.layer1, self.layer2, self.layer3 = (
            nn.Sequential(_Block(before, filters), *(_Block(filters, filters) for _ in range(blocks - 1)))
            for before, filters in ((16, 16), (16, 32), (32, 64))
        )

    def forward(self, images: Tensor) -> Tensor:
        maps: Tensor = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(images))))))
        return maps

    def read(self, path: Path | str) -> Self:
        """Take weights over from a checkpoint: a dict of tensors, or one under "state_dict"; nothing else is loaded.

        Raises:
            CheckpointError: the file cannot be read, or is of another network.
        """
        try:
            found = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:
            raise CheckpointError(f"'{path}' holds no weights that can be read ({error}).") from error
        weights = found.get("state_dict", found) if isinstance(found, dict) else {}
        own = {
            name.removeprefix("module."): value
            for name, value in weights.items()
            if "linear." not in name and isinstance(value, Tensor)
        }
        try:
            self.load_state_dict(own)
        except RuntimeError as error:
            raise CheckpointError(f"'{path}' is of another network: {str(error)[:300]}") from error
        return self


class _Block(nn.Module):
    def __init__(self, before: int, filters: int) -> None:
        super().__init__()
        stride = 1 if before == filters else 2
        self.conv1 = nn.Conv2d(before, filters, 3, stride, padding=1, bias=False)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(filters), nn.BatchNorm2d(filters)
        self.stride, self.more = stride, (filters - before) // 2

    def forward(self, h: Tensor) -> Tensor:
        kept = F.pad(h[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.more, self.more))
        new: Tensor = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(h)))))
        return F.relu(kept + new)
