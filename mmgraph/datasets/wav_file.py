"""Sound from WAV files of any rate and width."""

from __future__ import annotations

import io
import math
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mmgraph.errors import DatasetCorruptError, DatasetMissingError, InputError

Samples = npt.NDArray[np.float32]

MOST_BYTES = 1 << 30
"""Of one file."""
MOST_RATE = 768_000
"""Samples in a second of any recorder there is; filters to other rates grow with it."""


def read_wav(source: Path | str | bytes, sample_rate: int | None = None, *, name: str = "") -> Samples:
    """One channel of sound, the mean of those in the file.

    Whole numbers of 8, 16, 24, 32 and 64 bits become −1 to 1; floating-point numbers stay as they are. Another rate is
    reached by a polyphase filter that lets no frequency above half the lower rate pass.

    Args:
        source: a file, or what is in it.
        sample_rate: of the result; None keeps that of the file.
        name: for messages, of bytes.

    Shapes:
        (samples,) float32.

    Units: sample_rate in 1/s.

    Raises:
        DatasetMissingError: the file cannot be read.
        DatasetCorruptError: it is not a WAV file, is damaged, or holds no sound.
        InputError: a rate below one.
    """
    samples, rate = read_wav_channels(source, name=name)
    mono: Samples = samples.mean(axis=1, dtype=np.float32)
    return mono if sample_rate is None else resample(mono, rate, sample_rate)


def read_wav_channels(source: Path | str | bytes, *, name: str = "") -> tuple[Samples, int]:
    """All channels, and their rate.

    Shapes:
        (samples, channels) float32.

    Raises:
        As `read_wav`.
    """
    from scipy.io import wavfile

    if isinstance(source, bytes):
        content, name = source, name or "the WAV file"
    else:
        name = str(source)
        try:
            if Path(source).stat().st_size > MOST_BYTES:
                raise DatasetCorruptError(f"{name} is larger than {MOST_BYTES:,} bytes, more than is read.")
            content = Path(source).read_bytes()
        except OSError as error:
            raise DatasetMissingError(f"{name} cannot be read ({error.strerror}).") from error
    try:
        with warnings.catch_warnings():
            # Chunks that say who made it are no sound; a file that ends early is an error, not a remark.
            warnings.filterwarnings("ignore", message="Chunk .* not understood")
            warnings.filterwarnings("error", message="Reached EOF prematurely")
            rate, raw = wavfile.read(io.BytesIO(content))
    except Exception as error:  # SciPy raises whatever a damaged header makes of its arithmetic
        raise DatasetCorruptError(f"{name} is not a WAV file that can be read ({error}).") from error
    if raw.size == 0 or rate < 1:
        raise DatasetCorruptError(f"{name} holds no sound: {len(raw)} samples at {rate} per second.")
    if rate > MOST_RATE:
        raise DatasetCorruptError(
            f"{name} announces {rate:,} samples per second; at most {MOST_RATE:,} are read."
        )
    raw = raw.reshape(len(raw), -1)
    samples: Samples
    if raw.dtype.kind == "f":
        samples = raw.astype(np.float32)
    elif raw.dtype == np.uint8:
        samples = np.asarray((raw.astype(np.float32) - 128) / 128, dtype=np.float32)
    else:
        samples = np.asarray(raw / -float(np.iinfo(raw.dtype).min), dtype=np.float32)
    if not np.isfinite(samples).all():
        raise DatasetCorruptError(f"{name} holds samples that are not numbers.")
    return samples, int(rate)


def resample(samples: Samples, rate: int, wanted: int) -> Samples:
    """The same sound with another number of samples per second.

    Shapes:
        (samples,): (⌈samples · wanted / rate⌉,).

    Raises:
        InputError: a rate below one.
    """
    if min(rate, wanted) < 1:
        raise InputError(f"Expected positive sample rates, but got {rate} and {wanted}.")
    if rate == wanted:
        return samples
    from scipy.signal import resample_poly

    shared = math.gcd(rate, wanted)
    result: Samples = resample_poly(samples, wanted // shared, rate // shared).astype(np.float32)
    return result
