"""Which device a name means."""

from __future__ import annotations

import torch

from mmgraph.errors import DeviceError


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
            f"The device cuda needs an NVIDIA GPU, and this torch ({torch.__version__}) {built}. "
            "Use the device cpu, or install a CUDA build of torch."
        )
    if name == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("The device mps needs a Mac with Apple silicon; use cpu.")
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise DeviceError(f"There is no device '{name}'; use auto, cpu, cuda or mps.") from error
