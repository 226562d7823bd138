"""Items: what the rows of an embedding are."""

from __future__ import annotations

import itertools
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mmgraph.errors import InputError, RunDamagedError
from mmgraph.runs.recordings import Recordings
from mmgraph.runs.schema import ITEM_FOLDER
from mmgraph.runs.snapshot import Array, check_storable, read_arrays, write_arrays

_SUFFIX = ".safetensors"


@dataclass(frozen=True, eq=False)
class ItemSet:
    """The things a model is looked at with: images, texts, nodes …, one row each.

    Args:
        name: by which snapshots refer to the set.
        ids: number of each item in its data set; by default 0 … n − 1.
        labels: class of each item, −1 where it is not known.
        class_names: name of each class.
        splits: index into `split_names` of each item (train, validation, test …), −1 for none.
        split_names: names of the splits.
        thumbnails: grey or RGB pictures.
        texts: a text per item.
        columns: further numbers per item, such as `degree`; each can colour a view.
        sounds: what can be heard of each item.
        clips: small frames of what moves.
        noun: what one item is called on screen ("digit", "paper").

    Shapes:
        ids, labels, splits and columns (n,); thumbnails (n, height, width) or (n, height, width, 3) uint8.

    Raises:
        InputError: lengths or types do not fit, or a label or split has no name where names are given.
    """

    name: str = "items"
    ids: Array | None = None
    labels: Array | None = None
    class_names: tuple[str, ...] = ()
    splits: Array | None = None
    split_names: tuple[str, ...] = ()
    thumbnails: Array | None = None
    texts: tuple[str, ...] | None = None
    columns: dict[str, Array] = field(default_factory=dict)
    noun: str = "item"
    sounds: Recordings | None = None
    clips: Recordings | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise InputError("An item set needs a name.")
        lengths = {
            key: len(value)
            for key, value in {
                "ids": self.ids,
                "labels": self.labels,
                "splits": self.splits,
                "thumbnails": self.thumbnails,
                "texts": self.texts,
                "sounds": self.sounds,
                "clips": self.clips,
                **self.columns,
            }.items()
            if value is not None
        }
        if not lengths:
            raise InputError(
                "An item set needs at least one of ids, labels, splits, thumbnails, texts, columns, sounds, clips."
            )
        if len(set(lengths.values())) > 1:
            raise InputError(
                f"All parts of an item set have one entry per item, but their lengths are {lengths}."
            )
        if self.ids is None:
            object.__setattr__(self, "ids", np.arange(next(iter(lengths.values())), dtype=np.int64))
        for key, value in {"ids": self.ids, "labels": self.labels, "splits": self.splits}.items():
            if value is not None and (value.ndim != 1 or value.dtype.kind not in "iu"):
                raise InputError(f"{key} are whole numbers of shape (n,), not {value.dtype} {value.shape}.")
        for key, value in self.columns.items():
            check_storable(key, value)
            if value.ndim != 1:
                raise InputError(f"Column '{key}' has shape (n,), not {value.shape}.")
        _check_names("labels", self.labels, self.class_names)
        _check_names("splits", self.splits, self.split_names)
        if self.texts is not None:
            object.__setattr__(self, "texts", tuple(self.texts))
        pictures = self.thumbnails
        if pictures is not None and (
            pictures.dtype != np.uint8
            or pictures.ndim not in (3, 4)
            or (pictures.ndim == 4 and pictures.shape[-1] != 3)
        ):
            raise InputError(
                "Thumbnails are uint8 of shape (n, height, width) or (n, height, width, 3), "
                f"not {pictures.dtype} of shape {pictures.shape}."
            )

    def __len__(self) -> int:
        return 0 if self.ids is None else len(self.ids)


def item_path(folder: Path, name: str) -> Path:
    """Where the item set of that name lies in a run folder."""
    # Percent-encoded, so that every name has a file of its own; a leading dot would hide it.
    plain = urllib.parse.quote(name, safe=" ")
    return folder / ITEM_FOLDER / f"{'%2E' + plain[1:] if plain.startswith('.') else plain}{_SUFFIX}"


def item_names(folder: Path) -> list[str]:
    """Names of the item sets in a run folder."""
    files = (folder / ITEM_FOLDER).glob(f"*{_SUFFIX}")
    return sorted(
        urllib.parse.unquote(file.name.removesuffix(_SUFFIX)) for file in files if file.name[0] != "."
    )


def write_items(folder: Path, items: ItemSet) -> None:
    """Write an item set into a run folder, whole or not at all.

    Raises:
        InputError: a text is not valid Unicode.
    """
    arrays: dict[str, Array] = {f"columns/{key}": value for key, value in items.columns.items()}
    for key in ("ids", "labels", "splits", "thumbnails"):
        value = getattr(items, key)
        if value is not None:
            arrays[key] = value
    if items.texts is not None:
        try:
            encoded = [text.encode() for text in items.texts]
        except UnicodeEncodeError as error:
            raise InputError(
                f"A text of the item set '{items.name}' is not valid Unicode ({error.reason}): {error.object!a}."
            ) from error
        arrays["texts/bytes"] = np.frombuffer(b"".join(encoded), dtype=np.uint8)
        arrays["texts/ends"] = np.cumsum([len(text) for text in encoded], dtype=np.int64)
    rates = {}
    for key in ("sounds", "clips"):
        recordings = getattr(items, key)
        if recordings is not None:
            arrays |= {f"{key}/values": recordings.values, f"{key}/ends": recordings.ends}
            rates[key] = recordings.rate
    notes: dict[str, Any] = {
        "name": items.name,
        "class_names": list(items.class_names),
        "split_names": list(items.split_names),
        "noun": items.noun,
        "rates": rates,
    }
    write_arrays(item_path(folder, items.name), arrays, notes)


def read_items(folder: Path, name: str) -> ItemSet:
    """Read an item set of a run folder.

    Raises:
        RunDamagedError: the file is missing, cut short, or its parts do not fit together.
    """
    path = item_path(folder, name)
    arrays, notes = read_arrays(path)
    try:
        texts = None
        if "texts/ends" in arrays:
            data, ends = arrays["texts/bytes"].tobytes(), [0, *arrays["texts/ends"].tolist()]
            texts = tuple(data[a:b].decode() for a, b in itertools.pairwise(ends))
        return ItemSet(
            name=notes["name"],
            ids=arrays["ids"],
            labels=arrays.get("labels"),
            class_names=tuple(notes["class_names"]),
            splits=arrays.get("splits"),
            split_names=tuple(notes["split_names"]),
            thumbnails=arrays.get("thumbnails"),
            texts=texts,
            columns={key[8:]: value for key, value in arrays.items() if key.startswith("columns/")},
            noun=notes["noun"],
            **{
                key: Recordings(arrays[f"{key}/values"], arrays[f"{key}/ends"], float(rate))
                for key, rate in notes.get("rates", {}).items()
                if key in ("sounds", "clips")
            },
        )
    except (KeyError, TypeError, ValueError, AttributeError, InputError) as error:
        raise RunDamagedError(f"'{path}' does not hold an item set ({error}).") from error


def _check_names(what: str, numbers: Array | None, names: tuple[str, ...]) -> None:
    if numbers is None or not numbers.size or not names:
        return
    if numbers.min() < -1 or numbers.max() >= len(names):
        raise InputError(
            f"{what} are numbers from 0 to {len(names) - 1}, for there are {len(names)} names, or −1 where not "
            f"known; these go from {numbers.min()} to {numbers.max()}."
        )
