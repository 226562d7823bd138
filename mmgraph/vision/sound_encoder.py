"""Sounds as pictures, for a small convolutional network."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn

from mmgraph.datasets.log_mel import LogMel
from mmgraph.errors import InputError


class SoundEncoder(nn.Module):
    """Sounds of any length to feature vectors, by convolutions over their log-mel pictures.

    h = blocks(norm(M));  per moment:  y_t = W [h_{1,t}; …; h_{bands,t}] + b;  y = mean_t y_t

    Which pitch something has counts, when it is heard does not. Every pooling halves bands and moments, rounded up.

    Args:
        mel: makes the pictures M.
        channels: filters of each block.
        out_features: features per sound.
        kernel_size: of the convolutions, odd.
        dropout: probability with which a feature is dropped before the last layer in training.

    Shapes:
        sounds (n, samples): (n, out_features); `steps` (n, moments, out_features).

    Raises:
        InputError: a number is out of range, or sounds do not fit.
    """

    def __init__(
        self,
        mel: LogMel,
        channels: Sequence[int] = (8, 16, 32),
        out_features: int = 64,
        *,
        kernel_size: int = 3,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not channels or min(out_features, *channels) < 1 or not 0 <= dropout <= 1:
            raise InputError(
                f"Expected at least one block, positive sizes and a dropout from 0 to 1, but got channels "
                f"{tuple(channels)}, {out_features} features and dropout {dropout}."
            )
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise InputError(f"Expected an odd kernel size, but got {kernel_size}.")
        self.mel, self.norm = mel, nn.BatchNorm2d(1)
        self.blocks = nn.Sequential()
        before, bands = 1, mel.bands
        for filters in channels:
            block: OrderedDict[str, nn.Module] = OrderedDict()
            block["conv"] = nn.Conv2d(before, filters, kernel_size, padding=kernel_size // 2, bias=False)
            block["norm"] = nn.BatchNorm2d(filters)
            # Rounded up, so that the shortest sound has a moment left.
            block["pool"] = nn.MaxPool2d(2, ceil_mode=True)
            block["activation"] = nn.ReLU()
            self.blocks.append(nn.Sequential(block))
            before, bands = filters, -(-bands // 2)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(before * bands, out_features)

    def steps(self, sounds: Tensor) -> Tensor:
        """Features of each moment that pooling has left; their mean are those of the sound."""
        if sounds.dim() != 2:
            raise InputError(f"Expected sounds (n, samples), but got {tuple(sounds.shape)}.")
        maps = self.blocks(self.norm(self.mel(sounds)))
        features: Tensor = self.output(self.dropout(maps.flatten(1, 2).transpose(1, 2)))
        return features

    def forward(self, sounds: Tensor) -> Tensor:
        return self.steps(sounds).mean(1)
