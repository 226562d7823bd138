"""From numbers to pixels and back: where the plane lies on the screen, and arrays as images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QImage, QPainter

Positions = npt.NDArray[np.floating[Any]]

SMALLEST_SPAN = 1e-9


@dataclass(frozen=True)
class Viewport:
    """Which part of a plane a picture shows; x to the right, y upwards, both at the same scale.

    Args:
        width, height: of the picture, in pixels.
        scale: pixels per unit of the plane.
        x, y: point of the plane in the middle of the picture.
    """

    width: int
    height: int
    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0

    @classmethod
    def around(cls, positions: Positions, width: int, height: int, margin: float = 0.06) -> Viewport:
        """Show all finite positions, with a margin."""
        low, high = extent(positions)
        span = np.maximum(high - low, SMALLEST_SPAN)
        room = np.maximum(np.array([width, height]) * (1 - 2 * margin), 1)
        scale = float((room / span).min()) if len(positions) else 1.0
        middle = (low + high) / 2
        return cls(width, height, scale, float(middle[0]), float(middle[1]))

    def still_fits(self, positions: Positions) -> bool:
        """Whether the positions lie inside and are not lost in the middle: no need to move the picture."""
        low, high = extent(positions)
        pixels = self.to_pixels(np.stack([low, high]))
        inside = (pixels >= -1).all() and (pixels <= (self.width + 1, self.height + 1)).all()
        share = np.abs(pixels[1] - pixels[0]) / (self.width, self.height)
        return bool(inside and share.max() > 0.55)

    def to_pixels(self, positions: Positions) -> npt.NDArray[np.float64]:
        """(n, 2) points of the plane -> (n, 2) pixels from the top left."""
        pixels = np.empty((len(positions), 2))
        pixels[:, 0] = (positions[:, 0] - self.x) * self.scale + self.width / 2
        pixels[:, 1] = (self.y - positions[:, 1]) * self.scale + self.height / 2
        return pixels

    def to_plane(self, pixels: Positions) -> npt.NDArray[np.float64]:
        """The reverse of `to_pixels`."""
        plane = np.empty((len(pixels), 2))
        plane[:, 0] = (pixels[:, 0] - self.width / 2) / self.scale + self.x
        plane[:, 1] = self.y - (pixels[:, 1] - self.height / 2) / self.scale
        return plane

    @property
    def affine(self) -> tuple[float, float, float, float]:
        """`to_pixels` as numbers: pixel = position · (first, second) + (third, fourth)."""
        across, down = self.width / 2 - self.x * self.scale, self.height / 2 + self.y * self.scale
        return self.scale, -self.scale, across, down

    def zoomed(self, factor: float, x: float, y: float) -> Viewport:
        """Larger by a factor, with what is under the pixel (x, y) staying there."""
        fixed = self.to_plane(np.array([[x, y]]))[0]
        scale = self.scale * factor
        return replace(
            self,
            scale=scale,
            x=float(fixed[0] - (x - self.width / 2) / scale),
            y=float(fixed[1] + (y - self.height / 2) / scale),
        )

    def panned(self, dx: float, dy: float) -> Viewport:
        """Moved with the mouse by so many pixels."""
        return replace(self, x=self.x - dx / self.scale, y=self.y + dy / self.scale)

    def resized(self, width: int, height: int) -> Viewport:
        """The same middle and about the same part of the plane in a picture of another size."""
        factor = min(width / max(self.width, 1), height / max(self.height, 1))
        return replace(self, width=width, height=height, scale=self.scale * max(factor, 1e-3))

    def rectangle_of(self, other: Viewport) -> QRectF:
        """Where a picture drawn for another viewport lies in this one."""
        corners = other.to_plane(np.array([[0.0, 0.0], [other.width, other.height]]))
        (left, top), (right, bottom) = self.to_pixels(corners)
        return QRectF(left, top, right - left, bottom - top)


@dataclass(frozen=True)
class Drawing:
    """Something that can be painted as vectors: `paint(painter)` fills a picture of `size`.

    Args:
        apart: whether it is painted from what does not change, without widgets, so that a worker thread can do it.
    """

    size: QSize
    paint: Callable[[QPainter], None]
    apart: bool = False


def extent(positions: Positions) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Smallest and largest x and y of the finite positions; zero where there are none."""
    x, y = positions[:, 0], positions[:, 1]
    finite = np.isfinite(x) & np.isfinite(
        y
    )  # by columns: along rows of two numbers NumPy is ten times slower
    if not finite.any():
        return np.zeros(2), np.zeros(2)
    x, y = x[finite], y[finite]
    return np.array([x.min(), y.min()], dtype=np.float64), np.array([x.max(), y.max()], dtype=np.float64)


def to_image(array: npt.NDArray[np.uint8], *, opaque: bool = False) -> QImage:
    """A picture with its own copy of the pixels.

    Args:
        opaque: four bytes of a pixel are red, green, blue and one that does not count; it is drawn faster.

    Shapes:
        array (height, width) grey, (height, width, 3) RGB or (height, width, 4) RGBA, not premultiplied.
    """
    array = np.ascontiguousarray(array)
    height, width = array.shape[:2]
    given, kept = {
        2: (QImage.Format.Format_Grayscale8, QImage.Format.Format_Grayscale8),
        3: (QImage.Format.Format_RGB888, QImage.Format.Format_RGB32),
        4: (QImage.Format.Format_RGBA8888, QImage.Format.Format_ARGB32_Premultiplied),
    }[2 if array.ndim == 2 else array.shape[2]]
    if opaque:
        given, kept = QImage.Format.Format_RGBX8888, QImage.Format.Format_RGB32
    # Converted here, mostly in a worker thread: Qt would convert other formats again at every repaint.
    return QImage(array.data, width, height, array.strides[0], given).copy().convertToFormat(kept)


def from_pixels(pixels: npt.NDArray[np.uint32]) -> QImage:
    """A picture of (height, width) 0xAARRGGBB, colours multiplied with alpha, with its own copy of the pixels."""
    height, width = pixels.shape
    return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied).copy()


def colour_parts(colour: str) -> tuple[int, int, int]:
    """(red, green, blue) of "#rrggbb"."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
