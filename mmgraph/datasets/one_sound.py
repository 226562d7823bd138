"""One sound of a person's own, or the sound track of a clip, as a model hears it. The file may be hostile."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, overload

import numpy as np
import numpy.typing as npt

from mmgraph.datasets.image_files import MOST_BYTES
from mmgraph.datasets.wav_file import read_wav_channels, resample
from mmgraph.errors import DatasetError, InputError

Samples = npt.NDArray[np.float32]

SOUNDS = (".flac", ".mp3", ".ogg", ".wav")
MOST_SECONDS = 60
"""Of one sound; what comes later is not heard."""
QUIET = 0.1
"""Share of the loudest moment from which on there is something to hear."""


def is_sound(path: Path | str) -> bool:
    """Whether the name of a file says that it is a sound."""
    return Path(path).suffix.lower() in SOUNDS


@overload
def read_one_sound(path: Path | str, sample_rate: int, *, optional: Literal[False] = False) -> Samples: ...
@overload
def read_one_sound(path: Path | str, sample_rate: int, *, optional: bool) -> Samples | None: ...
def read_one_sound(path: Path | str, sample_rate: int, *, optional: bool = False) -> Samples | None:
    """One channel of a sound file, or of the sound track of a clip; of more than a minute the first.

    Args:
        path: of a WAV file, or of one in any format that FFmpeg knows.
        sample_rate: of the result.
        optional: whether a clip may be silent: it gives None then.

    Shapes:
        (samples,) float32.

    Units: sample_rate in 1/s.

    Raises:
        InputError: the file cannot be read, holds no sound, or is too large.
        MissingDependencyError: PyAV is not installed, and it is no WAV file.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(
                f"'{path.name}' is larger than {MOST_BYTES >> 20} MB, more than is read of a sound."
            )
        content = path.read_bytes() if path.suffix.lower() == ".wav" else None
    except OSError as error:
        raise InputError(f"'{path}' cannot be read ({error.strerror}).") from error
    try:
        if content is not None:
            channels, rate = read_wav_channels(content, name=f"'{path.name}'")
            return resample(channels[: rate * MOST_SECONDS].mean(axis=1), rate, sample_rate)
        from mmgraph.datasets.video_file import read_sound

        found = read_sound(path, sample_rate, MOST_SECONDS)
    except DatasetError as error:
        raise InputError(str(error)) from error
    if found is None and not optional:
        raise InputError(f"'{path.name}' holds no sound.")
    return None if found is None else np.nan_to_num(found)


def from_first_sound(samples: Samples, count: int) -> Samples:
    """So many samples, from where the sound is a tenth as loud as at its loudest; silence behind what is shorter.

    Shapes:
        (samples,): (count,).
    """
    loudness = np.abs(samples)
    start = int(np.argmax(loudness >= QUIET * float(loudness.max(initial=0.0)))) if len(samples) else 0
    kept = samples[start : start + count]
    whole: Samples = np.pad(kept, (0, count - len(kept))).astype(np.float32)
    return whole
