"""Arrays as PNG pictures inside the page."""

from __future__ import annotations

import base64
import io
import math
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from mmgraph.analysis.tiling import TileGrid, scale_tiles, tile
from mmgraph.report.between import Between, nobody_asks
from mmgraph.report.colours import diverging
from mmgraph.report.markup import Markup, element
from mmgraph.runs import RunReader, Snapshot, SnapshotInfo

Bytes = npt.NDArray[np.uint8]

MOST_TILES = 144
_WIDTH, _GAP = 520, 4


def data_uri(picture: Image.Image | Bytes) -> str:
    """A picture as the address of itself: grey (h, w), RGB (h, w, 3) or RGBA (h, w, 4) uint8."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(np.ascontiguousarray(picture))
    stream = io.BytesIO()
    image.save(stream, "PNG")  # optimize takes five times as long, for one hundredth of the bytes
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def filters(reader: RunReader, between: Between = nobody_asks) -> list[Markup]:
    """The first convolution before and after training, and the last convolution after."""
    recorded = [info for info in reader.snapshots(kind="filters") if 0 not in info.shape]
    if not recorded:
        return []
    layers = list(dict.fromkeys(info.layer for info in recorded))
    of = {layer: [info for info in recorded if info.layer == layer] for layer in layers}
    chosen = list(dict.fromkeys([of[layers[0]][0], of[layers[0]][-1], of[layers[-1]][-1]]))
    figures = []
    for info in chosen:
        between()
        figures.append(_filters(reader.load(info), info))
    return figures


def _filters(snapshot: Snapshot, info: SnapshotInfo) -> Markup:
    weights, notes = snapshot.array, []
    if weights.ndim == 5:
        middle = weights.shape[2] // 2
        weights = weights[:, :, middle]
        notes.append(f"time slice {middle + 1} of {snapshot.array.shape[2]}")
    coloured = weights.shape[1] == 3
    stack = weights.transpose(0, 2, 3, 1) if coloured else weights.reshape(-1, *weights.shape[2:])
    if len(stack) > MOST_TILES:
        notes.append(f"{MOST_TILES} of {len(stack):,} shown")
        stack = stack[:MOST_TILES]
    scaled, limits = scale_tiles(stack, "symmetric")
    pixels = np.rint(np.nan_to_num(scaled, nan=0.5) * 255).astype(np.uint8) if coloured else diverging(scaled)
    about = min(len(stack), math.ceil(math.sqrt(2.5 * len(stack))))
    even = (columns for columns in (about, about + 1, about - 1, about + 2) if columns > 0)
    columns = next((columns for columns in even if len(stack) % columns == 0), about)
    factor = max(1, min(14, (_WIDTH // columns - _GAP) // stack.shape[2]))
    large = pixels.repeat(factor, axis=1).repeat(factor, axis=2)
    opaque = np.concatenate([large, np.full((*large.shape[:3], 1), 255, np.uint8)], axis=3)
    grid = TileGrid(len(stack), large.shape[1], large.shape[2], columns=columns, padding=_GAP)
    picture = tile(opaque, grid)
    count = f"{weights.shape[0]:,} × {weights.shape[1]:,} filters of {weights.shape[2]} × {weights.shape[3]}"
    bad = int((~np.isfinite(stack)).sum())
    if bad:
        notes.append(f"{bad:,} weights are not finite (grey)")
    strongest = limits[0, 1] if len(limits) else float("nan")
    notes.append(
        "as colours" if coloured else f"blue is −{strongest:.2g}, orange +{strongest:.2g}, near white 0"
    )
    return element(
        "figure",
        element("h3", info.layer, element("small", f" step {info.step:,}")),
        element(
            "img",
            src=data_uri(picture),
            width=picture.shape[1],
            height=picture.shape[0],
            alt=f"{count} of layer {info.layer} at step {info.step:,}, drawn as a grid of small pictures",
            class_="pixels",
        ),
        element("figcaption", "; ".join([count, *notes]), "."),
        class_="panel",
    )


def upscaled(thumbnail: npt.NDArray[Any], side: int) -> Image.Image:
    """A thumbnail with its longer side of about `side` pixels; small ones keep their pixels square."""
    image = Image.fromarray(np.ascontiguousarray(thumbnail))
    longer = max(image.size)
    factor = side / longer
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.resize(size, Image.Resampling.NEAREST if factor >= 2 else Image.Resampling.LANCZOS)
