"""Sound and moving pictures of items: parts of different lengths, one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.errors import InputError

Array = npt.NDArray[Any]

MOST_BYTES = 32 * 2**20
"""Of the sounds, and of the clips, of an item set; the window holds them in memory."""
LOUDEST = 32767


@dataclass(frozen=True, eq=False)
class Recordings:
    """What can be heard or seen of each item: `recordings[row]`; empty where an item has none.

    Args:
        values: all parts, one after the other: sound as int16, frames of one size as uint8.
        ends: where each part ends.
        rate: samples or frames in a second.

    Shapes:
        values (samples,), (frames, height, width) or (frames, height, width, 3); ends (n,).

    Raises:
        InputError: types or shapes do not fit, the ends do not rise to the last value, or no rate.
    """

    values: Array
    ends: Array
    rate: float

    def __post_init__(self) -> None:
        values, ends = self.values, self.ends
        is_sound = values.dtype == np.int16 and values.ndim == 1
        is_clip = values.dtype == np.uint8 and (
            values.ndim == 3 or (values.ndim == 4 and values.shape[-1] == 3)
        )
        if not (is_sound or is_clip):
            raise InputError(
                "Recordings are int16 (samples,) or uint8 (frames, height, width) or (frames, height, width, 3), not "
                f"{values.dtype} of shape {values.shape}."
            )
        steps = np.diff(ends, prepend=0) if ends.ndim == 1 and ends.dtype.kind in "iu" else np.array([-1])
        if (steps < 0).any() or (len(values) if not len(ends) else int(ends[-1]) - len(values)) != 0:
            raise InputError(f"Ends of recordings rise to {len(values)}, the number of values, not {ends!r}.")
        if not (np.isfinite(self.rate) and self.rate > 0):
            raise InputError(f"Recordings have a rate above 0 per second, not {self.rate}.")

    @classmethod
    def of_sounds(
        cls, sounds: Iterable[npt.NDArray[Any]], rate: float, most_bytes: int = MOST_BYTES
    ) -> Recordings:
        """Sound from samples −1 … 1; what is louder somewhere is made quieter as a whole.

        Args:
            most_bytes: the first sounds that fit are kept, later items have none.

        Shapes:
            each (samples,).
        """
        parts = []
        for sound in sounds:
            finite = np.nan_to_num(np.asarray(sound, dtype=np.float64))
            peak = max(float(np.abs(finite).max(initial=0)), 1.0)
            parts.append(np.rint(finite / peak * LOUDEST).astype(np.int16))
        return cls._joined(parts, rate, most_bytes, np.zeros(0, np.int16))

    @classmethod
    def of_clips(
        cls, clips: Iterable[npt.NDArray[np.uint8]], rate: float, most_bytes: int = MOST_BYTES
    ) -> Recordings:
        """Frames of one size; of more bytes than may be kept the first clips that fit.

        Shapes:
            each (frames, height, width) or (frames, height, width, 3).
        """
        parts = list(clips)
        empty = parts[0][:0] if parts else np.zeros((0, 1, 1, 3), np.uint8)
        if any(part.shape[1:] != empty.shape[1:] for part in parts):
            raise InputError(
                f"Frames of clips have one size, not {sorted({part.shape[1:] for part in parts})}."
            )
        return cls._joined(parts, rate, most_bytes, empty)

    @classmethod
    def _joined(cls, parts: list[Array], rate: float, most_bytes: int, empty: Array) -> Recordings:
        total, kept = 0, []
        for part in parts:
            total += part.nbytes
            kept.append(part if total <= most_bytes else empty)
        ends = np.cumsum([len(part) for part in kept], dtype=np.int64)
        return cls(np.concatenate([empty, *kept]), ends, float(rate))

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, row: int) -> Array:
        if not 0 <= row < len(self):
            raise IndexError(row)
        return self.values[int(self.ends[row - 1]) if row else 0 : int(self.ends[row])]
