"""Decoded frames of videos, kept on disk so that they are decoded once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
from platformdirs import user_cache_dir

from mmgraph.datasets.frame_sampling import FrameSampling
from mmgraph.datasets.video_file import Fit, Video, read_video
from mmgraph.errors import DatasetMissingError, InputError, RunDamagedError
from mmgraph.runs.snapshot import read_arrays, write_arrays

MOST_BYTES = 4 << 30


class FrameCache:
    """Videos as `read_video` gives them, from disk where they have been read before.

    A file is known by its path, size and time of change, and by how it was read; where one of these differs it is
    decoded anew. What was not used for the longest time is deleted when the folder grows too large. A folder that
    cannot be written to, or a damaged file in it, costs time and nothing else.

    Args:
        folder: where they are kept; in the user's cache folder by default.
        most_bytes: of all files in it.

    Raises:
        InputError: a random choice of frames, which is another one each time.
    """

    def __init__(self, folder: Path | None = None, *, most_bytes: int = MOST_BYTES) -> None:
        self.folder = Path(user_cache_dir("mmgraph", appauthor=False), "video") if folder is None else folder
        self.most_bytes = most_bytes

    def read(
        self,
        path: Path | str,
        *,
        sampling: FrameSampling = FrameSampling(),  # noqa: B008  frozen
        size: int | tuple[int, int] | None = None,
        fit: Fit = "crop",
        sample_rate: int | None = None,
    ) -> Video:
        """As `read_video`."""
        if sampling.strategy == "random-segment":
            raise InputError(
                "Expected a choice of frames that can be kept, but random-segment is drawn anew."
            )
        file = self.folder / f"{self._key(path, sampling, size, fit, sample_rate)}.safetensors"
        with contextlib.suppress(RunDamagedError, KeyError, OSError):
            arrays, notes = read_arrays(file)
            os.utime(file)
            return Video(
                arrays["frames"],
                arrays["times"],
                arrays.get("sound"),
                int(notes["sample_rate"]),
                int(notes["damaged"]),
            )
        video = read_video(path, sampling=sampling, size=size, fit=fit, sample_rate=sample_rate)
        arrays = {"frames": video.frames, "times": video.times}
        if video.sound is not None:
            arrays["sound"] = video.sound
        with contextlib.suppress(OSError):
            write_arrays(file, arrays, {"sample_rate": video.sample_rate, "damaged": video.damaged})
            self._make_room()
        return video

    def _key(self, path: Path | str, sampling: FrameSampling, *how: object) -> str:
        try:
            stat = os.stat(path)
        except OSError as error:
            raise DatasetMissingError(f"{path} cannot be read ({error.strerror}).") from error
        facts = [os.path.abspath(path), stat.st_size, stat.st_mtime_ns, asdict(sampling), *how]
        return hashlib.sha256(json.dumps(facts).encode("utf-8", "surrogateescape")).hexdigest()[:32]

    def _make_room(self) -> None:
        files = [(file.stat(), file) for file in self.folder.glob("*.safetensors")]
        newest_first = sorted(files, key=lambda entry: entry[0].st_mtime_ns, reverse=True)
        total = np.cumsum([stat.st_size for stat, _ in newest_first])
        for size, (_, file) in zip(total.tolist(), newest_first, strict=True):
            if size > self.most_bytes:
                file.unlink(missing_ok=True)
