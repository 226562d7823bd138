"""Convolutions over time and space at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.vision.clips import check_clips
from mmgraph.vision.convnet import ACTIVATIONS


class Conv3dEncoder(nn.Module):
    """Clips to feature vectors by 3-D convolutions.

    per block:  h ← pool(σ(norm(conv₃(h))));  per moment:  y_t = W mean_{height, width} h_t + b;  y = mean_t y_t

    The first pooling halves height and width alone, the later ones time as well while there is any. Clips of any length
    and size fit.

    Args:
        in_channels: colours of a frame.
        channels: filters of each block.
        out_features: features per clip.
        kernel_size: in time, height and width; odd.
        activation: "relu", "elu", "leaky_relu", "gelu" or "tanh".
        batch_norm: normalise over the batch before the activation.
        dropout: probability with which a feature is dropped before the last layer in training.

    Shapes:
        clips (n, t, in_channels, height, width): (n, out_features); `steps` (n, moments, out_features).

    Raises:
        InputError: a number is out of range, or clips do not fit or are too small.
        UnknownNameError: there is no such activation.

    Source: Tran et al., "Learning spatiotemporal features with 3D convolutional networks", ICCV 2015.
    Differs: averages over place and time at the end, so that clips need not be of one size.
    """

    def __init__(
        self,
        in_channels: int = 3,
        channels: Sequence[int] = (16, 32, 64),
        out_features: int = 64,
        *,
        kernel_size: int = 3,
        activation: str = "relu",
        batch_norm: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not channels or min(in_channels, out_features, *channels) < 1 or not 0 <= dropout <= 1:
            raise InputError(
                f"Expected at least one block, positive sizes and a dropout from 0 to 1, but got {in_channels} input "
                f"channels, channels {tuple(channels)}, {out_features} features and dropout {dropout}."
            )
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise InputError(f"Expected an odd kernel size, but got {kernel_size}.")
        if activation not in ACTIVATIONS:
            raise UnknownNameError.of("activation", activation, ACTIVATIONS)
        self.in_channels, self.least = in_channels, 2 ** len(channels)
        self.blocks = nn.Sequential()
        for number, filters in enumerate(channels):
            block: OrderedDict[str, nn.Module] = OrderedDict()
            block["conv"] = nn.Conv3d(
                in_channels, filters, kernel_size, padding=kernel_size // 2, bias=not batch_norm
            )
            if batch_norm:
                block["norm"] = nn.BatchNorm3d(filters)
            block["activation"] = ACTIVATIONS[activation]()
            # Rounded up in time, so that one moment is always left.
            block["pool"] = nn.MaxPool3d((1 if number == 0 else 2, 2, 2), ceil_mode=True)
            self.blocks.append(nn.Sequential(block))
            in_channels = filters
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(in_channels, out_features)

    def steps(self, clips: Tensor) -> Tensor:
        """Features of each moment that pooling has left; their mean are those of the clip."""
        check_clips(clips, self.in_channels, least_size=self.least)
        maps = self.blocks(clips.transpose(1, 2)).mean((3, 4)).transpose(1, 2)
        features: Tensor = self.output(self.dropout(maps))
        return features

    def forward(self, clips: Tensor) -> Tensor:
        return self.steps(clips).mean(1)
