"""What embeddings and labels must be."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mmgraph.errors import InputError


def check_embeddings(embeddings: Tensor, what: str = "embeddings") -> None:
    """Floating-point vectors, all finite. Waits for the GPU.

    Raises:
        InputError: they are something else.
    """
    if embeddings.dim() != 2 or not embeddings.is_floating_point():
        raise InputError(
            f"Expected {what} as floating-point vectors (items, features), but got {tuple(embeddings.shape)} of "
            f"{embeddings.dtype}."
        )
    finite = torch.isfinite(embeddings.detach()).all(dim=1)
    if not bool(finite.all()):
        row = int(torch.nonzero(~finite)[0])
        raise InputError(
            f"Expected finite {what}, but row {row} has NaN or infinity: lower the learning rate, or clip gradients."
        )


def check_labels(labels: Tensor, count: int) -> None:
    """One whole number per item.

    Raises:
        InputError: they are something else.
    """
    if labels.shape != (count,) or labels.is_floating_point() or labels.is_complex():
        raise InputError(
            f"Expected one integer label per item, ({count},), but got {tuple(labels.shape)} of {labels.dtype}."
        )


def check_positive(what: str, value: float) -> None:
    """A finite number above zero, such as a margin or a temperature.

    Raises:
        InputError: it is not.
    """
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"Expected {what} > 0, but got {value}.")
