"""Pairs or triplets of items that the branches of a Siamese network saw, and how far apart it found them. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmgraph.errors import RunDamagedError
from mmgraph.runs import Snapshot, SnapshotInfo
from mmgraph_gui.state.selection import Rows

HARDEST, RECORDED = "hardest", "recorded"


@dataclass(frozen=True, eq=False)
class Branches:
    """What the first branch saw and what it is compared with, a row each.

    Args:
        info: the snapshot it is from.
        rows: rows of the item set, a column per branch.
        distances: of each further branch to the first.
        similar: whether it is of the class of the first.
        names: of the branches.
        measure: which distance it is.
        threshold: branches up to so far apart are judged similar; None where none is known.
        embedding: layer of the vectors.

    Shapes:
        rows (n, branches), distances and similar (n, branches − 1).
    """

    info: SnapshotInfo
    rows: Rows
    distances: npt.NDArray[np.float64]
    similar: npt.NDArray[np.bool_]
    names: tuple[str, ...]
    measure: str = "distance"
    threshold: float | None = None
    embedding: str = ""

    @classmethod
    def of(cls, snapshot: Snapshot, info: SnapshotInfo) -> Branches:
        """What a snapshot of pairs holds.

        Raises:
            RunDamagedError: its parts do not fit together.
        """
        rows, similar = snapshot.extras.get("branches"), snapshot.extras.get("similar")
        distances, notes = snapshot.array, snapshot.notes
        if (
            rows is None
            or similar is None
            or distances.ndim != 2
            or rows.shape != (len(distances), distances.shape[1] + 1)
            or similar.shape != distances.shape
            or rows.dtype.kind not in "iu"
        ):
            raise RunDamagedError(
                f"The snapshot '{info.layer}' of step {info.step} does not say which items its distances are of."
            )
        names = tuple(str(name) for name in notes.get("branches", ()))
        threshold = notes.get("threshold")
        return cls(
            info,
            rows.astype(np.int64),
            distances.astype(np.float64),
            similar.astype(bool),
            (names + tuple(f"branch {number + 1}" for number in range(len(names), rows.shape[1])))[
                : rows.shape[1]
            ],
            str(notes.get("distance", "distance")),
            float(threshold) if isinstance(threshold, int | float) else None,
            str(notes.get("embedding", "")),
        )

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def noun(self) -> str:
        """What one of them is called."""
        return {2: "pair", 3: "triplet"}.get(self.rows.shape[1], "tuple")

    @property
    def judged(self) -> npt.NDArray[np.bool_] | None:
        """Whether the network takes them for similar; None without a threshold."""
        if self.threshold is None:
            return None
        return np.asarray(self.distances <= self.threshold)

    @property
    def wrong(self) -> npt.NDArray[np.bool_]:
        """Whether some branch of a row is misjudged; of none is that known without a threshold."""
        judged = self.similar if self.judged is None else self.judged
        misjudged: npt.NDArray[np.bool_] = (judged != self.similar).any(axis=1)
        return misjudged

    @property
    def hardness(self) -> npt.NDArray[np.float64]:
        """How much farther similar branches are than dissimilar ones, or than the threshold in rows of one kind."""
        middle = self.threshold or 0.0
        near = _mean(self.distances, self.similar, middle)
        far = _mean(self.distances, ~self.similar, middle)
        return np.nan_to_num(near - far, nan=np.inf)

    def order(self, by: str, *, wrong_only: bool = False, among: Rows | None = None) -> Rows:
        """Which rows to show.

        Args:
            by: "hardest" or "recorded".
            wrong_only: only those of which something is misjudged.
            among: only those that hold one of these items.
        """
        order = np.argsort(-self.hardness, kind="stable") if by == HARDEST else np.arange(len(self))
        if wrong_only:
            order = order[self.wrong[order]]
        if among is not None:
            order = order[np.isin(self.rows[order], among).any(axis=1)]
        return order.astype(np.int64)

    def verdict(self, row: int, branch: int) -> str:
        """What is said of a branch in words."""
        distance = f"{self.distances[row, branch - 1]:.3g}"
        known = self.judged
        if known is None:
            return distance
        judged, similar = bool(known[row, branch - 1]), bool(self.similar[row, branch - 1])
        return f"{distance} {'similar' if judged else 'dissimilar'} {'✓' if judged == similar else '✗'}"


def _mean(
    distances: npt.NDArray[np.float64], kind: npt.NDArray[np.bool_], otherwise: float
) -> npt.NDArray[np.float64]:
    """Mean distance of one kind of branch in each row; a number where a row has none."""
    count = kind.sum(axis=1)
    total = np.where(kind, distances, 0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), otherwise)


def vectors_of(snapshot: Snapshot, rows: Rows) -> npt.NDArray[np.float32]:
    """The vectors that an embedding holds of these items; NaN where it holds none.

    Shapes:
        rows (n, branches): (n, branches, features).
    """
    array, recorded = snapshot.array, snapshot.extras.get("rows")
    if recorded is None:
        places = np.where((rows >= 0) & (rows < len(array)), rows, -1)
    else:
        order = np.argsort(recorded, kind="stable")
        found = np.minimum(np.searchsorted(recorded[order], rows), len(recorded) - 1)
        places = np.where(recorded[order][found] == rows, order[found], -1)
    vectors = array[places].astype(np.float32)
    vectors[places < 0] = np.nan
    return vectors
