"""Folders of video files, one per kind of action, with official lists of what is for training and what for testing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmgraph.errors import DatasetCorruptError, DatasetMissingError, InputError, UnknownNameError

if TYPE_CHECKING:
    from mmgraph.datasets.clip_collection import ClipCollection
    from mmgraph.datasets.frame_cache import FrameCache
    from mmgraph.datasets.frame_sampling import FrameSampling
    from mmgraph.datasets.video_file import Fit

GROUP = re.compile(r"_g(\d+)_c\d+\.")
MOST_LIST_BYTES = 16 << 20


@dataclass(frozen=True, eq=False)
class ActionVideos:
    """Video files with their class and part; nothing is decoded before somebody asks.

    Args:
        paths: of the files.
        labels: the class of each.
        class_names: of the labels.
        parts: rows of "train" and "test".
        groups: which videos were taken from one recording; −1 where that is not known.
        listed: how many videos the lists name; those that are not here are left out.
    """

    name: str
    paths: tuple[Path, ...]
    labels: tuple[int, ...]
    class_names: tuple[str, ...]
    parts: Mapping[str, tuple[int, ...]]
    groups: tuple[int, ...]
    listed: int

    def decode(
        self,
        part: str | None = None,
        *,
        sampling: FrameSampling,
        size: int | tuple[int, int],
        fit: Fit = "crop",
        cache: FrameCache | None = None,
    ) -> ClipCollection:
        """The videos of a part, or all of them, as clips of one length and size.

        Args:
            part: "train" or "test"; None for all.
            sampling, size, fit: as `read_video`; "all" is not for clips of one length.
            cache: keeps the frames; the one in the user's cache folder by default.

        Raises:
            UnknownNameError: there is no such part.
            InputError: frames that are drawn anew or not of one number.
            MissingDependencyError, DatasetMissingError, DatasetCorruptError: as `read_video`.
        """
        import torch

        from mmgraph.datasets.clip_collection import ClipCollection
        from mmgraph.datasets.frame_cache import FrameCache

        if part is not None and part not in self.parts:
            raise UnknownNameError.of(f"part of '{self.name}'", part, self.parts)
        if sampling.strategy == "all":
            raise InputError(
                "Expected a choice of as many frames of each video, but all have another number."
            )
        rows: Sequence[int] = range(len(self.paths)) if part is None else self.parts[part]
        cache = FrameCache() if cache is None else cache
        frames = [cache.read(self.paths[row], sampling=sampling, size=size, fit=fit).frames for row in rows]
        return ClipCollection(
            self.name,
            torch.from_numpy(np.stack(frames)).permute(0, 1, 4, 2, 3).contiguous(),
            torch.tensor([self.labels[row] for row in rows]),
            self.class_names,
        )


def read_ucf101(folder: Path, lists: Path, name: str = "ucf101", *, split: int = 1) -> ActionVideos:
    """The videos of UCF101 that are in a folder, by the official lists `classInd`, `trainlist01` and `testlist01`.

    Classes are those of which there is a video, in the order of the list. No group is in both parts.

    Raises:
        DatasetMissingError: a list is not there, or no video of it.
        DatasetCorruptError: a line of a list cannot be read.

    Source: Soomro, Zamir & Shah, "UCF101", 2012.
    """
    order = [line.split() for line in _lines(lists / "classInd.txt")]
    if any(len(entry) != 2 for entry in order):
        raise DatasetCorruptError(f"{lists / 'classInd.txt'} does not hold lines 'number class'.")
    named = {
        part: [line.split()[0].replace("\\", "/") for line in _lines(lists / f"{part}list{split:02d}.txt")]
        for part in ("train", "test")
    }
    return _found(folder, name, [entry[1] for entry in order], named)


def read_hmdb51(folder: Path, lists: Path, name: str = "hmdb51", *, split: int = 1) -> ActionVideos:
    """The videos of HMDB51 that are in a folder, by its official lists `CLASS_test_split1.txt`: 1 trains, 2 tests.

    Raises:
        DatasetMissingError: there are no lists, or no video of them.
        DatasetCorruptError: a line of a list cannot be read.

    Source: Kuehne et al., "HMDB: a large video database for human motion recognition", ICCV 2011.
    """
    ending = f"_test_split{split}.txt"
    files = sorted(lists.glob(f"*{ending}"))
    named: dict[str, list[str]] = {"train": [], "test": []}
    for file in files:
        for line in _lines(file):
            entry = line.split()
            if len(entry) != 2 or entry[1] not in ("0", "1", "2"):
                raise DatasetCorruptError(
                    f"{file} should hold lines 'video number', number 0, 1 or 2, not '{line}'."
                )
            if entry[1] != "0":
                part = "train" if entry[1] == "1" else "test"
                named[part].append(f"{file.name.removesuffix(ending)}/{entry[0]}")
    if not files:
        raise DatasetMissingError(f"There are no lists *{ending} in {lists}.")
    return _found(folder, name, [file.name.removesuffix(ending) for file in files], named)


def _found(folder: Path, name: str, order: list[str], named: Mapping[str, list[str]]) -> ActionVideos:
    """What the lists name and the folder holds."""
    paths: list[Path] = []
    classes: list[str] = []
    parts: dict[str, tuple[int, ...]] = {}
    for part, videos in named.items():
        start = len(paths)
        for video in videos:
            action, _, file = video.partition("/")
            if action not in order or not file or "/" in file or ".." in (action, file):
                raise DatasetCorruptError(f"A list of '{name}' names '{video}', which is no class/video.")
            if (folder / action / file).is_file():
                paths.append(folder / action / file)
                classes.append(action)
        parts[part] = tuple(range(start, len(paths)))
    if not paths:
        raise DatasetMissingError(f"{folder} holds none of the videos of '{name}'.")
    present = [action for action in order if action in set(classes)]
    groups = [GROUP.search(path.name) for path in paths]
    return ActionVideos(
        name,
        tuple(paths),
        tuple(present.index(action) for action in classes),
        tuple(present),
        parts,
        tuple(-1 if group is None else int(group[1]) for group in groups),
        sum(len(videos) for videos in named.values()),
    )


def _lines(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8") as file:
            content = file.read(MOST_LIST_BYTES)
    except OSError as error:
        raise DatasetMissingError(f"{path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise DatasetCorruptError(f"{path} is not a list in UTF-8 ({error}).") from error
    return [line.strip() for line in content.splitlines() if line.strip()]
