"""Turns filters and feature maps into one coloured picture, in a worker thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from mmgraph.analysis import TileGrid, scale_tiles, tile
from mmgraph.analysis.tiling import Scaling
from mmgraph.runs import Snapshot, SnapshotInfo
from mmgraph_gui.follower import Job
from mmgraph_gui.raster import to_image

MOST_TILES = 4_096
SMALLEST_TILE = 24
"""Tiles with fewer pixels are enlarged before they are laid out, so that the gaps between them stay narrow."""
NOT_FINITE = (255, 0, 255)
BLUE, WHITE, RED = (33, 102, 172), (247, 247, 247), (178, 24, 43)


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
        return f"{text}, {lost:,} NaN or infinite" if lost else text


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
    scaling: Scaling,
    colours: npt.NDArray[np.uint8],
    gap: tuple[int, int, int],
    item: int | None = None,
    aspect: float = 1.0,
) -> Tiles:
    """Tile the filters of a snapshot, or the feature maps of one item.

    Args:
        colours: colour map, (256, 3).
        gap: colour between the tiles.
        item: row of the item set whose feature maps are wanted; the first recorded one where it has none.
        aspect: width / height of the room there is.
    """
    snapshot = snapshots[0]
    if snapshot.kind == "feature_maps":
        rows = snapshot.extras.get("rows", np.arange(len(snapshot.array)))
        place = int(np.flatnonzero(rows == item)[0]) if item is not None and (rows == item).any() else 0
        stack, item = snapshot.array[place], int(rows[place])
        names = [f"channel {channel}" for channel in range(min(len(stack), MOST_TILES))]
    else:
        stack, names = _filter_stack(snapshot.array)
        item = None
    total, stack = len(stack), stack[:MOST_TILES]
    height, width = stack.shape[1:3]
    columns = max(1, min(round((len(stack) * aspect * (height + 1) / (width + 1)) ** 0.5), len(stack)))
    scaled, limits = scale_tiles(stack, scaling)
    if stack.ndim == 4:
        pixels = np.rint(np.nan_to_num(scaled) * 255).astype(np.uint8)
        missing = np.isnan(scaled).any(axis=-1)
    else:
        missing = np.isnan(scaled)
        pixels = colours[np.rint(np.nan_to_num(scaled) * 255).astype(np.intp)]
    pixels[missing] = NOT_FINITE
    grow = max(1, round(SMALLEST_TILE / max(height, width)))
    pixels = pixels.repeat(grow, axis=1).repeat(grow, axis=2)
    grid = TileGrid(len(stack), height * grow, width * grow, columns=columns, padding=2)
    picture = np.empty((*grid.shape, 3), dtype=np.uint8)
    picture[:] = gap
    covered = tile(np.ones(pixels.shape[:3], dtype=bool), grid)
    picture[covered] = tile(pixels, grid)[covered]
    return Tiles(info, grid, to_image(picture), tuple(names), stack, grow, limits, total, item)


def _filter_stack(array: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], list[str]]:
    """(out, in, …, height, width) -> (tiles, height, width), or (tiles, height, width, 3) for filters of RGB."""
    out, channels = array.shape[:2]
    frames = array.shape[2] if array.ndim == 5 else 1
    if channels == 3 and array.ndim == 4:
        return array.transpose(0, 2, 3, 1), [f"filter {o} (RGB)" for o in range(min(out, MOST_TILES))]
    stack = array.reshape(-1, *array.shape[-2:])
    names = []
    for number in range(min(len(stack), MOST_TILES)):
        pair, frame = divmod(number, frames)
        o, i = divmod(pair, channels)
        name = f"filter {o}" if channels == 1 else f"filter {o}, input {i}"
        names.append(f"{name}, frame {frame}" if frames > 1 else name)
    return stack, names
