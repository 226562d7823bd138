"""Numbers of every step, read from the GPU a few times a second instead of at every step."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mmgraph.errors import InputError

Row = tuple[int, float | None, dict[str, float]]


class DeferredScalars:
    """Holds scalars back until `settle`. Reading one from a GPU waits for all the work queued there; a loop that
    does so at every step loses the overlap of CPU and GPU."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, float | None, dict[str, float | Tensor]]] = []

    def add(self, step: int, epoch: float | None, values: Mapping[str, Any]) -> None:
        """Note numbers or one-element tensors of a step; tensors may be changed afterwards.

        Raises:
            InputError: a value is not one number.
        """
        self._rows.append((step, epoch, {tag: _held(tag, value) for tag, value in values.items()}))

    def settle(self) -> list[Row]:
        """All numbers held back, in order. Waits for the GPU once."""
        rows, self._rows = self._rows, []
        waiting: dict[torch.device, list[tuple[dict[str, Any], str]]] = defaultdict(list)
        for _, _, values in rows:
            for tag, value in values.items():
                if isinstance(value, Tensor):
                    waiting[value.device].append((values, tag))
        for device, places in waiting.items():
            tensors = [values[tag].reshape(()) for values, tag in places]
            if device.type == "cpu":
                numbers = [float(tensor) for tensor in tensors]
            else:
                numbers = torch.stack([tensor.float() for tensor in tensors]).tolist()
            for (values, tag), number in zip(places, numbers, strict=True):
                values[tag] = number
        return rows  # type: ignore[return-value]  # every tensor has become a number


def first_not_finite(rows: list[Row], tag: str) -> tuple[int, float] | None:
    """The first step at which a number was NaN or infinite, and what it was."""
    for step, _, values in rows:
        if tag in values and not math.isfinite(values[tag]):
            return step, values[tag]
    return None


def _held(tag: str, value: Any) -> float | Tensor:
    if isinstance(value, Tensor):
        if value.numel() != 1 or value.is_complex():
            raise InputError(
                f"'{tag}' is one real number per step, not a tensor of shape {tuple(value.shape)}."
            )
        return value.detach().clone()
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"'{tag}' is one number per step, not {value!r}.") from error
