"""Which device, number format, seed and threads a run uses."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from mmgraph.devices import pick_device

__all__ = ["autocast", "limited_threads", "pick_device", "seeded"]

_FORMATS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[object]:
    """The forward pass in the given number format; nothing to do for float32."""
    if precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=_FORMATS[precision])


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch inside, and give the caller's random state back after.

    Weights, dropout and whatever else a model draws has no generator of its own to be handed.
    """
    devices = [torch.cuda.current_device()] if device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.default_generator.manual_seed(seed)
        if devices:
            torch.cuda.manual_seed(seed)
        yield


@contextlib.contextmanager
def limited_threads(threads: int | None) -> Iterator[None]:
    """Let torch use at most that many CPU threads inside."""
    if threads is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
