"""Attention of several layers as one map, and large maps as small pictures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.errors import InputError

Maps = npt.NDArray[np.float64]


def rollout(layers: Iterable[npt.NDArray[Any]]) -> Maps:
    """How much each token of the last layer goes back to each token of the input.

    Ã = (A + I) / 2, rows scaled to sum to 1;   R = Ã_L · … · Ã_1

    A is the mean of the heads of a layer; I stands for the residual connection around it.

    Args:
        layers: attention of the first layer first; may be read one after the other.

    Shapes:
        each (tokens, tokens) or (heads, tokens, tokens); the result (tokens, tokens).

    Raises:
        InputError: there are no layers, or they are not square or not of one size.

    Source:
        Abnar, Zuidema, Quantifying attention flow in transformers, 2020.
    """
    flow: Maps | None = None
    for layer in layers:
        attention = np.asarray(layer, dtype=np.float64)
        attention = attention.mean(axis=0) if attention.ndim == 3 else attention
        if attention.ndim != 2 or attention.shape[0] != attention.shape[1]:
            raise InputError(
                f"Rollout needs attention of tokens to the same tokens, not of shape {attention.shape}."
            )
        if flow is not None and len(flow) != len(attention):
            raise InputError(
                f"Rollout needs as many tokens in every layer; there are {len(flow)} and {len(attention)}."
            )
        mixed = (attention + np.eye(len(attention))) / 2
        mixed /= mixed.sum(axis=1, keepdims=True)
        flow = mixed if flow is None else mixed @ flow
    if flow is None:
        raise InputError("Rollout needs at least one layer of attention.")
    return flow


def block_means(values: npt.NDArray[Any], height: int, width: int) -> npt.NDArray[np.float32]:
    """A large picture made smaller: each of its pixels is the mean of a block; NaN where the block has one.

    Args:
        height, width: of the result at most; smaller pictures stay as they are.

    Shapes:
        values (rows, columns) -> (min(rows, height), min(columns, width)).

    Raises:
        InputError: not a picture, or no room.
    """
    if values.ndim != 2 or height < 1 or width < 1:
        raise InputError(
            f"Expected values (rows, columns) and room for a pixel, not {values.shape} in {height} × {width}."
        )
    small: npt.NDArray[np.float32] = values.astype(np.float32, copy=False)
    for axis, room in enumerate((height, width)):
        count = small.shape[axis]
        if count > room:
            starts = np.arange(room) * count // room
            sizes = np.diff(np.append(starts, count)).astype(np.float32)
            sums = np.add.reduceat(small, starts, axis=axis)
            small = (sums / (sizes[:, None] if axis == 0 else sizes)).astype(np.float32)
    return small
