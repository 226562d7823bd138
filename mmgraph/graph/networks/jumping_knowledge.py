"""What all layers of a network saw, joined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.graph.arguments import check_channels, check_count, check_name

Joining = Literal["cat", "max", "lstm"]


class JumpingKnowledge(nn.Module):
    """Joins what the layers made of each node, so that each node may look as far as suits it.

    cat: [h¹, …, hᴸ];  max: maxₗ hˡ, each channel on its own;  lstm: Σₗ sₗ hˡ, s = softmaxₗ(w · BiLSTM(h¹, …, hᴸ)ₗ + c)

    Args:
        mode: "cat", "max" or "lstm".
        channels: of every layer.
        num_layers: L.

    Shapes:
        L × (num_nodes, channels): (num_nodes, out_channels), where `out_channels` is L · channels for "cat", else
        channels.

    Raises:
        InputError: other layers than these, or fewer than 2 of the L · channels numbers that "lstm" halves.
        UnknownNameError: there is no such mode.

    Source: Xu, Li, Tian, Sonobe, Kawarabayashi and Jegelka, Representation Learning on Graphs with Jumping
    Knowledge Networks, ICML 2018.
    """

    def __init__(self, mode: Joining, channels: int, num_layers: int) -> None:
        super().__init__()
        check_name("way to join layers", mode, get_args(Joining))
        check_channels(channels, channels)
        check_count("layer", num_layers)
        self.mode = mode
        self.channels = channels
        self.num_layers = num_layers
        self.out_channels = num_layers * channels if mode == "cat" else channels
        if mode == "lstm":
            width = num_layers * channels // 2
            check_count("channel in each direction of the LSTM", width)
            self.lstm = nn.LSTM(channels, width, bidirectional=True, batch_first=True)
            self.score = nn.Linear(2 * width, 1)

    def forward(self, layers: Sequence[Tensor]) -> Tensor:
        shapes = {tuple(h.shape) for h in layers}
        if len(layers) != self.num_layers or any(len(s) != 2 or s[1] != self.channels for s in shapes):
            raise InputError(
                f"Expected {self.num_layers} layers (num_nodes, {self.channels}), but got {len(layers)} of "
                f"{', '.join(map(str, sorted(shapes)))}."
            )
        if len(shapes) > 1:
            raise InputError(f"Expected layers of the same nodes, but got {sorted(shapes)}.")
        if self.mode == "cat":
            return torch.cat(list(layers), dim=1)
        stacked = torch.stack(list(layers), dim=1)
        if self.mode == "max":
            return stacked.amax(dim=1)
        if len(stacked) == 0:
            return stacked.sum(1)
        seen, _ = self.lstm(stacked)
        return (stacked * torch.softmax(self.score(seen), dim=1)).sum(1)

    def extra_repr(self) -> str:
        return f"{self.mode!r}, channels={self.channels}, num_layers={self.num_layers}"
