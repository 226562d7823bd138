"""Skip-gram out of torch's operators, many nodes of walks at once: for GPUs.

The pairs, random numbers and loss are those of `skip_gram`. With nodes v_wj of walks w and outputs n_wik, which are the
node v_wi itself for k = 0 and else what its contexts are held against,

    S_wikj = r (δ_k0 − σ(y_{n_wik} · x_{v_wj})) for contexts j of i, else 0
    x_{v_wj} += Σ_ik S_wikj y_{n_wik},   y_{n_wik} += Σ_j S_wikj x_{v_wj}

are three products of matrices for each walk, and two sums into rows.
    Differs: all nodes of a batch move at once, along gradients at the same x and y.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numba import int64, uint64
from numpy.typing import NDArray
from torch import Tensor

from mmgraph.compiled import kernel
from mmgraph.graph.embeddings.skip_gram import negative
from mmgraph.graph.walks.streams import key_of, number

LARGEST_STEP = 6.0
"""Most that the learning rate times the expected updates of one node in a batch may be. Beyond it nodes that are
visited often overshoot: on BlogCatalog, in batches of whole walks, 6.6 had nearly the quality of single updates, and 26
diverged."""
LARGEST_TABLE = 2**24
"""Most entries of S."""


class WalkBatch(NamedTuple):
    """Walks, −1 after their end, how far the contexts of each node reach, and its outputs.

    Shapes:
        walks, reach (walks, length), outputs (walks, length, 1 + negatives), all int32.
    """

    walks: Tensor
    reach: Tensor
    outputs: Tensor

    def to(self, device: torch.device) -> WalkBatch:
        """The batch on another device."""
        return WalkBatch(*(part.to(device, non_blocking=True) for part in self))

    def parts(self, tokens: int) -> Iterator[tuple[WalkBatch, slice]]:
        """About as many nodes at a time, with their places: few of each walk, of all walks if that can be.

        A walk comes back to the same nodes, whose updates in one batch do not know of each other.
        """
        count, length = self.walks.shape
        together = min(count, tokens)
        span = min(length, tokens // together)
        for first in range(0, count, together):
            some = WalkBatch(*(part[first : first + together] for part in self))
            for place in range(0, length, span):
                yield some, slice(place, min(place + span, length))


def drawn(
    walks: NDArray[np.int32],
    numbers: NDArray[np.int64],
    seed: np.uint64,
    window: int,
    negatives: int,
    threshold: NDArray[np.uint32],
    alias: NDArray[np.uint32],
) -> WalkBatch:
    """Windows and negatives for walks; the arguments are those of `train_on_walks`."""
    reach = np.zeros(walks.shape, np.int32)
    outputs = np.zeros((*walks.shape, 1 + negatives), np.int32)
    _draw(walks, numbers, seed, window, threshold, alias, reach, outputs)
    return WalkBatch(torch.from_numpy(walks), torch.from_numpy(reach), torch.from_numpy(outputs))


@kernel
def _draw(
    walks: Any, walk: Any, seed: Any, window: Any, threshold: Any, alias: Any, reach: Any, outputs: Any
) -> None:
    count = outputs.shape[2]
    for w in range(len(walks)):
        key = key_of(seed, walk[w])
        for i in range(walks.shape[1]):
            if walks[w, i] < 0:
                break
            bits = number(key, i * count)
            reach[w, i] = window - int64(((bits >> uint64(32)) * uint64(window)) >> uint64(32))
            outputs[w, i, 0] = walks[w, i]
            for k in range(1, count):
                outputs[w, i, k] = negative(key, i, k, count, threshold, alias)


def tokens_per_batch(
    visited: NDArray[np.float64],
    flattened: NDArray[np.float64],
    *,
    length: int,
    window: int,
    negatives: int,
    learning_rate: float,
) -> int:
    """How many nodes of walks may move at once: as many as keep the steps of the node visited most stable.

    Args:
        visited: how often walks visit each node.
        flattened: what negatives are drawn in proportion to.
        length: of walks.

    Shapes:
        visited, flattened (N,).
    """
    if not visited.any():
        return 1
    most = float((visited / visited.sum() + negatives * flattened / flattened.sum()).max())
    # A node has window + 1 contexts on average.
    stable = LARGEST_STEP / max(learning_rate * (window + 1) * most, 1e-9)
    return max(1, min(int(stable), LARGEST_TABLE // (length * (1 + negatives))))


def train_on_batch(
    batch: WalkBatch, places: slice, window: int, learning_rate: float, x: Tensor, y: Tensor
) -> None:
    """Move x and y, in place, for the nodes at some places of walks.

    Args:
        window: the largest distance of a context.

    Shapes:
        x, y (N, d) float32, on the device of the batch.
    """
    within = slice(max(0, places.start - window), places.stop + window)
    walks, reach, outputs = batch.walks[:, within], batch.reach[:, places], batch.outputs[:, places]
    count, length, columns = len(walks), walks.shape[1], outputs.shape[2]
    place = torch.arange(batch.walks.shape[1], device=x.device)
    apart = (place[places, None] - place[within]).abs()
    near = (apart > 0) & (apart <= reach[:, :, None]) & (walks >= 0)[:, None]
    # A negative that is the node itself says nothing.
    said = outputs != outputs[:, :, :1]
    said[:, :, 0] = True
    nodes, targets = walks.clamp(min=0).flatten(), outputs.flatten()
    of_nodes = x.index_select(0, nodes).view(count, length, -1)
    of_targets = y.index_select(0, targets).view(count, -1, x.shape[1])
    slope = torch.bmm(of_targets, of_nodes.mT).sigmoid_().neg_().view(count, -1, columns, length)
    slope[:, :, 0] += 1
    slope *= near[:, :, None] & said[..., None]
    slope = slope.mul_(learning_rate).view(count, -1, length)
    x.index_add_(0, nodes, torch.bmm(slope.mT, of_targets).flatten(0, 1))
    y.index_add_(0, targets, torch.bmm(slope, of_nodes).flatten(0, 1))
