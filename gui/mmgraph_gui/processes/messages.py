"""Facts and arrays between two processes of ours: one line of JSON, then the bytes of each array."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Message(NamedTuple):
    """What one process says to the other."""

    facts: Mapping[str, Any]
    arrays: Mapping[str, Array]


def send(stream: BinaryIO, message: Message) -> None:
    """Write a message."""
    arrays = {name: np.ascontiguousarray(array) for name, array in message.arrays.items()}
    shapes = {name: [array.dtype.str, list(array.shape)] for name, array in arrays.items()}
    stream.write(json.dumps({"facts": dict(message.facts), "arrays": shapes}).encode() + b"\n")
    for array in arrays.values():
        stream.write(array.tobytes())
    stream.flush()


def receive(stream: BinaryIO) -> Message | None:
    """Read a message; None where the other side has ended."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        return None
    head = json.loads(line)
    arrays = {}
    for name, (kind, shape) in head["arrays"].items():
        wanted = np.dtype(kind).itemsize * int(np.prod(shape))
        data = stream.read(wanted)
        if len(data) < wanted:
            return None
        arrays[name] = np.frombuffer(data, dtype=kind).reshape(shape)
    return Message(head["facts"], arrays)
