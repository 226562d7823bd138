"""How far similar and dissimilar pairs are apart, as a picture that is recorded."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mmgraph.runs import Snapshot

BINS = 40


def distance_histogram(part: str, distance: Tensor, similar: Tensor) -> Snapshot:
    """Share of the similar and of the dissimilar pairs by distance, with the edges of the bins.

    Args:
        part: of the data, such as "validation".
        distance: of each pair.
        similar: whether its items are of one class.

    Shapes:
        distance (n,), similar (n,) bool: a matrix (2, BINS) and edges (BINS + 1,).
    """
    distance = distance.cpu().double()
    similar = similar.cpu()
    edges = torch.linspace(0, max(float(distance.max()), 1e-12), BINS + 1, dtype=torch.float64)
    counts = [
        torch.from_numpy(np.histogram(distance[kind].numpy(), edges.numpy())[0])
        for kind in (similar, ~similar)
    ]
    shares = torch.stack([count / max(int(count.sum()), 1) for count in counts])
    return Snapshot(
        "matrix",
        f"distances/{part}",
        shares.float().numpy(),
        extras={"edges": edges.float().numpy()},
        notes={"rows": ["similar pairs", "dissimilar pairs"], "columns": "distance"},
    )
