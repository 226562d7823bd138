"""How much of a GPU's memory the tensors of this process take."""

from __future__ import annotations

import torch


def device_memory(device: torch.device) -> int | None:
    """Bytes that tensors take on a GPU, by torch's own books, so nothing waits for it; None on a CPU."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    if device.type == "mps":
        return torch.mps.current_allocated_memory()
    return None
