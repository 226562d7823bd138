"""Which device and number format a run uses."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from mmgraph.errors import DeviceError

_FORMATS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def pick_device(name: str) -> torch.device:
    """The device of that name; `auto` takes CUDA where there is one, else the CPU.

    MPS has to be asked for: torch has no sparse matrices there, which graph layers need.

    Raises:
        DeviceError: the device is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        built = "was built without CUDA" if torch.version.cuda is None else "finds no CUDA device"
        raise DeviceError(
            f"--device cuda needs an NVIDIA GPU, and this torch ({torch.__version__}) {built}. "
            "Use --device cpu, or install a CUDA build of torch."
        )
    if name == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("--device mps needs a Mac with Apple silicon; use --device cpu.")
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise DeviceError(f"There is no device '{name}'; use auto, cpu, cuda or mps.") from error


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
