"""Sound as a picture: how loud each band of pitch is at each moment."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError


class LogMel(nn.Module):
    """The logarithm of the energy in bands that are equally wide to the ear.

    S = |STFT(x)|²;   M = ln(W S + ε);   bands are triangles over mel(f) = 2595 log₁₀(1 + f / 700)

    A Hann window moves over the sound, which is padded with silence at both ends. It is a picture (1, bands, moments)
    per sound, ready for a convolutional network such as `mmgraph.vision.ConvEncoder`.

    Args:
        sample_rate: of the sound.
        bands: of pitch.
        window_seconds: length of the window.
        hop_seconds: from one window to the next.
        lowest, highest: pitch of the lower end of the first band and the upper end of the last; half the sample rate
            by default.
        floor: ε, the energy below which all is silence.

    Shapes:
        sound (samples,) or (n, samples): (1, bands, moments) or (n, 1, bands, moments), moments = 1 + samples // hop.

    Units: sample_rate in 1/s, lowest and highest in Hz.

    Raises:
        InputError: a number out of range, bands too narrow for the window, or sound of another shape or type.

    Source: Davis & Mermelstein, "Comparison of parametric representations", IEEE TASSP 1980; the mel scale of
    O'Shaughnessy, 1987.
    """

    def __init__(
        self,
        sample_rate: int,
        bands: int = 40,
        *,
        window_seconds: float = 0.025,
        hop_seconds: float = 0.010,
        lowest: float = 20.0,
        highest: float | None = None,
        floor: float = 1e-6,
    ) -> None:
        super().__init__()
        highest = sample_rate / 2 if highest is None else highest
        window, self.hop = round(window_seconds * sample_rate), round(hop_seconds * sample_rate)
        if (
            min(sample_rate, bands, self.hop) < 1
            or window < 2
            or floor <= 0
            or not 0 <= lowest < highest <= sample_rate / 2
        ):
            raise InputError(
                f"Expected a positive sample rate, number of bands, hop and floor, a window of at least two samples, "
                f"and pitches from 0 to {sample_rate / 2} Hz, but got {sample_rate}, {bands}, {self.hop}, {floor}, "
                f"{window} and {lowest} to {highest} Hz."
            )
        self.sample_rate, self.bands, self.floor = sample_rate, bands, floor
        # Twice the window, padded with zeros: narrow low bands would otherwise fall between two frequencies.
        self.length = 1 << math.ceil(math.log2(2 * window))
        weights = mel_bands(sample_rate, self.length // 2 + 1, bands, lowest, highest)
        if bool((weights.sum(1) == 0).any()):
            raise InputError(
                f"Expected bands that each hold a frequency, but {bands} bands from {lowest} to {highest} Hz are "
                f"narrower than the {sample_rate / self.length:.1f} Hz between two: use fewer bands or a longer window."
            )
        self.register_buffer("weights", weights, persistent=False)
        self.register_buffer("window", torch.hann_window(window), persistent=False)
        self.weights: Tensor
        self.window: Tensor

    def forward(self, sound: Tensor) -> Tensor:
        if sound.dim() not in (1, 2) or sound.size(-1) < 1 or not sound.is_floating_point():
            raise InputError(
                f"Expected sound (samples,) or (n, samples) of at least one sample and floating-point numbers, but got "
                f"{tuple(sound.shape)} of {sound.dtype}."
            )
        if sound.size(0) == 0:
            return sound.new_zeros(0, 1, self.bands, 1 + sound.size(1) // self.hop)
        spectrum = torch.stft(
            sound,
            self.length,
            self.hop,
            win_length=len(self.window),
            window=self.window,
            center=True,
            pad_mode="constant",
            return_complex=True,
        )
        energy = spectrum.real.square() + spectrum.imag.square()
        return torch.log(self.weights @ energy + self.floor).unsqueeze(-3)

    def extra_repr(self) -> str:
        return f"{self.sample_rate}, bands={self.bands}"


def mel_bands(sample_rate: int, frequencies: int, bands: int, lowest: float, highest: float) -> Tensor:
    """Triangles of height 1 that overlap half and half on the mel scale.

    Shapes:
        (bands, frequencies).
    """
    centres = torch.linspace(0, sample_rate / 2, frequencies, dtype=torch.float64)
    ends = torch.linspace(_mel(lowest), _mel(highest), bands + 2, dtype=torch.float64)
    edges = 700 * (10 ** (ends / 2595) - 1)
    width = edges.diff().unsqueeze(1)
    rising = (centres - edges[:-2].unsqueeze(1)) / width[:-1]
    falling = (edges[2:].unsqueeze(1) - centres) / width[1:]
    return torch.minimum(rising, falling).clamp_min(0).float()


def _mel(frequency: float) -> float:
    return 2595 * math.log10(1 + frequency / 700)
