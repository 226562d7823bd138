"""The embedding as a picture: principal components, coloured by class, with thumbnails."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from mmgraph.analysis.projection import Projection
from mmgraph.report.between import Between, nobody_asks
from mmgraph.report.colours import CATEGORIES, category, rgb
from mmgraph.report.markup import Markup, element
from mmgraph.report.pictures import data_uri, upscaled
from mmgraph.runs import ItemSet, RunReader, Snapshot, SnapshotInfo

WIDTH, HEIGHT = 560, 440
MOST_POINTS = 20_000
_SCALE = 2
_MARGIN = 22
_AT_ONCE = 1000
_THUMBNAILS = 24
_THUMBNAIL_SIDE = 24


def embeddings(reader: RunReader, between: Between = nobody_asks) -> list[Markup]:
    """The last recorded layer before and after training."""
    recorded = [info for info in reader.snapshots(kind="embedding") if 0 not in info.shape]
    if not recorded:
        return []
    of_layer = [info for info in recorded if info.layer == recorded[-1].layer]
    return [draw(reader, info, between) for info in dict.fromkeys([of_layer[0], of_layer[-1]])]


def items_of(reader: RunReader, snapshot: Snapshot) -> tuple[ItemSet | None, npt.NDArray[np.int64]]:
    """The item set of a snapshot, and the row of each of its items in it."""
    rows = np.asarray(snapshot.extras.get("rows", np.arange(len(snapshot.array))), dtype=np.int64)
    if snapshot.items is None or snapshot.items not in reader.item_names():
        return None, rows
    items = reader.items(snapshot.items)
    fits = len(rows) == len(snapshot.array) and (
        not len(rows) or (rows.min() >= 0 and rows.max() < len(items))
    )
    return (items, rows) if fits else (None, np.arange(len(snapshot.array)))


def draw(reader: RunReader, info: SnapshotInfo, between: Between = nobody_asks) -> Markup:
    """A figure: the points as a picture, names of classes on top, a legend below."""
    between()
    snapshot = reader.load(info)
    between()
    items, rows = items_of(reader, snapshot)
    projection = Projection.fit(snapshot.array)
    between()
    positions = _fitted(projection.transform(snapshot.array))
    finite = np.isfinite(positions).all(axis=1)
    labels = items.labels[rows] if items is not None and items.labels is not None else np.full(len(rows), -1)
    shown = np.flatnonzero(finite)
    notes = [f"principal components, {projection.explained:.0%} of the variance"]
    if len(shown) > MOST_POINTS:
        shown = np.sort(np.random.default_rng(0).choice(shown, MOST_POINTS, replace=False))
        notes.append(f"{MOST_POINTS:,} of {len(rows):,} shown")
    if not finite.all():
        notes.append(f"{(~finite).sum():,} items are not finite and cannot be placed")
    picture = _points(positions, labels, shown, between)
    between()
    if items is not None and items.thumbnails is not None:
        _add_thumbnails(picture, positions, labels, shown, items.thumbnails[rows])
    names = _class_names(labels, items)
    between()
    noun = items.noun if items is not None else "item"
    layout = element(
        "svg",
        element("title", f"{len(shown):,} points, one per {noun}; near points are alike to the model."),
        element("image", href=data_uri(picture), x=0, y=0, width=WIDTH, height=HEIGHT),
        *(_label(positions[labels == code], name) for code, name in names.items() if code >= 0),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        class_="chart",
    )
    legend = [
        element(
            "span", element("span", class_="dot", style=f"background:{category(code)}"), name, class_="entry"
        )
        for code, name in names.items()
    ]
    return element(
        "figure",
        element("h3", info.layer, element("small", f" step {info.step:,}")),
        layout,
        element("figcaption", *legend),
        element("p", "; ".join(notes), ".", class_="note"),
        class_="panel",
    )


def _fitted(positions: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Positions in the picture, y up, the same scale along both axes."""
    finite = positions[np.isfinite(positions).all(axis=1)]
    if not len(finite):
        return positions
    low, high = finite.min(axis=0), finite.max(axis=0)
    span = np.maximum(high - low, 1e-300)
    room = np.array([WIDTH, HEIGHT]) - 2 * _MARGIN
    scale = (room / span).min() if (high > low).any() else 0.0
    centred = (positions - (low + high) / 2) * scale * np.array([1, -1])
    return np.asarray(centred + np.array([WIDTH, HEIGHT]) / 2)


def _points(
    positions: npt.NDArray[np.float64],
    labels: npt.NDArray[Any],
    shown: npt.NDArray[Any],
    between: Between,
) -> Image.Image:
    # Drawn larger and reduced: Pillow does not smooth edges.
    over = 2
    size = (WIDTH * _SCALE * over, HEIGHT * _SCALE * over)
    picture = Image.new("RGBA", size, (128, 128, 128, 0))
    pen = ImageDraw.Draw(picture)
    radius = float(np.clip(90 / np.sqrt(max(len(shown), 1)), 1.3, 5.0)) * _SCALE * over
    order = np.random.default_rng(0).permutation(shown)  # so that no class hides the others
    for number, row in enumerate(order.tolist()):
        if number % _AT_ONCE == 0:
            between()
        x, y = positions[row] * (_SCALE * over)
        box = (x - radius, y - radius, x + radius, y + radius)
        pen.ellipse(box, fill=(*rgb(category(int(labels[row]))), 235))
    return picture.resize((WIDTH * _SCALE, HEIGHT * _SCALE), Image.Resampling.BOX)


def _add_thumbnails(
    picture: Image.Image,
    positions: npt.NDArray[np.float64],
    labels: npt.NDArray[Any],
    shown: npt.NDArray[Any],
    thumbnails: npt.NDArray[Any],
) -> None:
    for row in _spread(positions, shown):
        small = upscaled(thumbnails[row], _THUMBNAIL_SIDE * _SCALE)
        frame = Image.new(
            "RGBA", (small.width + 6, small.height + 6), (*rgb(category(int(labels[row]))), 255)
        )
        frame.paste(small.convert("RGB"), (3, 3))
        x, y = (positions[row] * _SCALE).round().astype(int)
        picture.paste(frame, (int(x) - frame.width // 2, int(y) - frame.height // 2))


def _spread(positions: npt.NDArray[np.float64], shown: npt.NDArray[Any]) -> list[int]:
    """Items far from each other: each the farthest from all before it, as long as their pictures do not touch."""
    if not len(shown):
        return []
    points = positions[shown]
    chosen = [int(np.argmin(((points - points.mean(axis=0)) ** 2).sum(axis=1)))]
    distance = np.full(len(points), np.inf)
    while len(chosen) < _THUMBNAILS:
        distance = np.minimum(distance, np.abs(points - points[chosen[-1]]).max(axis=1))
        farthest = int(distance.argmax())
        if distance[farthest] < 1.7 * _THUMBNAIL_SIDE:
            break
        chosen.append(farthest)
    return [int(shown[index]) for index in chosen]


def _class_names(labels: npt.NDArray[Any], items: ItemSet | None) -> dict[int, str]:
    codes = np.unique(labels).tolist()
    if codes == [-1]:
        return {}
    given = items.class_names if items is not None else ()
    names = {
        code: "not known" if code < 0 else given[code] if code < len(given) else str(code) for code in codes
    }
    if len(names) <= len(CATEGORIES) + 1:
        return names
    return dict(list(names.items())[: len(CATEGORIES)])


def _label(points: npt.NDArray[np.float64], name: str) -> Markup | None:
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return None
    x, y = np.median(points, axis=0)
    short = name if len(name) <= 24 else name[:23] + "…"
    return element("text", short, x=f"{x:.0f}", y=f"{y + 4:.0f}", text_anchor="middle", class_="halo")
