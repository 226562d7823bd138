"""Which items two models answer rightly. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmgraph_gui.state import AppState
from mmgraph_gui.state.selection import Rows
from mmgraph_gui.state.step_lock import Common


@dataclass(frozen=True, eq=False)
class Answers:
    """Rows of the left run's items, by who is right about them.

    Args:
        unlike: both are wrong or have no label, and say different things.
    """

    both: Rows
    left: Rows
    right: Rows
    neither: Rows
    unlike: Rows

    @classmethod
    def of(cls, left: AppState, right: AppState, common: Common) -> Answers | None:
        """Those at the steps that are shown; None where a run recorded no predictions or no items are shared."""
        one, other, items = left.prediction, right.prediction, left.items
        if one is None or other is None or items is None or not len(common):
            return None
        known = (common.left < len(one.classes)) & (common.right < len(other.classes))
        rows = common.left[known]
        said, told = one.classes[rows], other.classes[common.right[known]]
        answered = (said >= 0) & (told >= 0)
        rows, said, told = rows[answered], said[answered], told[answered]
        labels = items.labels[rows] if items.labels is not None else np.full(len(rows), -1)
        fine, other_fine = (said == labels) & (labels >= 0), (told == labels) & (labels >= 0)
        neither = ~fine & ~other_fine & (labels >= 0)
        return cls(
            rows[fine & other_fine],
            rows[fine & ~other_fine],
            rows[other_fine & ~fine],
            rows[neither],
            rows[~fine & ~other_fine & (said != told)],
        )
