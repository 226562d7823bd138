"""Where in an image things are, instead of what they look like."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError


class PlaceEncoder(nn.Module):
    """Images to the places that filters find, a spatial softmax.

    m_f = norm(conv_f(h)),  a_f = softmax over pixels of s · m_f
    y = [Σ_p a_f(p) x(p), Σ_p a_f(p) y(p), log mean_p exp m_f(p)] for every filter f of the last convolution

    A few numbers say where things are, how large and how sure; a network that flattens its maps has to learn the same
    for each place anew. Convolutions before the last are followed by a pooling, which halves height and width.

    Args:
        in_channels: colours of the image.
        channels: filters of each convolution; the last ones look for things.
        kernel_size: odd.
        sharpness: s, how much of the weight is at the largest response to begin with.

    Shapes:
        images (n, in_channels, height, width) of any size: (n, 3 · channels[-1]).

    Units: places from −1 to 1, from the centre of the first pixel to that of the last, x to the right and y down.

    Raises:
        InputError: a number is out of range, or images do not fit or are too small.

    Source: Levine, Finn, Darrell & Abbeel, "End-to-end training of deep visuomotor policies", JMLR 17(39), 2016.
    Differs: batch norm, and how strong the response is as a third number.
    """

    def __init__(
        self,
        in_channels: int = 3,
        channels: Sequence[int] = (4, 8),
        *,
        kernel_size: int = 3,
        sharpness: float = 10.0,
    ) -> None:
        super().__init__()
        if not channels or min(in_channels, *channels) < 1 or sharpness <= 0:
            raise InputError(
                f"Expected at least one convolution, positive sizes and sharpness, but got {in_channels} input "
                f"channels, channels {tuple(channels)} and sharpness {sharpness}."
            )
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise InputError(f"Expected an odd kernel size, but got {kernel_size}.")
        self.in_channels, self.least, self.sharpness = in_channels, 2 ** (len(channels) - 1), sharpness
        self.out_features = 3 * channels[-1]
        self.blocks = nn.Sequential()
        for number, filters in enumerate(channels):
            block: OrderedDict[str, nn.Module] = OrderedDict()
            block["conv"] = nn.Conv2d(in_channels, filters, kernel_size, padding=kernel_size // 2, bias=False)
            block["norm"] = nn.BatchNorm2d(filters)
            if number < len(channels) - 1:
                block["pool"], block["activation"] = nn.MaxPool2d(2), nn.ReLU()
            self.blocks.append(nn.Sequential(block))
            in_channels = filters

    def forward(self, images: Tensor) -> Tensor:
        if images.dim() != 4 or images.size(1) != self.in_channels or min(images.shape[2:]) < self.least:
            raise InputError(
                f"Expected images (n, {self.in_channels}, height, width) of at least {self.least}×{self.least} "
                f"pixels, but got {tuple(images.shape)}."
            )
        maps = self.blocks(images)
        height, width = maps.shape[2:]
        flat = maps.flatten(2)
        weight = (self.sharpness * flat).softmax(2).view_as(maps)
        across = weight.sum(2) @ _places(width, maps)
        down = weight.sum(3) @ _places(height, maps)
        # Of the maps as they are: the softmax is sharp, this mean says how many pixels answer.
        strength = flat.logsumexp(2) - flat.new_tensor(float(flat.size(2))).log()
        return torch.cat([across, down, strength], 1)

    def extra_repr(self) -> str:
        return f"sharpness={self.sharpness:g}"


def _places(count: int, like: Tensor) -> Tensor:
    if count == 1:
        return like.new_zeros(1)
    return torch.linspace(-1, 1, count, dtype=like.dtype, device=like.device)
