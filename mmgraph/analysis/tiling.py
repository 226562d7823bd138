"""Many small pictures as one: filters and feature maps on a grid."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mmgraph.errors import InputError

Scaling = Literal["each", "joint", "symmetric"]


@dataclass(frozen=True)
class TileGrid:
    """Where each of `count` tiles of one size lies in the picture, row by row.

    Args:
        count: number of tiles.
        height, width: of one tile, in pixels.
        columns: tiles beside each other; by default as many as make the picture about square.
        padding: pixels between tiles and around them.
    """

    count: int
    height: int
    width: int
    columns: int = 0
    padding: int = 1

    def __post_init__(self) -> None:
        if self.count < 0 or self.height < 1 or self.width < 1 or self.columns < 0 or self.padding < 0:
            raise InputError(f"A grid of tiles needs sizes of at least one pixel, not {self}.")
        if self.columns == 0:
            ratio = (self.height + self.padding) / (self.width + self.padding)
            columns = max(1, math.ceil(math.sqrt(self.count * ratio)))
            object.__setattr__(self, "columns", min(columns, max(self.count, 1)))

    @property
    def rows(self) -> int:
        """Tiles below each other."""
        return -(-self.count // self.columns)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the whole picture."""
        return (
            self.rows * (self.height + self.padding) + self.padding,
            self.columns * (self.width + self.padding) + self.padding,
        )

    def corner(self, index: int) -> tuple[int, int]:
        """Row and column of the top left pixel of a tile."""
        if not 0 <= index < self.count:
            raise InputError(f"There are tiles 0 to {self.count - 1}, no tile {index}.")
        row, column = divmod(index, self.columns)
        return (
            self.padding + row * (self.height + self.padding),
            self.padding + column * (self.width + self.padding),
        )

    def at(self, y: float, x: float) -> int | None:
        """The tile under a pixel, or None between tiles and outside."""
        row, inside_y = divmod(math.floor(y) - self.padding, self.height + self.padding)
        column, inside_x = divmod(math.floor(x) - self.padding, self.width + self.padding)
        index = row * self.columns + column
        hit = (
            row >= 0
            and 0 <= column < self.columns
            and index < self.count
            and inside_y < self.height
            and inside_x < self.width
        )
        return index if hit else None


def tile(stack: npt.NDArray[Any], grid: TileGrid, fill: float = 0) -> npt.NDArray[Any]:
    """Lay pictures out on a grid.

    Shapes:
        stack (count, height, width) or (count, height, width, channels)
        -> (*grid.shape) or (*grid.shape, channels), of the type of the stack, `fill` between the tiles.

    Raises:
        InputError: the stack does not fit the grid.
    """
    if stack.shape[:3] != (grid.count, grid.height, grid.width) or stack.ndim not in (3, 4):
        raise InputError(
            f"The grid has {grid.count} tiles of {grid.height} × {grid.width} pixels, "
            f"but the stack has shape {stack.shape}."
        )
    channels = stack.shape[3:]
    cells = np.full((grid.rows * grid.columns, *stack.shape[1:]), fill, dtype=stack.dtype)
    cells[: grid.count] = stack
    padded = np.full(
        (grid.rows, grid.columns, grid.height + grid.padding, grid.width + grid.padding, *channels),
        fill,
        dtype=stack.dtype,
    )
    padded[:, :, : grid.height, : grid.width] = cells.reshape(grid.rows, grid.columns, *stack.shape[1:])
    picture = np.full((*grid.shape, *channels), fill, dtype=stack.dtype)
    picture[grid.padding :, grid.padding :] = padded.swapaxes(1, 2).reshape(
        grid.shape[0] - grid.padding, grid.shape[1] - grid.padding, *channels
    )
    return picture


def scale_tiles(
    stack: npt.NDArray[Any], scaling: Scaling = "each"
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Values as brightness from 0 to 1, and the values that 0 and 1 stand for.

    each        low, high = smallest and largest value of each tile: shows the structure of weak tiles
    joint       … of all tiles: strong tiles are seen to be stronger
    symmetric   low = −high, high = largest magnitude of all tiles: zero is 0.5, for a diverging colour map

    NaN and infinity take no part in the limits and become NaN, to be drawn as marks. Where all values
    are equal they become 0.5.

    Shapes:
        stack (count, …) -> (count, …) float32, limits (count, 2); limits of a tile without finite
        values are NaN.
    """
    if scaling not in ("each", "joint", "symmetric"):
        raise InputError(f"Scaling is 'each', 'joint' or 'symmetric', not '{scaling}'.")
    count = len(stack)
    flat = np.asarray(stack, dtype=np.float64).reshape(count, math.prod(stack.shape[1:]))
    finite = np.isfinite(flat)
    low = np.where(finite, flat, np.inf).min(axis=1, initial=np.inf)
    high = np.where(finite, flat, -np.inf).max(axis=1, initial=-np.inf)
    if scaling != "each" and count:
        low, high = np.full(count, low.min()), np.full(count, high.max())
    if scaling == "symmetric":
        high = np.maximum(np.abs(low), np.abs(high))
        low = -high
    empty = ~(np.isfinite(low) & np.isfinite(high))
    low, high = np.where(empty, np.nan, low), np.where(empty, np.nan, high)
    half = high / 2 - low / 2  # halves, so that the span of extreme values does not overflow
    span = np.where(half > 0, half, 1)[:, None]
    middle = (high / 2 + low / 2)[:, None]
    scaled = np.where(finite, np.clip((np.where(finite, flat, 0) - middle) / span / 2 + 0.5, 0, 1), np.nan)
    return scaled.reshape(stack.shape).astype(np.float32), np.stack([low, high], axis=1)


LEVELS = 254
"""Steps of brightness of `tile_levels`, from 0 to LEVELS − 1."""


def tile_levels(
    stack: npt.NDArray[Any],
    scaling: Scaling = "each",
    *,
    saturation: float = 0.0,
    limits: tuple[float | None, float | None] = (None, None),
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """Values as steps of brightness, for pictures that are drawn again and again.

    As `scale_tiles`, with ends that can be moved: a share `saturation` of the values at each end is darkest or
    brightest, and a limit that is given counts instead of the smallest or largest value. NaN and infinity become
    LEVELS.

    Args:
        saturation: from 0 to below 0.5.

    Shapes:
        stack (count, height, width): (count, height, width), limits (count, 2).

    Raises:
        InputError: no such scaling, saturation out of range, or limits that are not in order.
    """
    if scaling not in ("each", "joint", "symmetric"):
        raise InputError(f"Scaling is 'each', 'joint' or 'symmetric', not '{scaling}'.")
    if not 0 <= saturation < 0.5:
        raise InputError(f"Saturation is a share from 0 to below 0.5, not {saturation}.")
    if limits[0] is not None and limits[1] is not None and not limits[0] < limits[1]:
        raise InputError(f"The lower limit lies below the upper one, not {limits[0]:g} and {limits[1]:g}.")
    count = len(stack)
    flat = np.asarray(stack, dtype=np.float32).reshape(count, math.prod(stack.shape[1:]))
    low, high = _ends(flat, scaling, saturation)
    if scaling == "symmetric" and limits == (None, None):
        high = np.maximum(np.abs(low), np.abs(high))
        low = -high
    low = low if limits[0] is None else np.full(count, limits[0])
    high = high if limits[1] is None else np.full(count, limits[1])
    span = np.where(high > low, high - low, 1)
    factor = ((LEVELS - 1) / span).astype(np.float32)[:, None]
    # Where all values are equal they lie in the middle, as zero does.
    shift = np.where(high > low, low, low - 0.5).astype(np.float32)[:, None]
    scaled = (flat - shift) * factor
    np.clip(scaled, 0, LEVELS - 1, out=scaled)
    finite = np.isfinite(flat)
    if finite.all():
        levels = (scaled + 0.5).astype(np.uint8)
    else:
        levels = np.where(finite, np.nan_to_num(scaled) + 0.5, LEVELS).astype(np.uint8)
    return levels.reshape(stack.shape), np.stack([low, high], axis=1).astype(np.float64)


def _ends(
    flat: npt.NDArray[np.float32], scaling: Scaling, saturation: float
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """What counts as smallest and largest for each tile."""
    count = len(flat)
    if not flat.size:
        return np.full(count, np.nan), np.full(count, np.nan)
    groups = flat if scaling == "each" else flat.reshape(1, -1)
    low, high = groups.min(axis=1), groups.max(axis=1)
    if saturation or not (np.isfinite(low).all() and np.isfinite(high).all()):
        known = np.where(np.isfinite(groups), groups, np.nan)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of tiles that have no finite value
            low, high = np.nanquantile(known, [saturation, 1 - saturation], axis=1)
    return np.broadcast_to(low, count).astype(np.float64), np.broadcast_to(high, count).astype(np.float64)
