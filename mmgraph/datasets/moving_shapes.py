"""Generated clips of moving shapes with sound, whose class is in the motion and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from mmgraph.datasets.clip_collection import ClipCollection
from mmgraph.errors import InputError

CLASSES = ("right", "left", "up", "down", "clockwise", "counter-clockwise", "growing", "shrinking")
FRAME_RATE = 25
SMALLEST, LARGEST = 0.10, 0.24
"""Radius of a shape; the picture has side 1."""
CHUNK = 64

Array = npt.NDArray[np.float64]


def moving_shapes(
    clips: int = 1200, *, frames: int = 16, size: int = 32, sample_rate: int = 4000, seed: int = 0
) -> ClipCollection:
    """A circle, square or triangle that moves in one of eight ways before a still background.

    The picture is a torus: what leaves it on one side comes in on the other. At any moment place, size, shape and
    colours of all classes have the same distribution (uniform), so a single frame says nothing about the class.
    The sound is a tone: the higher the shape the higher its pitch, the larger the louder. It tells up, down, growing
    and shrinking apart, but neither left from right nor clockwise from counter-clockwise.

    Args:
        clips: how many; the classes take turns.
        frames: of a clip, 25 in a second; 16 of them are about one turn.
        size: height and width of the pictures.
        sample_rate: of the sound.
        seed: of all that is random.

    Shapes:
        clips (clips, frames, 3, size, size) uint8, sounds (clips, frames · sample_rate / 25) float32.

    Raises:
        InputError: a number too small.
    """
    if clips < 0 or frames < 1 or size < 8 or sample_rate < FRAME_RATE:
        raise InputError(
            f"Expected at least 0 clips of 1 frame of 8 × 8 pixels and {FRAME_RATE} samples per second, but got "
            f"{clips}, {frames}, {size} and {sample_rate}."
        )
    generator = np.random.default_rng(seed)
    labels = np.arange(clips) % len(CLASSES)
    pictures = np.empty((clips, frames, 3, size, size), np.uint8)
    sounds = np.empty((clips, frames * sample_rate // FRAME_RATE), np.float32)
    for rows in _chunks(clips):
        shapes = _Shapes.drawn(labels[rows], generator)
        pictures[rows] = _pictures(shapes, frames, size, generator)
        sounds[rows] = _sounds(shapes, sounds.shape[1], sample_rate)
    return ClipCollection(
        "moving-shapes",
        torch.from_numpy(pictures),
        torch.from_numpy(labels.astype(np.int64)),
        CLASSES,
        torch.from_numpy(sounds),
        sample_rate,
    )


@dataclass(frozen=True)
class _Shapes:
    """What moves in some clips, and how; one row each."""

    labels: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    place: Array
    angle: Array
    pace: Array
    orbit: Array
    radius: Array

    @classmethod
    def drawn(cls, labels: npt.NDArray[np.int64], generator: np.random.Generator) -> _Shapes:
        count = len(labels)
        return cls(
            labels,
            generator.integers(3, size=count),
            generator.random((count, 2)),
            generator.random(count) * 2 * np.pi,
            generator.uniform(0.8, 1.25, count),
            generator.uniform(0.15, 0.25, count),
            generator.random(count),
        )

    def at(self, moments: Array) -> tuple[Array, Array, Array]:
        """Horizontal place, vertical place (downwards) and radius at moments counted in frames, (rows, moments)."""
        way = self.pace[:, None] * moments
        x, y = (np.repeat(self.place[:, axis, None], len(moments), 1) for axis in (0, 1))
        kinds = self.labels[:, None]
        x = x + np.select([kinds == 0, kinds == 1], [way / 20, -way / 20], 0)
        y = y + np.select([kinds == 3, kinds == 2], [way / 20, -way / 20], 0)
        turn = np.where(kinds == 4, 1, -1) * way * 2 * np.pi / 16 + self.angle[:, None]
        turning = (kinds == 4) | (kinds == 5)
        x = x + turning * self.orbit[:, None] * np.cos(turn)
        y = y + turning * self.orbit[:, None] * np.sin(turn)
        share = self.radius[:, None] + np.select([kinds == 6, kinds == 7], [way / 24, -way / 24], 0)
        return x % 1, y % 1, SMALLEST + (LARGEST - SMALLEST) * (share % 1)


def _pictures(
    shapes: _Shapes, frames: int, size: int, generator: np.random.Generator
) -> npt.NDArray[np.uint8]:
    count = len(shapes.labels)
    x, y, radius = (value[:, :, None, None] for value in shapes.at(np.arange(frames, dtype=np.float64)))
    pixel = (np.arange(size) + 0.5) / size
    across = (pixel - x + 0.5) % 1 - 0.5
    down = (pixel[:, None] - y + 0.5) % 1 - 0.5
    kind = shapes.kind[:, None, None, None]
    outside = np.select(
        [kind == 0, kind == 1],
        [np.hypot(across, down) - radius, np.maximum(np.abs(across), np.abs(down)) - 0.85 * radius],
        np.maximum(0.866 * np.abs(across) - 0.5 * down, down) - 0.6 * radius,
    )
    ink = np.clip(0.5 - outside * size, 0, 1)[:, :, None]
    coarse = generator.uniform(0, 90, (count, 1, 3, 4, 4))
    ground = coarse.repeat(-(-size // 4), 3).repeat(-(-size // 4), 4)[..., :size, :size]
    colour = generator.uniform(130, 255, (count, 1, 3, 1, 1))
    noise = generator.normal(0, 4, (count, frames, 1, size, size))
    return np.clip(ground + ink * (colour - ground) + noise, 0, 255).astype(np.uint8)


def _sounds(shapes: _Shapes, samples: int, sample_rate: int) -> npt.NDArray[np.float32]:
    _, y, radius = shapes.at(np.arange(samples, dtype=np.float64) * FRAME_RATE / sample_rate)
    pitch = 250 * 2 ** (2 * (1 - y))
    phase = 2 * np.pi * np.cumsum(pitch, 1) / sample_rate
    return (np.sin(phase) * radius / LARGEST).astype(np.float32)


def _chunks(count: int) -> Iterator[slice]:
    for start in range(0, count, CHUNK):
        yield slice(start, min(start + CHUNK, count))
