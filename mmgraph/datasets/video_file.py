"""Frames and sound of video files, which may be damaged or hostile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from mmgraph.datasets.frame_sampling import FrameSampling
from mmgraph.errors import (
    DatasetCorruptError,
    DatasetMissingError,
    InputError,
    MissingDependencyError,
    UnknownNameError,
)

if TYPE_CHECKING:
    from av.container import InputContainer

Pixels = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.float32]
Fit = Literal["crop", "stretch"]

MOST_PIXELS = 1 << 26
"""Of one frame."""
MOST_BYTES = 4 << 30
"""Of all frames that are kept of one video."""
MOST_SAMPLES = 1 << 28
"""Of one sound track."""


@dataclass(frozen=True, eq=False)
class Video:
    """What was read of a video.

    Args:
        frames: in colour.
        times: when each is shown.
        sound: one channel, −1 to 1; None where there is no sound track or nobody asked for it.
        sample_rate: of the sound; 0 without.
        damaged: packets of the pictures that could not be decoded; what came of the others is here.

    Shapes:
        frames (t, height, width, 3) uint8, times (t,), sound (samples,) float32.

    Units: times in seconds, sample_rate in 1/s.
    """

    frames: Pixels
    times: npt.NDArray[np.float64]
    sound: Samples | None = None
    sample_rate: int = 0
    damaged: int = 0


def read_video(
    path: Path | str,
    *,
    sampling: FrameSampling = FrameSampling(),  # noqa: B008  frozen
    size: int | tuple[int, int] | None = None,
    fit: Fit = "crop",
    sample_rate: int | None = None,
    generator: np.random.Generator | None = None,
) -> Video:
    """Some frames of a video file, and its sound.

    Files without or with a broken index are read from front to back, so nothing is asked of it. Packets that cannot be
    decoded are left out and counted. Sizes may be odd; they may change on the way where `size` is given.

    Args:
        path: of the file, in any format FFmpeg knows.
        sampling: which frames.
        size: height and width of the result, one number where they are equal; None keeps those of the video.
        fit: "crop" fills it with the middle of each frame, "stretch" with all of it.
        sample_rate: of the sound that is wanted; None leaves the sound where it is.
        generator: of a random choice of frames.

    Units: sample_rate in 1/s.

    Raises:
        MissingDependencyError: PyAV is not installed.
        DatasetMissingError: the file cannot be read.
        DatasetCorruptError: it is no video, or no frame of it can be decoded.
        InputError: a size or rate below one, no generator for a random choice, or more frames than memory is given.
        UnknownNameError: there is no such fit.
    """
    if fit not in get_args(Fit):
        raise UnknownNameError.of("fit", fit, get_args(Fit))
    target = (size, size) if isinstance(size, int) else size
    if (target is not None and min(target) < 1) or (sample_rate is not None and sample_rate < 1):
        raise InputError(f"Expected a positive size and sample rate, but got {target} and {sample_rate}.")
    times = frame_times(path)
    while True:
        wanted = sampling.positions(times, generator)
        frames, shown, damaged = _decode(path, wanted, target, fit)
        if len(shown) > wanted[-1]:
            break
        # Some packets gave no picture: choose again among those that did.
        if len(shown) == 0:
            raise DatasetCorruptError(f"{path} has {len(times)} pictures, and none of them can be decoded.")
        times = times[: len(shown)]
    sound = None if sample_rate is None else read_sound(path, sample_rate)
    return Video(frames, np.asarray(shown)[wanted], sound, 0 if sound is None else sample_rate or 0, damaged)


def frame_times(path: Path | str) -> npt.NDArray[np.float64]:
    """When each frame of a video is shown, by its packets, without decoding them.

    Shapes:
        (frames,), ascending.

    Units: seconds.

    Raises:
        As `read_video`.
    """
    with _opened(path) as container:
        stream = _pictures(container, path)
        base = float(stream.time_base or 0.0)
        rate = float(stream.average_rate or 25)
        times = []
        for number, packet in enumerate(container.demux(stream)):
            if packet.size:
                moment = packet.pts if packet.pts is not None else packet.dts
                times.append(number / rate if moment is None else moment * base)
    if not times:
        raise DatasetCorruptError(f"{path} is a video without a single frame.")
    return np.sort(np.asarray(times, dtype=np.float64))


def read_sound(path: Path | str, sample_rate: int, most_seconds: float | None = None) -> Samples | None:
    """The sound track of a video or sound file as one channel; None where it has none.

    Args:
        path: of the file, in any format FFmpeg knows.
        sample_rate: of the result.
        most_seconds: where to stop; None reads all of it.

    Shapes:
        (samples,) float32, −1 to 1.

    Units: sample_rate in 1/s, most_seconds in seconds.

    Raises:
        As `read_video`.
    """
    most = MOST_SAMPLES + 1 if most_seconds is None else int(most_seconds * sample_rate)
    with _opened(path) as container:
        import av

        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="flt", layout="mono", rate=sample_rate)
        pieces: list[Samples] = []
        length = 0
        for packet in container.demux(stream):
            try:
                decoded = packet.decode()
            except av.error.InvalidDataError:
                continue
            for frame in [*decoded, *([None] if packet.size == 0 else [])]:
                for piece in resampler.resample(frame):
                    pieces.append(piece.to_ndarray().astype(np.float32, copy=False).reshape(-1))
                    length += pieces[-1].size
            if length > MOST_SAMPLES:
                raise DatasetCorruptError(f"{path} has a sound track of more than {MOST_SAMPLES:,} samples.")
            if length >= most:
                break
    return np.concatenate(pieces)[:most] if length else None


def _decode(
    path: Path | str, wanted: npt.NDArray[np.int64], size: tuple[int, int] | None, fit: Fit
) -> tuple[Pixels, list[float], int]:
    """The frames in these places, when each frame up to the last of them is shown, and how many packets failed."""
    kept: dict[int, Pixels] = {}
    chosen = set(wanted.tolist())
    times: list[float] = []
    damaged, last = 0, int(wanted[-1])
    with _opened(path) as container:
        import av
        from av.video.reformatter import VideoReformatter

        stream = _pictures(container, path)
        stream.thread_type = "AUTO"
        rate = float(stream.average_rate or 25)
        scaler = VideoReformatter()
        for packet in container.demux(stream):
            try:
                decoded = packet.decode()
            except av.error.InvalidDataError:
                damaged += 1
                continue
            for frame in decoded:
                place = len(times)
                times.append(place / rate if frame.time is None else frame.time)
                if place in chosen:
                    kept[place] = _pixels(scaler, frame, size, fit)
                    _check_memory(path, kept[place], len(chosen))
            if len(times) > last:
                break
    if last not in kept:
        return np.empty((0, 0, 0, 3), np.uint8), times, damaged
    if len({pixels.shape for pixels in kept.values()}) > 1:
        raise DatasetCorruptError(f"{path} changes its size on the way: say which size it shall have.")
    return np.stack([kept[place] for place in wanted.tolist()]), times, damaged


def _pixels(scaler: Any, frame: Any, size: tuple[int, int] | None, fit: Fit) -> Pixels:
    """A frame of that size; scaled while its colours are converted, so that this costs little."""
    if size is None:
        whole: Pixels = scaler.reformat(frame, format="rgb24").to_ndarray()
        return whole
    height, width = size
    if fit == "crop":
        scale = max(height / frame.height, width / frame.width)
        width = max(width, round(frame.width * scale))
        height = max(height, round(frame.height * scale))
    pixels: Pixels = scaler.reformat(
        frame, width=width, height=height, format="rgb24", interpolation="AREA"
    ).to_ndarray()
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    return pixels[top : top + size[0], left : left + size[1]]


def _check_memory(path: Path | str, pixels: Pixels, count: int) -> None:
    if pixels.nbytes * count > MOST_BYTES:
        raise InputError(
            f"{count:,} frames of {pixels.shape[1]} × {pixels.shape[0]} pixels of {path} take "
            f"{pixels.nbytes * count / 2**30:.1f} GiB; at most {MOST_BYTES >> 30} are given: "
            f"take fewer or smaller ones."
        )


def _pictures(container: InputContainer, path: Path | str) -> Any:
    if not container.streams.video:
        raise DatasetCorruptError(f"{path} has no pictures, so it is no video.")
    stream = container.streams.video[0]
    if stream.width * stream.height > MOST_PIXELS:
        raise DatasetCorruptError(
            f"{path} announces frames of {stream.width} × {stream.height} pixels; at most {MOST_PIXELS:,} are read."
        )
    return stream


@contextmanager
def _opened(path: Path | str) -> Iterator[InputContainer]:
    try:
        import av
    except ImportError as error:
        raise MissingDependencyError('Reading video needs PyAV: pip install "mmgraph[video]".') from error
    # FFmpeg would take "http://…" or "concat:…" for an address; only files are read.
    file = Path(path).absolute()
    if not file.is_file():
        raise DatasetMissingError(f"{path} is not a file that can be read.")
    try:
        with av.open(f"file:{file}") as container:
            yield container
    except av.error.FFmpegError as error:
        raise DatasetCorruptError(f"{path} is not a video that can be read ({error.strerror}).") from error
    except OSError as error:
        raise DatasetMissingError(f"{path} cannot be read ({error.strerror}).") from error
