"""Cut tensors down to what is worth keeping, and turn them into snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmgraph.runs import Snapshot


@dataclass(frozen=True)
class Limits:
    """How much of a model is taken at most. What is left out is said in the notes of the snapshot.

    Args:
        layers: convolutions, where no layers are named.
        attention_layers: maps of attention.
        map_items: items whose feature maps are taken, the first of the batch.
        attention_items: items whose attention is taken, the first of the batch.
        channels: of filters (out and in) and of feature maps, spread evenly.
        features: of an embedding, spread evenly.
        values: of any array; beyond it pixels, queries and keys, edges or nodes are thinned out evenly.
    """

    layers: int = 4
    attention_layers: int = 32
    map_items: int = 16
    attention_items: int = 4
    channels: int = 32
    features: int = 2048
    values: int = 2**20


@dataclass
class Draft:
    """A snapshot whose values are still on the device, copied while they were right.

    The notes say what was left out: {"shown": n, "of": m} for the first axis, and the same with the name of
    the axis in front for the others. `extras` then hold which rows, channels, … were kept.
    """

    kind: str
    layer: str
    tensor: Tensor
    axes: tuple[str, ...]
    items: str | None = None
    extras: dict[str, Tensor] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tensor = self.tensor.detach()

    def head(self, axis: str, limit: int) -> Draft:
        """Keep the first `limit` along an axis."""
        total = self.tensor.shape[self.axes.index(axis)]
        return self._keep(axis, torch.arange(min(limit, total)))

    def thin(self, limits: Mapping[str, int]) -> Draft:
        """Keep at most so many along each axis, spread evenly."""
        for axis, limit in limits.items():
            total = self.tensor.shape[self.axes.index(axis)]
            if total > limit:
                self._keep(axis, evenly(total, limit))
        return self

    def copied(self) -> Draft:
        """The values as float32, in memory that nobody else changes."""
        self.tensor = float32_copy(self.tensor)
        return self

    def snapshot(self) -> Snapshot:
        """The same in NumPy arrays. Waits for the GPU."""
        extras = {name: extra.cpu().numpy() for name, extra in self.extras.items()}
        array = np.ascontiguousarray(self.tensor.cpu().numpy())
        return Snapshot(self.kind, self.layer, array, self.axes, self.items, extras, self.notes)

    def _keep(self, axis: str, indices: Tensor) -> Draft:
        number = self.axes.index(axis)
        total = self.tensor.shape[number]
        if len(indices) < total:
            self.tensor = self.tensor.index_select(number, indices.to(self.tensor.device))
            prefix = "" if number == 0 else f"{axis}_"
            self.notes |= {f"{prefix}shown": len(indices), f"{prefix}of": total}
            self.extras["rows" if axis == "items" else axis] = indices
        return self


def evenly(total: int, limit: int) -> Tensor:
    """At most `limit` of the numbers 0 … total − 1, spread evenly and in order."""
    count = min(total, limit)
    return torch.arange(count) * total // max(count, 1)


def float32_copy(tensor: Tensor) -> Tensor:
    """The values of any tensor as float32, in memory of their own."""
    tensor = tensor.detach()
    if tensor.is_sparse or tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_complex():
        tensor = tensor.abs()
    return tensor.to(torch.float32, copy=True)
