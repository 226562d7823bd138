"""Sequences with a class each: recorded gestures, and curves that are drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mmgraph.errors import DatasetCorruptError, InputError

GESTURE_STEPS = 16
CURVES = ("clockwise", "counter-clockwise", "line", "zigzag", "spiral", "eight")


@dataclass(frozen=True)
class SequenceDataset:
    """Sequences, padded with zeros to one length, with a class each.

    Shapes:
        sequences (n, time, channels) float32, lengths (n,) int64, labels (n,) int64.
    """

    name: str
    sequences: Tensor
    lengths: Tensor
    labels: Tensor
    class_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)


def read_gestures(path: Path, name: str, class_names: tuple[str, ...]) -> SequenceDataset:
    """Tracks of a fingertip: rows of a class and 16 points relative to the first.

    Units: fractions of the width and height of the picture.

    Raises:
        DatasetCorruptError: a row has another form.
    """
    labels, points = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        entries = line.split(",")
        try:
            label, track = int(entries[0]), [float(entry) for entry in entries[1:]]
        except ValueError as error:
            raise DatasetCorruptError(f"{path}: row {number} is not of numbers ({error}).") from error
        if len(track) != 2 * GESTURE_STEPS or not 0 <= label < len(class_names):
            raise DatasetCorruptError(
                f"{path}: row {number} has class {label} and {len(track)} coordinates; expected a class from 0 to "
                f"{len(class_names) - 1} and {2 * GESTURE_STEPS} coordinates."
            )
        if not all(map(math.isfinite, track)):
            raise DatasetCorruptError(f"{path}: row {number} has a coordinate that is not finite.")
        labels.append(label)
        points.append(track)
    if not labels:
        raise DatasetCorruptError(f"{path} has no rows.")
    sequences = torch.tensor(points).reshape(-1, GESTURE_STEPS, 2)
    return SequenceDataset(
        name, sequences, torch.full((len(labels),), GESTURE_STEPS), torch.tensor(labels), class_names
    )


def draw_curves(count: int, *, shortest: int = 16, longest: int = 40, seed: int = 0) -> SequenceDataset:
    """Curves of six kinds as a shaky hand draws them: any place on the curve first, any size, any direction.

    Classes take turns. Points are relative to the first; a curve has a speed of its own, so lengths differ.

    Args:
        count: how many.
        shortest, longest: fewest and most points.
        seed: of what is drawn.

    Raises:
        InputError: no curve is asked for, or the numbers of points are out of range.
    """
    if count < 1 or not 4 <= shortest <= longest:
        raise InputError(
            f"Expected at least one curve of at least 4 points, but got {count} of {shortest} to {longest} points."
        )
    generator = torch.Generator().manual_seed(seed)

    def draw(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(count, *shape, generator=generator)

    lengths = torch.randint(shortest, longest + 1, (count,), generator=generator)
    labels = torch.arange(count) % len(CURVES)
    place = torch.arange(longest) / (lengths[:, None] - 1)
    turn = 2 * math.pi * (place * draw(0.9, 1.6, 1) + draw(0, 1, 1))
    across = place * draw(0.8, 1.6, 1)
    waves = draw(2.5, 4.0, 1) * place + draw(0, 1, 1)
    triangle = 0.3 * (4 * (waves % 1 - 0.5).abs() - 1)
    radius = 0.25 + place
    curves = torch.stack(
        [
            torch.stack([turn.cos(), -turn.sin()], dim=2),
            torch.stack([turn.cos(), turn.sin()], dim=2),
            torch.stack([across, torch.zeros_like(across)], dim=2),
            torch.stack([across, triangle], dim=2),
            torch.stack([radius * (2 * turn).cos(), radius * (2 * turn).sin()], dim=2) * 0.7,
            torch.stack([turn.sin(), (2 * turn).sin() * 0.6], dim=2),
        ]
    )
    points = curves[labels, torch.arange(count)]
    angle = draw(0, 2 * math.pi, 1)
    turned = torch.stack(
        [
            angle.cos() * points[..., 0] - angle.sin() * points[..., 1],
            angle.sin() * points[..., 0] + angle.cos() * points[..., 1],
        ],
        dim=2,
    )
    shaken = turned * draw(0.5, 1.0, 1, 1) + 0.03 * torch.randn(turned.shape, generator=generator)
    relative = shaken - shaken[:, :1]
    beyond = torch.arange(longest) >= lengths[:, None]
    return SequenceDataset("curves", relative.masked_fill(beyond[:, :, None], 0.0), lengths, labels, CURVES)
