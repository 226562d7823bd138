"""Generated pictures of coloured shapes, with sentences that say what is where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mmgraph.datasets.captioned_images import Box, CaptionedImages, Mention
from mmgraph.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

Grid = npt.NDArray[np.float64]

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 39, 40),
    "green": (44, 160, 44),
    "blue": (31, 90, 200),
    "yellow": (230, 200, 30),
    "purple": (148, 60, 190),
    "white": (240, 240, 240),
}
SHAPES: dict[str, Callable[[Grid, Grid], npt.NDArray[np.bool_]]] = {
    "circle": lambda y, x: x**2 + y**2 <= 1,
    "square": lambda y, x: np.maximum(np.abs(x), np.abs(y)) <= 0.88,
    "triangle": lambda y, x: (y <= 0.85) & (np.abs(x) <= (y + 1) / 1.85),
    "cross": lambda y, x: np.minimum(np.abs(x), np.abs(y)) <= 0.33,
}
"""Whether a point belongs to the shape, −1 … 1 in both directions (y downwards)."""
RADII = {"small": (0.085, 0.105), "large": (0.15, 0.18)}
"""Smallest and largest radius, as a share of the side of the picture."""
OPPOSITE = {"above": "below", "below": "above", "left of": "right of", "right of": "left of"}


@dataclass(frozen=True)
class _Thing:
    size: str
    colour: str
    shape: str
    y: float
    x: float
    radius: float

    @property
    def name(self) -> tuple[str, ...]:
        return self.size, self.colour, self.shape

    @property
    def box(self) -> Box:
        return (self.y - self.radius, self.x - self.radius, self.y + self.radius, self.x + self.radius)


def generate_scenes(count: int, *, side: int = 48, seed: int = 0, lone: float = 0.2) -> CaptionedImages:
    """Pictures of one or two shapes on a dark, noisy ground.

    A lone shape has one sentence ("a small red circle"), two shapes have two that say the same ("a small red circle
    above a large blue cross", "a large blue cross below a small red circle"). The relation is that of the axis along
    which the shapes are farther apart, by at least a seventh of the side. Every picture is a function of the seed and
    its number alone, so a larger set begins with the smaller one.

    Args:
        count: pictures.
        side: height and width.
        seed: of all that is drawn by lot.
        lone: share of the pictures with a single shape.

    Returns:
        Pictures whose mentions say where each named shape lies.

    Raises:
        InputError: `count` is negative, the side is below 24, or the share is not one.
    """
    import torch

    if count < 0 or side < 24 or not 0 <= lone <= 1:
        raise InputError(
            f"Expected a count from 0, a side from 24 and a share from 0 to 1, not {count}, {side} and {lone}."
        )
    images = np.empty((count, 3, side, side), np.uint8)
    captions: list[tuple[str, ...]] = []
    mentions: list[tuple[tuple[Mention, ...], ...]] = []
    for number in range(count):
        generator = np.random.default_rng((seed, number))
        things = _things(generator, lone)
        images[number] = _draw(things, side, generator)
        sentences, named = zip(*_sentences(things), strict=True)
        captions.append(sentences)
        mentions.append(named)
    return CaptionedImages("scenes", torch.from_numpy(images), tuple(captions), mentions=tuple(mentions))


def _things(generator: np.random.Generator, lone: float) -> list[_Thing]:
    """One or two shapes that do not touch, different in more than their place."""
    count = 1 if generator.random() < lone else 2
    while True:
        things = []
        for _ in range(count):
            size = str(generator.choice(list(RADII)))
            radius = float(generator.uniform(*RADII[size]))
            y, x = generator.uniform(radius + 0.02, 0.98 - radius, 2).tolist()
            colour, shape = str(generator.choice(list(COLOURS))), str(generator.choice(list(SHAPES)))
            things.append(_Thing(size, colour, shape, y, x, radius))
        if count == 1:
            return things
        one, other = things
        apart = sorted((abs(one.y - other.y), abs(one.x - other.x)))
        touching = apart[1] < one.radius + other.radius + 0.02
        if one.name != other.name and not touching and apart[1] - apart[0] >= 1 / 7:
            return things


def _draw(things: list[_Thing], side: int, generator: np.random.Generator) -> npt.NDArray[np.uint8]:
    """(3, side, side): shapes over noise, smooth at their borders."""
    fine = 3
    ticks = (np.arange(side * fine) + 0.5) / (side * fine)
    picture = np.full((3, side, side), 40.0)
    for thing in things:
        rows, columns = (
            slice(max(0, int((middle - thing.radius) * side)), int((middle + thing.radius) * side) + 1)
            for middle in (thing.y, thing.x)
        )
        y, x = (
            (ticks[part.start * fine : part.stop * fine] - middle)
            for part, middle in ((rows, thing.y), (columns, thing.x))
        )
        y, x = y[:, None], x[None, :]
        inside = SHAPES[thing.shape](y / thing.radius, x / thing.radius)
        inside &= np.maximum(np.abs(y), np.abs(x)) <= thing.radius
        cover = inside.reshape(len(y) // fine, fine, x.size // fine, fine).mean(axis=(1, 3))
        part = picture[:, rows, columns]
        part += cover * (np.array(COLOURS[thing.colour], float)[:, None, None] - part)
    picture += generator.normal(0, 8, picture.shape)
    drawn: npt.NDArray[np.uint8] = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    return drawn


def _sentences(things: list[_Thing]) -> list[tuple[str, tuple[Mention, ...]]]:
    """Every right sentence, and which of its words names a shape that lies where."""
    if len(things) == 1:
        (thing,) = things
        return [(" ".join(("a", *thing.name)), ((3, thing.box),))]
    one, other = things
    if abs(one.y - other.y) > abs(one.x - other.x):
        relation = "above" if one.y < other.y else "below"
    else:
        relation = "left of" if one.x < other.x else "right of"
    found: list[tuple[str, tuple[Mention, ...]]] = []
    for first, words, second in ((one, relation, other), (other, OPPOSITE[relation], one)):
        sentence = " ".join(("a", *first.name, words, "a", *second.name))
        last = len(sentence.split()) - 1
        found.append((sentence, ((3, first.box), (last, second.box))))
    return found
