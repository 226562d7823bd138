"""Attention of queries on keys: what is read of it, the names of its tokens, and where they lie in a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from mmgraph.analysis import block_means, rollout, scale_tiles
from mmgraph.errors import RunDamagedError
from mmgraph.runs import Recordings, SnapshotInfo, StoredSnapshot
from mmgraph_gui.drawing.raster import to_image
from mmgraph_gui.reading.follower import Job
from mmgraph_gui.state.guest import Guest
from mmgraph_gui.views.attention.word_maps import Pixels, WordMaps, lit_frames, word_maps
from mmgraph_gui.views.filters.tiles import NOT_FINITE

CELL = 64
"""Pixels of a side of one head among all heads, at most."""

Names = tuple[str, ...]
Colours = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Places:
    """Tokens that are places of a picture, row by row, after `before` others such as a class token."""

    rows: int
    columns: int
    before: int = 0

    @property
    def count(self) -> int:
        """Tokens in all."""
        return self.before + self.rows * self.columns


@dataclass(frozen=True, eq=False)
class AttentionMap:
    """Queries against keys, as numbers (queries, keys) and as a picture.

    Args:
        head: None is the mean of all.
        layers: how many were multiplied; 0 where it is no rollout.
        item: row of the item set it is of; None where it is of a person's own, `name`, or of none.
        queries, keys: a name for each; `named` says whether the run knows them.
        places: where the keys lie in the picture of the item.
        frames: of the clip of the item, which the keys are, the brighter the more is looked at them.
    """

    layer: str
    step: int
    head: int | None
    layers: int
    item: int | None
    values: npt.NDArray[np.float32]
    image: QImage
    low: float
    high: float
    queries: Names
    keys: Names
    named: bool
    places: Places | None
    picture: QImage | None
    name: str = ""
    frames: tuple[QImage, ...] = ()

    @property
    def told_head(self) -> str:
        """Which head it is, in words."""
        mean = "mean of all heads" if self.head is None else f"head {self.head}"
        return f"rollout of {self.layers} layers" if self.layers else mean


@dataclass(frozen=True, eq=False)
class HeadGrid:
    """Every head of every layer, small.

    Args:
        cells: by layer and head; empty where a layer has fewer heads than others.
        item: row of the item set it is of, None where the maps belong to none.
        complete: whether all layers have been read.
    """

    step: int
    layers: Names
    cells: tuple[tuple[QImage, ...], ...]
    item: int | None
    complete: bool


def read_map(
    job: Job,
    _snapshots: object,
    *,
    info: SnapshotInfo,
    head: int | None,
    item: int | None,
    colours: Colours,
    pictures: Pixels | None = None,
    clips: Recordings | None = None,
    through: Sequence[SnapshotInfo] = (),
) -> AttentionMap | WordMaps:
    """One map: of one item where there are several, of one head or the mean of all; only that is read.

    Args:
        colours: 256 from least to most attention.
        pictures, clips: of the items.
        through: layers up to this one, to be multiplied for a rollout.
    """
    assert job.run is not None
    with StoredSnapshot(job.run, info) as stored:
        place, shown = _item_place(stored, item)
        notes, extras = stored.notes, stored.extras
        if {"grid", "words"} <= set(notes) and not through:
            array = stored.part() if place is None else stored.part(place)
            return word_maps(
                array,
                notes["words"][place or 0],
                notes["grid"],
                head,
                _picture(pictures, shown or 0),
                layer=info.layer,
                step=info.step,
                item=shown or 0,
            )
        if not through:
            values = _of_head(stored, place, head)
    if through:
        values = rollout(_means(job, through, item)).astype(np.float32)
    return _drawn(
        values,
        _Tokens.of(notes, extras, place or 0, values.shape),
        colours,
        _picture(pictures, shown),
        clips[shown] if clips is not None and shown is not None and shown < len(clips) else None,
        layer=info.layer,
        step=info.step,
        head=None if through else head,
        layers=len(through),
        item=shown,
    )


def read_guest(
    _job: Job | None,
    _snapshots: object,
    *,
    guest: Guest,
    layer: str | None,
    head: int | None,
    colours: Colours,
) -> AttentionMap | WordMaps | None:
    """Attention in a person's own item, of a layer or else of the first; None where nothing was said of it."""
    seen = guest.attention_of(layer)
    if seen is None:
        return None
    array = seen.array[0] if seen.array.ndim == 4 else seen.array
    chosen = head if head is not None and head < len(array) else None
    about: dict[str, Any] = {"layer": seen.layer, "step": guest.step, "name": guest.name}
    if {"grid", "words"} <= set(seen.notes):
        words = seen.notes["words"][0]
        return (
            word_maps(array, words, seen.notes["grid"], chosen, guest.picture, **about) if words[1:] else None
        )
    values = (array.mean(axis=0) if chosen is None else array[chosen]).astype(np.float32)
    tokens = _Tokens.of(seen.notes, seen.extras, 0, values.shape)
    return _drawn(values, tokens, colours, guest.picture, guest.frames, head=chosen, **about)


@dataclass(frozen=True)
class _Tokens:
    """What is known of queries and keys."""

    queries: Names | None
    keys: Names | None
    places: Places | None
    are_frames: bool

    @classmethod
    def of(
        cls,
        notes: Mapping[str, Any],
        extras: Mapping[str, npt.NDArray[Any]],
        place: int,
        shape: tuple[int, ...],
    ) -> _Tokens:
        queries = token_names(notes, extras, "queries", place, shape[0])
        keys = token_names(notes, extras, "keys", place, shape[1])
        return cls(queries, keys, _places(notes, shape[1]), notes.get("over") == "frames")


def _drawn(
    values: npt.NDArray[np.float32],
    tokens: _Tokens,
    colours: Colours,
    picture: Pixels | None,
    clip: Pixels | None,
    *,
    layer: str,
    step: int,
    head: int | None,
    layers: int = 0,
    item: int | None = None,
    name: str = "",
) -> AttentionMap:
    queries, keys = tokens.queries, tokens.keys
    values = values[: len(queries or values), : len(keys) if keys is not None else None]
    scaled, limits = scale_tiles(values[None], "each")
    return AttentionMap(
        layer,
        step,
        head,
        layers,
        item,
        values,
        _coloured(scaled[0], colours),
        low=float(limits[0, 0]),
        high=float(limits[0, 1]),
        queries=queries or tuple(map(str, range(values.shape[0]))),
        keys=keys or tuple(map(str, range(values.shape[1]))),
        named=queries is not None or keys is not None,
        places=tokens.places,
        picture=None if picture is None else to_image(picture),
        name=name,
        frames=lit_frames(clip, values.mean(axis=0))
        if tokens.are_frames and clip is not None and len(clip) == values.shape[1]
        else (),
    )


def _picture(pictures: Pixels | None, item: int | None) -> Pixels | None:
    return pictures[item] if pictures is not None and item is not None and item < len(pictures) else None


def read_heads(
    job: Job, _snapshots: object, *, infos: Sequence[SnapshotInfo], item: int | None, colours: Colours
) -> HeadGrid:
    """Every head of some layers as block means, a layer at a time; each cell goes from its lowest to its highest."""
    assert job.run is not None
    names, cells, shown = tuple(info.layer for info in infos), [], None
    for info in infos:
        with StoredSnapshot(job.run, info) as stored:
            place, shown = _item_place(stored, item)
            heads = stored.shape[stored.axes.index("heads")]
            row = []
            for head in range(heads):
                small = block_means(_of_head(stored, place, head), CELL, CELL)
                row.append(_coloured(scale_tiles(small[None], "each")[0][0], colours))
        cells.append(tuple(row))
        if job.cancelled:
            break
        if len(cells) < len(infos):
            job.report(HeadGrid(info.step, names, tuple(cells), shown, complete=False))
    return HeadGrid(infos[-1].step, names, tuple(cells), shown, complete=True)


def token_names(
    notes: Mapping[str, Any], extras: Mapping[str, npt.NDArray[Any]], axis: str, place: int, count: int
) -> Names | None:
    """What the tokens of an axis are called; None where the run does not say.

    The note `queries` or `keys` is one word for what they are ("frame"), a name for each, or a list of names for each
    item; a shorter list ends the sentence of that item.

    Args:
        extras: `queries` or `keys`, which of them were kept.
        place: of the item among those with attention.
        count: tokens of the array.
    """
    given = notes.get(axis)
    if given is None and axis == "queries":
        given = notes.get("words")
    kept = extras.get(axis)
    if isinstance(given, str):
        numbers = range(count) if kept is None else kept.tolist()
        return tuple(f"{given} {number}" for number in numbers)
    if not isinstance(given, list) or not given:
        return None
    if isinstance(given[0], list):
        given = given[place] if place < len(given) else None
        if not isinstance(given, list) or not given:
            return None
    if kept is not None:
        given = [given[number] for number in kept.tolist() if number < len(given)]
    return tuple(map(str, given[:count]))


def _places(notes: Mapping[str, Any], keys: int) -> Places | None:
    try:
        rows, columns = map(int, notes["grid"])
        places = Places(rows, columns, int(notes.get("before", 0)))
    except (KeyError, TypeError, ValueError):
        return None
    fits = min(rows, columns) > 0 and places.before >= 0 and places.count == keys
    return places if fits else None


def _item_place(stored: StoredSnapshot, item: int | None) -> tuple[int | None, int | None]:
    """Place in the array, and row of the item set; the first where the item has no map."""
    if stored.axes[0] != "items":
        return None, None
    if not stored.shape[0]:
        raise RunDamagedError(f"'{stored.path}' holds attention of no items: its shape is {stored.shape}.")
    rows = stored.extras.get("rows")
    rows = np.arange(stored.shape[0]) if rows is None else rows
    found = np.flatnonzero(rows == (-1 if item is None else item))
    place = int(found[0]) if len(found) else 0
    return place, int(rows[place])


def _of_head(stored: StoredSnapshot, place: int | None, head: int | None) -> npt.NDArray[np.float32]:
    before = () if place is None else (place,)
    if head is not None:
        return stored.part(*before, head).astype(np.float32)
    heads = stored.shape[len(before)]
    total = stored.part(*before, 0).astype(np.float64)
    for other in range(1, heads):
        total += stored.part(*before, other)
    mean: npt.NDArray[np.float32] = (total / max(heads, 1)).astype(np.float32)
    return mean


def _means(job: Job, infos: Sequence[SnapshotInfo], item: int | None) -> Any:
    assert job.run is not None
    for info in infos:
        with StoredSnapshot(job.run, info) as stored:
            yield _of_head(stored, _item_place(stored, item)[0], None)


def _coloured(scaled: npt.NDArray[np.float32], colours: Colours) -> QImage:
    pixels = colours[np.rint(np.nan_to_num(scaled) * 255).astype(np.intp)]
    pixels[np.isnan(scaled)] = NOT_FINITE
    return to_image(pixels)
