from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from mmgraph.runs import SnapshotInfo
from mmgraph_gui.views.embedding.placing import Placed


@pytest.fixture
def placed() -> Callable[[int, Sequence[int], Sequence[Sequence[float]]], Placed]:
    """Makes a placement of some rows at a step."""

    def make(step: int, rows: Sequence[int], positions: Sequence[Sequence[float]]) -> Placed:
        places = np.array(positions, dtype=np.float32).reshape(len(rows), -1 if len(rows) else 3)
        axes = ("items", "features")
        info = SnapshotInfo(
            step, step, 0.0, 0.0, "embedding", "fc", axes, places.shape, "float32", "a", "items", 0
        )
        return Placed(info, "PCA", places, np.array(rows, dtype=np.int64), "")

    return make
