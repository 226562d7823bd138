"""One picture laid over another: turned, mirrored, moved, and made as large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.analysis.projection import finite_rows
from mmgraph.errors import InputError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Alignment:
    """A similarity: y = s (x − x̄) R + p̄.

    Args:
        rotation: R, orthonormal; it may mirror.
        scale: s.
        origin: x̄, offset: p̄.
        disparity: share of the reference's spread that is left, from 0 (they coincide) to 1.

    Shapes:
        rotation (dimensions, dimensions), origin and offset (dimensions,).
    """

    rotation: Floats
    scale: float
    origin: Floats
    offset: Floats
    disparity: float

    @classmethod
    def fit(cls, points: npt.NDArray[Any], reference: npt.NDArray[Any], *, scaled: bool = True) -> Alignment:
        """The one that brings points closest to a reference, row by row.

        min over s, R, t of Σ ‖s xᵢ R + t − pᵢ‖²:   (x − x̄)ᵀ (p − p̄) = U Σ Vᵀ,   R = U Vᵀ,   s = tr Σ / Σ ‖xᵢ − x̄‖²

        Args:
            scaled: whether s is fitted; otherwise it is 1.

        Shapes:
            points, reference (n, dimensions); rows that are not finite in either are left out.

        Raises:
            InputError: the shapes differ, or these are no tables.

        Source:
            Schönemann, Carroll, Fitting one matrix to another under choice of a central dilation and a rigid
            motion, 1970.
        """
        points, reference = (np.asarray(one, dtype=np.float64) for one in (points, reference))
        if points.shape != reference.shape or points.ndim != 2:
            raise InputError(
                f"Alignment needs two tables of the same shape, not {points.shape} and {reference.shape}."
            )
        both = finite_rows(points) & finite_rows(reference)
        points, reference = points[both], reference[both]
        dimensions = points.shape[1]
        if not len(points):
            return cls(np.eye(dimensions), 1.0, np.zeros(dimensions), np.zeros(dimensions), 1.0)
        origin, offset = points.mean(axis=0), reference.mean(axis=0)
        points, reference = points - origin, reference - offset
        u, found, vt = np.linalg.svd(points.T @ reference)
        size, wanted = float((points**2).sum()), float((reference**2).sum())
        scale = float(found.sum()) / size if scaled and size > 0 and found.sum() > 0 else 1.0
        rotation = u @ vt
        left = float(((scale * points @ rotation - reference) ** 2).sum())
        return cls(rotation, scale, origin, offset, min(left / wanted, 1.0) if wanted > 0 else 0.0)

    def apply(self, points: npt.NDArray[Any]) -> Floats:
        """Where points come to lie: (n, dimensions) -> (n, dimensions)."""
        return np.asarray(
            self.scale * (np.asarray(points, dtype=np.float64) - self.origin) @ self.rotation + self.offset
        )
