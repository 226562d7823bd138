"""One linear map per layer of a network, and the sum of what they say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise

import torch
from torch import Tensor, nn

from mmgraph.graph.arguments import check_channels, check_count, check_share


class LayerwiseLinear(nn.Linear):
    """Every layer gives scores of its own, some of which are dropped in training; their sum counts.

    y = Σₗ dropout(Wₗ hˡ) + b

    Args:
        channels: of each layer.
        out_channels: scores per row.
        dropout: probability with which a score of one layer is dropped in training.

    Shapes:
        [h⁰, h¹, …] side by side, (n, Σ channels): (n, out_channels).

    Raises:
        InputError: there is no layer, or a number is out of range.

    Source: Xu, Hu, Leskovec and Jegelka, How Powerful are Graph Neural Networks?, ICLR 2019, and its code.
    Differs: one bias, which is never dropped, in place of one for every layer.
    """

    def __init__(self, channels: Sequence[int], out_channels: int, *, dropout: float = 0.0) -> None:
        check_count("layer", len(channels))
        check_channels(min(channels), out_channels)
        check_share("a dropout", dropout)
        self.channels = tuple(channels)
        super().__init__(sum(channels), out_channels)
        self.dropout = dropout
        layer_of = torch.repeat_interleave(torch.arange(len(channels)), torch.tensor(channels))
        own = torch.arange(len(channels)).unsqueeze(1) == layer_of
        self.own: Tensor
        self.register_buffer("own", own.float().repeat_interleave(out_channels, dim=0), persistent=False)

    def reset_parameters(self) -> None:
        """Uniform on ± 1 / √channels, for each layer on its own."""
        with torch.no_grad():
            for start, end in pairwise(accumulate(self.channels, initial=0)):
                bound = 1 / math.sqrt(end - start)
                self.weight[:, start:end].uniform_(-bound, bound)
            self.bias.uniform_(-1 / math.sqrt(self.in_features), 1 / math.sqrt(self.in_features))

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or self.dropout == 0:
            return super().forward(input)
        # One product for all layers: each has its rows of a matrix that is zero where other layers are.
        weight = self.own * self.weight.repeat(len(self.channels), 1)
        scores = nn.functional.dropout(input @ weight.T, self.dropout)
        return scores.view(len(input), len(self.channels), self.out_features).sum(1) + self.bias

    def extra_repr(self) -> str:
        return f"{list(self.channels)}, {self.out_features}, dropout={self.dropout}"
