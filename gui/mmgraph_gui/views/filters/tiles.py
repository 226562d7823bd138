"""Turns filters and feature maps into one coloured picture, in a worker thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from mmgraph.analysis import TileGrid, scale_tiles, tile
from mmgraph.analysis.tiling import LEVELS, Scaling, tile_levels
from mmgraph.errors import RunDamagedError
from mmgraph.runs import Snapshot, SnapshotInfo
from mmgraph_gui.drawing.raster import to_image
from mmgraph_gui.reading.follower import Job

MOST_TILES = 4_096
SMALLEST_TILE = 24
"""Tiles with fewer pixels are enlarged before they are laid out, so that the gaps between them stay narrow."""
NOT_FINITE = (255, 0, 255)
BLUE, WHITE, RED = (33, 102, 172), (247, 247, 247), (178, 24, 43)


@dataclass(frozen=True)
class Display:
    """How tiles are laid out and coloured.

    Args:
        scaling: how values become colours.
        columns: tiles beside each other; 0 for as many as fit well.
        padding: pixels between tiles.
        saturation: share of the values at each end that is darkest or brightest.
        limits: values of the ends of the colour range, where they are given.
    """

    scaling: Scaling = "each"
    columns: int = 0
    padding: int = 2
    saturation: float = 0.0
    limits: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True, eq=False)
class Tiles:
    """A tiled picture and what each tile is.

    Args:
        names: what each tile is called on screen.
        values: before scaling, for hover and tables.
        grow: pixels of the picture per value, along each side.
        limits: the values that the ends of the colour map stand for, for each tile.
        total: tiles there are; more than `len(names)` where not all are shown.
        item: row of the item set whose feature maps these are; None for filters.
        units: the channel of each tile; of filters the one that it makes.
        dead: whether a channel gives nothing: a filter of zeros, or maps that are nowhere above zero for any item.
        since: the step from which the change is shown; None where values are shown.
    """

    info: SnapshotInfo
    grid: TileGrid
    image: QImage
    names: tuple[str, ...]
    values: npt.NDArray[Any]
    grow: int
    limits: npt.NDArray[np.float64]
    total: int
    item: int | None
    units: npt.NDArray[np.int64]
    dead: npt.NDArray[np.bool_]
    since: int | None = None

    def place(self, index: int, y: int, x: int) -> tuple[int, int]:
        """Row and column inside a tile of a pixel of the picture."""
        top, left = self.grid.corner(index)
        return (y - top) // self.grow, (x - left) // self.grow

    def summary(self, index: int) -> str:
        """Name of a tile with the range of its values."""
        values = self.values[index]
        finite = values[np.isfinite(values)]
        text = self.names[index]
        if len(finite):
            text += f": {finite.min():.4g} to {finite.max():.4g}, mean {finite.mean():.4g}"
        lost = values.size - len(finite)
        text += f", {lost:,} NaN or infinite" if lost else ""
        return f"{text}, dead" if self.dead[index] else text


def diverging_map() -> npt.NDArray[np.uint8]:
    """Blue through white to red, (256, 3): the sign of a weight at a glance, also for colour-blind eyes."""
    at = np.linspace(0, 1, 256)
    ends = np.array([BLUE, WHITE, RED], dtype=float)
    return np.stack([np.interp(at, (0, 0.5, 1), ends[:, channel]) for channel in range(3)], axis=1).astype(
        np.uint8
    )


def make_tiles(
    _job: Job | None,
    snapshots: tuple[Snapshot, ...],
    *,
    info: SnapshotInfo,
    display: Display,
    colours: npt.NDArray[np.uint8],
    gap: tuple[int, int, int],
    mark: tuple[int, int, int],
    item: int | None = None,
    aspect: float = 1.0,
    since: int | None = None,
) -> Tiles:
    """Tile the filters of a snapshot, or the feature maps of one item.

    Args:
        snapshots: what is shown; behind it what it was at first, where the change since then is wanted.
        colours: colour map, (256, 3).
        gap: colour between the tiles.
        mark: colour around dead ones.
        item: row of the item set whose feature maps are wanted; the first recorded one where it has none.
        aspect: width / height of the room there is.
        since: the step of the second snapshot.
    """
    snapshot, array = snapshots[0], snapshots[0].array
    if not array.size:
        raise RunDamagedError(f"'{snapshot.layer}' holds no values: its shape is {array.shape}.")
    dead = _dead(snapshot)
    if since is not None and len(snapshots) > 1 and snapshots[1].array.shape == array.shape:
        array = array.astype(np.float32) - snapshots[1].array
    if snapshot.kind == "feature_maps":
        rows = snapshot.extras.get("rows", np.arange(len(array)))
        place = int(np.flatnonzero(rows == item)[0]) if item is not None and (rows == item).any() else 0
        stack, item = array[place], int(rows[place])
        units = snapshot.extras.get("channels", np.arange(len(stack))).astype(np.int64)
        names = [f"channel {unit}" for unit in units[:MOST_TILES]]
    else:
        known = snapshot.extras.get("out", np.arange(len(array))).astype(np.int64)
        stack, names, places = _filter_stack(array, known, snapshot.extras.get("in"))
        units, dead, item = known[places], dead[places], None
    total, stack = len(stack), stack[:MOST_TILES]
    units, dead = units[:MOST_TILES], dead[:MOST_TILES]
    height, width = stack.shape[1:3]
    columns = max(1, min(round((len(stack) * aspect * (height + 1) / (width + 1)) ** 0.5), len(stack)))
    grow = max(1, round(SMALLEST_TILE / max(height, width)))
    columns = min(display.columns, max(len(stack), 1)) if display.columns else columns
    grid = TileGrid(len(stack), height * grow, width * grow, columns=columns, padding=display.padding)
    if stack.ndim == 4:
        picture, limits = _colour_picture(stack, grid, grow, display.scaling, gap)
    else:
        picture, limits = _level_picture(stack, grid, grow, display, colours, gap)
    _mark_dead(picture, grid, dead, mark)
    return Tiles(
        info,
        grid,
        to_image(picture, opaque=True),
        tuple(names),
        stack,
        grow,
        limits,
        total,
        item,
        units,
        dead,
        since,
    )


def _level_picture(
    stack: npt.NDArray[Any],
    grid: TileGrid,
    grow: int,
    display: Display,
    colours: npt.NDArray[np.uint8],
    gap: tuple[int, int, int],
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """A picture (height, width, 4) by way of one byte per pixel, which is four times less to move about."""
    levels, limits = tile_levels(stack, display.scaling, saturation=display.saturation, limits=display.limits)
    if grow > 1:
        levels = levels.repeat(grow, axis=1).repeat(grow, axis=2)
    table = np.full((256, 4), 255, dtype=np.uint8)
    table[:LEVELS, :3] = colours[np.rint(np.arange(LEVELS) * (255 / (LEVELS - 1))).astype(np.intp)]
    table[LEVELS, :3], table[LEVELS + 1, :3] = NOT_FINITE, gap
    packed: npt.NDArray[np.uint32] = table.view(np.uint32)[:, 0][tile(levels, grid, LEVELS + 1)]
    return packed.view(np.uint8).reshape(*packed.shape, 4), limits


def _colour_picture(
    stack: npt.NDArray[Any], grid: TileGrid, grow: int, scaling: Scaling, gap: tuple[int, int, int]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """A picture of filters of red, green and blue in their own colours."""
    scaled, limits = scale_tiles(stack, scaling)
    pixels = np.full((*stack.shape[:3], 4), 255, dtype=np.uint8)
    pixels[..., :3] = np.rint(np.nan_to_num(scaled) * 255)
    pixels[np.isnan(scaled).any(axis=-1), :3] = NOT_FINITE
    pixels = pixels.repeat(grow, axis=1).repeat(grow, axis=2)
    picture = np.full((*grid.shape, 4), 255, dtype=np.uint8)
    picture[..., :3] = gap
    covered = tile(np.ones(pixels.shape[:3], dtype=bool), grid)
    picture[covered] = tile(pixels, grid)[covered]
    return picture, limits


def _dead(snapshot: Snapshot) -> npt.NDArray[np.bool_]:
    """Which channels give nothing."""
    array = snapshot.array
    if snapshot.kind == "feature_maps":
        return np.asarray(array.max(axis=(0, 2, 3), initial=-np.inf) <= 0)
    return np.asarray(~array.reshape(len(array), -1).any(axis=1))


def _mark_dead(
    picture: npt.NDArray[np.uint8], grid: TileGrid, dead: npt.NDArray[np.bool_], mark: tuple[int, int, int]
) -> None:
    """A frame in the gap around each dead tile."""
    width = min(grid.padding, 2)
    for index in np.flatnonzero(dead) if width else ():
        top, left = grid.corner(int(index))
        bottom, right = top + grid.height, left + grid.width
        picture[top - width : top, left - width : right + width, :3] = mark
        picture[bottom : bottom + width, left - width : right + width, :3] = mark
        picture[top:bottom, left - width : left, :3] = mark
        picture[top:bottom, right : right + width, :3] = mark


def _filter_stack(
    array: npt.NDArray[Any], out: npt.NDArray[np.int64], given: npt.NDArray[Any] | None
) -> tuple[npt.NDArray[Any], list[str], npt.NDArray[np.int64]]:
    """(out, in, …, height, width) -> (tiles, height, width), or (tiles, height, width, 3) for filters of RGB; the name
    of each tile, and which filter it is of."""
    count, channels = array.shape[:2]
    frames = array.shape[2] if array.ndim == 5 else 1
    if channels == 3 and array.ndim == 4:
        names = [f"filter {number} (RGB)" for number in out[:MOST_TILES]]
        return array.transpose(0, 2, 3, 1), names, np.arange(count)
    stack = array.reshape(-1, *array.shape[-2:])
    inputs = np.arange(channels) if given is None else given
    names = []
    for number in range(min(len(stack), MOST_TILES)):
        pair, frame = divmod(number, frames)
        o, i = divmod(pair, channels)
        name = f"filter {out[o]}" if channels == 1 else f"filter {out[o]}, input {inputs[i]}"
        names.append(f"{name}, frame {frame}" if frames > 1 else name)
    return stack, names, np.arange(len(stack)) // (channels * frames)
