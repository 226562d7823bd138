"""Pictures of high-dimensional vectors that keep still while a model learns."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.errors import InputError

Floats = npt.NDArray[np.float64]

_CHUNK_VALUES = 4_000_000
_WHOLE_LIMIT = 512


@dataclass(frozen=True, eq=False)
class Projection:
    """A linear map to a few dimensions: y = (x − origin) axesᵀ + offset.

    Shapes:
        origin (features,), axes (dimensions, features), offset and variances (dimensions,).
        The rows of `axes` are orthonormal; rows beyond the number of features are zero.
        `variances` belong to the fitted data along the principal axes; `total_variance` is their sum
        over all features (both divide by the number of rows).
    """

    origin: Floats
    axes: Floats
    offset: Floats
    variances: Floats
    total_variance: float

    @classmethod
    def fit(cls, vectors: npt.NDArray[Any], dimensions: int = 2) -> Projection:
        """Principal components: the directions of largest variance.

        C = (1/n) Σ (x − x̄)(x − x̄)ᵀ = Σ λᵢ vᵢ vᵢᵀ,   axes = v₁ … v_d,   λ₁ ≥ λ₂ ≥ …

        The smaller of C and the Gram matrix is decomposed, so the cost is n·features·min(n, features).
        The sign of each axis is such that its entry of largest magnitude is positive, so equal data
        always give the same picture. Rows that hold NaN or infinity are left out.

        Shapes:
            vectors (n, features).

        Raises:
            InputError: `vectors` is not a table of numbers with at least one column.

        Source:
            Pearson, On lines and planes of closest fit, 1901; Hotelling 1933.
        """
        vectors = _table(vectors)
        finite = finite_rows(vectors)
        vectors = vectors if finite.all() else vectors[finite]
        features = vectors.shape[1]
        if dimensions < 1:
            raise InputError(f"A projection has at least one dimension, not {dimensions}.")
        origin = vectors.mean(axis=0, dtype=np.float64) if len(vectors) else np.zeros(features)
        scale = 0.0
        if len(vectors):
            low, high = vectors.min(axis=0).astype(np.float64), vectors.max(axis=0).astype(np.float64)
            scale = float(np.maximum(high - origin, origin - low).max())
        axes = np.zeros((dimensions, features))
        variances = np.zeros(dimensions)
        found = min(dimensions, features)
        if scale == 0:
            axes[:found] = np.eye(found, features)
            return cls(origin, axes, np.zeros(dimensions), variances, 0.0)
        axes[:found], covariance = _principal_axes(vectors, origin, scale, found)
        if covariance is not None:
            # The data are looked at once: variances along any axes follow from the covariance.
            covariance *= scale * scale / len(vectors)
            variances = np.einsum("df,fg,dg->d", axes, covariance, axes)
            return cls(origin, axes, np.zeros(dimensions), variances, float(np.trace(covariance)))
        scores = np.concatenate([part @ axes.T for part in _centred(vectors, origin)])
        total = sum(float(np.square(part).sum()) for part in _centred(vectors, origin)) / len(vectors)
        return cls(origin, axes, np.zeros(dimensions), scores.var(axis=0), total)

    @property
    def explained(self) -> float:
        """Share of the variance of the fitted data that the picture shows, 0 … 1 (1 if there is none)."""
        return float(self.variances.sum() / self.total_variance) if self.total_variance > 0 else 1.0

    def transform(self, vectors: npt.NDArray[Any]) -> Floats:
        """Positions of the vectors; rows with NaN or infinity give NaN.

        Shapes:
            vectors (n, features) -> (n, dimensions).

        Raises:
            InputError: the number of features differs from that of the fitted data.
        """
        vectors = _table(vectors)
        if vectors.shape[1] != len(self.origin):
            raise InputError(
                f"This projection was fitted to vectors of {len(self.origin)} features, "
                f"and got {vectors.shape[1]}; fit a new one."
            )
        finite = finite_rows(vectors)
        some = vectors if finite.all() else vectors[finite]
        parts = [part @ self.axes.T for part in _centred(some, self.origin)]
        found: Floats = np.concatenate(parts) + self.offset if parts else np.zeros((0, len(self.axes)))
        if len(found) == len(vectors):
            return found
        positions = np.full((len(vectors), len(self.axes)), np.nan)
        positions[finite] = found
        return positions

    def aligned_to(self, previous_layout: npt.NDArray[Any], vectors: npt.NDArray[Any]) -> Projection:
        """The same picture turned, mirrored and moved (never scaled) to lie as close as it can to an earlier one.

        min over R, t of Σ ‖yᵢ R + t − pᵢ‖²   with Rᵀ R = I:   R = U Vᵀ where (y − ȳ)ᵀ (p − p̄) = U Σ Vᵀ

        Shapes:
            previous_layout (n, dimensions) positions of the same n items, vectors (n, features).
            Rows that are not finite in either are left out.

        Raises:
            InputError: the shapes do not belong together.

        Source:
            Schönemann, A generalized solution of the orthogonal Procrustes problem, 1966.
        """
        previous_layout = _table(previous_layout)
        now = self.transform(vectors)
        if previous_layout.shape != now.shape:
            raise InputError(
                f"The earlier layout has shape {previous_layout.shape}, but these vectors give {now.shape}."
            )
        both = finite_rows(previous_layout) & finite_rows(now)
        if not both.any():
            return self
        now, previous = now[both], previous_layout[both].astype(np.float64)
        now_mean, previous_mean = now.mean(axis=0), previous.mean(axis=0)
        u, _, vt = np.linalg.svd((now - now_mean).T @ (previous - previous_mean))
        rotation = u @ vt
        return replace(
            self,
            axes=rotation.T @ self.axes,
            offset=(self.offset - now_mean) @ rotation + previous_mean,
        )

    def variance_kept(self, vectors: npt.NDArray[Any]) -> float:
        """Variance of other vectors that this picture shows, in their units squared."""
        return _spread(self.transform(vectors))


@dataclass(frozen=True, eq=False)
class Placement:
    """Where to draw each vector.

    Shapes:
        positions (n, dimensions), NaN where `finite` (n,) is False. `explained` is the share of variance
        shown; `refitted` says that the axes are new, so that all points may have moved.
    """

    positions: Floats
    finite: npt.NDArray[np.bool_]
    explained: float
    refitted: bool


class StableProjector:
    """Projects the vectors of a run, step after step, so that unchanged vectors do not move.

    One set of axes is kept for as long as it shows the data nearly as well as fresh principal components:

        kept(axes) ≥ keep · kept(principal components of these vectors)

    Otherwise new components are fitted and aligned (turned, mirrored, moved) to the last layout. Each step
    remembers its axes, so going back shows what was there before; a new step starts from the axes of
    the nearest step before it.

    Args:
        dimensions: 2, or 3.
        keep: share of the best possible variance that is good enough to keep still. At 0.9 the picture
            loses at most a tenth of what it could show.
    """

    def __init__(self, dimensions: int = 2, keep: float = 0.9) -> None:
        if not 0 <= keep <= 1:
            raise InputError(f"keep is a share from 0 to 1, not {keep}.")
        self.dimensions = dimensions
        self.keep = keep
        self._by_step: dict[int, Projection] = {}
        self._steps: list[int] = []
        self._last: Floats | None = None

    def project(self, vectors: npt.NDArray[Any], step: int) -> Placement:
        """Positions of the vectors of one step.

        Shapes:
            vectors (n, features).
        """
        vectors = _table(vectors)
        fresh = Projection.fit(vectors, self.dimensions)
        best = float(fresh.variances.sum())
        current = self._near(step)
        if current is not None and len(current.origin) != vectors.shape[1]:
            current = None
        positions = current.transform(vectors) if current is not None else None
        if positions is not None and _spread(positions) < self.keep * best:
            current = None
        refitted = current is None
        if current is None or positions is None:
            current = fresh
            if self._last is not None and len(self._last) == len(vectors):
                current = fresh.aligned_to(self._last, vectors)
            positions = current.transform(vectors)
        if step not in self._by_step:
            bisect.insort(self._steps, step)
        self._by_step[step] = current
        self._last = positions
        explained = _spread(positions) / fresh.total_variance if fresh.total_variance > 0 else 1.0
        return Placement(positions, finite_rows(positions), explained, refitted)

    def locate(self, vectors: npt.NDArray[Any], step: int) -> Floats | None:
        """Positions of other vectors among those of a step; None where that step has not been projected.

        Shapes:
            vectors (n, features) -> (n, dimensions).
        """
        known = self._by_step.get(step)
        vectors = _table(vectors)
        if known is None or len(known.origin) != vectors.shape[1]:
            return None
        return known.transform(vectors)

    def _near(self, step: int) -> Projection | None:
        if not self._steps:
            return None
        place = bisect.bisect_right(self._steps, step)
        return self._by_step[self._steps[max(place - 1, 0)]]


def finite_rows(vectors: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which rows hold no NaN and no infinity: (n, features) -> (n,)."""
    if vectors.dtype.kind != "f" or not vectors.size:
        return np.ones(len(vectors), dtype=bool)
    # A sum is finite only if all of its parts are; where it is not, they are looked at one by one. Along short rows
    # that is ten times faster than looking at all.
    with np.errstate(all="ignore"):
        finite: npt.NDArray[np.bool_] = np.isfinite(vectors @ np.ones(vectors.shape[1], vectors.dtype))
    doubtful = np.flatnonzero(~finite)
    finite[doubtful] = np.isfinite(vectors[doubtful]).all(axis=1)
    return finite


def _spread(positions: Floats) -> float:
    """Variance of the finite positions, summed over the dimensions."""
    finite = finite_rows(positions)
    if not finite.any():
        return 0.0
    some = positions if finite.all() else positions[finite]
    return float(sum(column.var() for column in some.T))


def _table(vectors: npt.NDArray[Any]) -> npt.NDArray[Any]:
    vectors = np.asarray(vectors)
    if vectors.ndim != 2 or vectors.shape[1] == 0 or vectors.dtype.kind not in "fiub":
        raise InputError(
            "Expected a table of numbers of shape (items, features) with at least one feature, "
            f"not {vectors.dtype} of shape {vectors.shape}."
        )
    return vectors


def _centred(vectors: npt.NDArray[Any], origin: Floats) -> Any:
    """float64 pieces of bounded size, so that a large float32 table is never copied whole."""
    rows = max(1, _CHUNK_VALUES // vectors.shape[1])
    for start in range(0, len(vectors), rows):
        yield vectors[start : start + rows].astype(np.float64) - origin


def _principal_axes(
    vectors: npt.NDArray[Any], origin: Floats, scale: float, found: int
) -> tuple[Floats, Floats | None]:
    """Orthonormal rows; the data are divided by `scale`, because squares of extreme values leave float64."""
    rows, features = vectors.shape
    covariance: Floats | None = None
    if features <= rows:
        covariance = np.zeros((features, features))
        for part in _centred(vectors, origin):
            part /= scale
            covariance += part.T @ part
        axes = _leading(covariance, found)
    else:
        centred = np.concatenate(list(_centred(vectors, origin))) / scale
        axes = _leading(centred @ centred.T, min(found, rows)) @ centred
        # Where the data span fewer dimensions than are wanted, any directions square to them do.
        spare = np.eye(found, features)
        lengths = np.linalg.norm(axes, axis=1, keepdims=True)
        axes = axes[lengths[:, 0] > 1e-7 * lengths.max()]
        axes = np.linalg.qr(np.concatenate([axes, spare]).T)[0].T[:found]
    largest = np.abs(axes).argmax(axis=1)
    signs = np.sign(axes[np.arange(found), largest])
    return np.asarray(axes * signs[:, None]), covariance


def _leading(matrix: Floats, found: int) -> Floats:
    """Eigenvectors of the largest eigenvalues of a symmetric matrix, as rows, largest first."""
    size = len(matrix)
    if size <= _WHOLE_LIMIT:
        columns = np.linalg.eigh(matrix)[1]
    else:
        from scipy.linalg import eigh

        columns = eigh(matrix, subset_by_index=(size - found, size - 1))[1]
    return np.asarray(columns[:, ::-1].T[:found])
