"""Which neighbour has the largest value, by a compiled kernel for the CPU."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mmgraph.graph.compiled import kernel


@kernel
def find_largest_sources(
    rowptr: npt.NDArray[np.int64],
    col: npt.NDArray[np.int64],
    x: npt.NDArray[np.floating],
    winners: npt.NDArray[np.int64],
) -> None:
    """Write into `winners`, for every row that is not empty and every channel, the column with the largest x.

    Of equal ones the first wins; NaN is larger than every number.

    Shapes:
        rowptr (num_rows + 1,), col (E,), x (num_cols, channels), winners (num_rows, channels).
    """
    channels = x.shape[1]
    best = np.empty(channels, dtype=x.dtype)
    for row in range(len(rowptr) - 1):
        start, end = rowptr[row], rowptr[row + 1]
        if start == end:
            continue
        first = col[start]
        for channel in range(channels):
            best[channel] = x[first, channel]
            winners[row, channel] = first
        for entry in range(start + 1, end):
            source = col[entry]
            for channel in range(channels):
                value = x[source, channel]
                wins = (value > best[channel]) | ((value != value) & (best[channel] == best[channel]))
                best[channel] = value if wins else best[channel]
                winners[row, channel] = source if wins else winners[row, channel]
