"""What stands beside the colours of curves: as much as there is room for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetricsF

GAP = 12
"""Pixels between two entries."""
SHORT = {"validation": "valid."}
"""Names where there is little room."""


def swatch(metrics: QFontMetricsF) -> float:
    """Pixels that an entry needs beside its words."""
    return metrics.ascent() * 0.6 + 4 + GAP


def run_words(runs: Sequence[tuple[str, str]], metrics: QFontMetricsF, room: float) -> dict[str, str]:
    """The names of runs, each as wide as the others, cut in the middle; the last are left out where there is no room.

    Args:
        runs: (key, name) of each.
    """
    room += GAP
    each = max(room / len(runs) - swatch(metrics), 3 * metrics.averageCharWidth())
    most = max(int(room / (each + swatch(metrics))), 1)
    return {key: metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, each) for key, name in runs[:most]}


def value_words(
    read: Mapping[str, float], metrics: QFontMetricsF, room: float, *, told: bool
) -> dict[str, str]:
    """Name and value of each curve, the names alone where there is little room; at last names cut where it ends.

    A value without a name would not say whose it is, and values are read at the cross-hair too.

    Args:
        told: NaN is written as a value.
    """
    room += GAP
    words: dict[str, str] = {}
    for short, digits in ((False, 4), (False, 3), (True, 3), (False, 0), (True, 0)):
        words = {
            key: _worded(SHORT.get(key, key) if short else key, value, digits, told=told)
            for key, value in read.items()
        }
        if sum(metrics.horizontalAdvance(text) + swatch(metrics) for text in words.values()) <= room:
            return words
    return _shortened(words, metrics, room)


def _shortened(words: Mapping[str, str], metrics: QFontMetricsF, room: float) -> dict[str, str]:
    """The same, cut where the room ends; what comes after it is left out."""
    shortened: dict[str, str] = {}
    for key, text in words.items():
        room -= swatch(metrics)
        if room < min(map(metrics.horizontalAdvance, (text, text[:2] + "…"))):
            break
        shortened[key] = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        room -= metrics.horizontalAdvance(text)
    return shortened


def _worded(part: str, value: float, digits: int, *, told: bool) -> str:
    """Name and value of a curve; of NaN only where it is `told`, of no digits the name alone."""
    number = "" if not digits or (np.isnan(value) and not told) else f"{value:.{digits}g}"
    return " ".join(word for word in (part, number) if word)
