"""Palettes of classes, and how far their colours can be told apart by colour-blind eyes. No Qt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

OKABE_ITO = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
"""Source: Okabe, Ito, "Color Universal Design", 2008 (without black, which a dark window swallows)."""

PALETTES: dict[str, tuple[str, ...]] = {
    "Okabe and Ito": OKABE_ITO,
    "Tol, bright": ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb"),
    "Tol, muted": (
        *("#cc6677", "#332288", "#ddcc77", "#117733", "#88ccee", "#882255", "#44aa99", "#999933", "#aa4499"),
    ),
    "Tol, high contrast": ("#004488", "#ddaa33", "#bb5566"),
}
"""Source: of Tol's, Paul Tol, "Colour Schemes", SRON technical note, 2021."""

DEFAULT = "Okabe and Ito"
FEWEST, MOST = 2, 24
ALIKE = 8.0
"""Colours nearer to each other than this many units of CIELAB are hard to tell apart as dots."""

# Source: Machado, Oliveira, Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency",
# IEEE TVCG 2009, table 1, severity 1; on linear RGB.
VISIONS: dict[str, npt.NDArray[np.float64]] = {
    "ordinary": np.eye(3),
    "without red cones": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "without green cones": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "without blue cones": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def rgb(colour: str) -> tuple[int, int, int]:
    """ "#rrggbb" as numbers."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def is_colour(text: object) -> bool:
    """Whether it is "#rrggbb"."""
    return (
        isinstance(text, str)
        and len(text) == 7
        and text[0] == "#"
        and all(letter in "0123456789abcdefABCDEF" for letter in text[1:])
    )


def mixed(colour: str, other: str, share: float) -> str:
    """A colour with a share of another in it."""
    parts = ((1 - share) * a + share * b for a, b in zip(rgb(colour), rgb(other), strict=True))
    return "#" + "".join(f"{round(part):02x}" for part in parts)


def extended(colours: Sequence[str]) -> tuple[str, ...]:
    """The colours, then darker and lighter ones of them, for data with more classes."""
    return (
        *colours,
        *(mixed(colour, "#000000", 0.45) for colour in colours),
        *(mixed(colour, "#ffffff", 0.55) for colour in colours),
    )


def seen(colours: Sequence[str], vision: str) -> list[str]:
    """The colours as somebody with that kind of vision sees them."""
    linear = _linear(np.array([rgb(colour) for colour in colours]) / 255) @ VISIONS[vision].T
    shown = np.clip(linear, 0, 1)
    stored = np.where(shown <= 0.0031308, shown * 12.92, 1.055 * shown ** (1 / 2.4) - 0.055)
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in np.rint(stored * 255).astype(int).tolist()]


def alike(colours: Sequence[str], vision: str = "ordinary") -> list[tuple[int, int]]:
    """Pairs of places whose colours are hard to tell apart with that kind of vision, the most alike first."""
    lab = _lab(seen(colours, vision))
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    pairs = [(int(i), int(j)) for i, j in zip(*np.triu_indices(len(colours), 1), strict=True)]
    return sorted((pair for pair in pairs if apart[pair] < ALIKE), key=lambda pair: apart[pair])


def _linear(stored: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(np.where(stored <= 0.04045, stored / 12.92, ((stored + 0.055) / 1.055) ** 2.4))


def _lab(colours: Sequence[str]) -> npt.NDArray[np.float64]:
    """CIELAB under D65: (n, 3)."""
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    linear = _linear(np.array([rgb(colour) for colour in colours]) / 255)
    xyz = linear @ to_xyz.T / to_xyz.sum(axis=1)
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = root.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)
