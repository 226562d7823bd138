"""Colours that colour-blind eyes can tell apart, on light and dark."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

_OKABE_ITO = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#b5a800")
"""Source: Okabe, Ito, "Color Universal Design", 2008. Differs: the yellow is darker, to be seen on white."""

_FURTHER = ("#8d5fd3", "#94653a", "#7cb342")

UNKNOWN = "#8b919a"
_LOW, _MIDDLE, _HIGH = np.array([[0, 94, 160], [244, 244, 242], [196, 78, 0]], dtype=np.float64)


def rgb(colour: str) -> tuple[int, int, int]:
    """ "#rrggbb" as numbers."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _mixed(colour: str, other: int, share: float) -> str:
    return "#" + "".join(f"{round((1 - share) * part + share * other):02x}" for part in rgb(colour))


_TEN = (*_OKABE_ITO, *_FURTHER)

CATEGORIES = (
    *_TEN,
    *(_mixed(colour, 255, 0.45) for colour in _TEN),
    *(_mixed(colour, 0, 0.4) for colour in _TEN),
)
"""30 colours that show on light and dark, the plainest first; further classes start over."""


def category(code: int) -> str:
    """Colour of a class; grey for −1."""
    return CATEGORIES[code % len(CATEGORIES)] if code >= 0 else UNKNOWN


def diverging(values: npt.NDArray[Any]) -> Bytes:
    """Numbers in 0 … 1 as blue, near white (0.5), orange; NaN as grey: (…) -> (…, 3)."""
    place = (np.nan_to_num(np.asarray(values, dtype=np.float64), nan=0.5)[..., None] - 0.5) * 2
    colours = _MIDDLE + np.where(place < 0, -place * (_LOW - _MIDDLE), place * (_HIGH - _MIDDLE))
    colours[np.isnan(values)] = rgb(UNKNOWN)
    return np.asarray(np.rint(colours), dtype=np.uint8)
