"""What is in the frames, and in which order: image features through a recurrent network."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.vision.clips import check_clips

Read = Literal["last", "every", "attention"]


class FrameLSTM(nn.Module):
    """An image network for each frame, and a bidirectional LSTM over what it gives.

    v_t = f(x_t), or with changes v_t = f(x_t) − f(x_{t−1}), v_1 = 0
    →h_t = LSTM(v_t, →h_{t−1});  ←h_t = LSTM(v_t, ←h_{t+1});  y_t = W [→h_t, ←h_t] + b
    "every": y = mean_t y_t;  "last": y = W [→h_T, ←h_1] + b, where each direction has seen the whole clip
    "attention": y = Σ_t α_t y_t,  α = softmax_t vᵀ tanh(U [→h_t, ←h_t] + u)

    Args:
        network: images (n, channels, height, width) → vectors (n, in_features).
        in_features: what it gives.
        hidden: of each direction.
        out_features: features per clip.
        read: "last", "every" or "attention".
        channels: of a frame.
        changes: it reads how features change from frame to frame. Of places (`PlaceEncoder`) that is velocity, which is
            the same wherever something moves.

    Shapes:
        clips (n, t, channels, height, width): (n, out_features); `steps` (n, t, out_features); `attention` (n, t).

    Raises:
        InputError: a number below one, or clips that do not fit.
        UnknownNameError: there is no such way to read.

    Source: Donahue et al., "Long-term recurrent convolutional networks", CVPR 2015; attention: Yang et al.,
    "Hierarchical attention networks for document classification", NAACL 2016, here of frames.
    """

    def __init__(
        self,
        network: nn.Module,
        in_features: int,
        hidden: int = 64,
        out_features: int = 64,
        *,
        read: Read = "last",
        channels: int = 3,
        changes: bool = False,
    ) -> None:
        super().__init__()
        if min(in_features, hidden, out_features, channels) < 1:
            raise InputError(
                f"Expected positive sizes, but got {in_features}, {hidden}, {out_features} and {channels}."
            )
        if read not in get_args(Read):
            raise UnknownNameError.of("way to read an LSTM", read, get_args(Read))
        self.network = network
        self.lstm = nn.LSTM(in_features, hidden, batch_first=True, bidirectional=True)
        self.output = nn.Linear(2 * hidden, out_features)
        self.attends: nn.Module | None = None
        if read == "attention":
            self.attends = nn.Sequential(
                nn.Linear(2 * hidden, hidden), nn.Tanh(), nn.Linear(hidden, 1, bias=False)
            )
        self.read, self.channels, self.changes = read, channels, changes

    def states(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        """Both directions at each frame (n, t, 2 · hidden), and where each of them ends (n, 2 · hidden)."""
        check_clips(clips, self.channels)
        features = self.network(clips.flatten(0, 1)).unflatten(0, clips.shape[:2])
        if self.changes:
            features = features - torch.cat([features[:, :1], features[:, :-1]], 1)
        states, (last, _) = self.lstm(features)
        return states, torch.cat([last[0], last[1]], 1)

    def steps(self, clips: Tensor) -> Tensor:
        """Features of each frame, in the light of those before and after it."""
        features: Tensor = self.output(self.states(clips)[0])
        return features

    def attention(self, clips: Tensor) -> Tensor:
        """α: how much of each frame is in the vector of a clip.

        Raises:
            InputError: it reads in another way.
        """
        return self._weights(self.states(clips)[0])

    def forward(self, clips: Tensor) -> Tensor:
        states, last = self.states(clips)
        if self.attends is not None:
            weighed: Tensor = self.output((self._weights(states).unsqueeze(2) * states).sum(1))
            return weighed
        features: Tensor = self.output(states).mean(1) if self.read == "every" else self.output(last)
        return features

    def _weights(self, states: Tensor) -> Tensor:
        if self.attends is None:
            raise InputError(f"Expected a network that reads by attention, but it reads '{self.read}'.")
        weights: Tensor = self.attends(states).squeeze(2).softmax(1)
        return weights

    def extra_repr(self) -> str:
        return f"read={self.read!r}, changes={self.changes}"
