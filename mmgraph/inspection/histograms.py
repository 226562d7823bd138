"""How weights, gradients and activations of each layer are spread: one row of shares per layer."""

from __future__ import annotations

import math
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from mmgraph.runs import Snapshot

BINS = 32
MOST_LAYERS = 64
MOST_VALUES = 1 << 15
"""Of larger tensors so many values are counted, evenly spread."""


def histograms(model: nn.Module) -> list[Snapshot]:
    """Snapshots "histograms/weights" and, where there are any, "histograms/gradients". Waits for the GPU.

    Each row has bins of its own between the smallest and the largest finite value; shares are of all values counted, so
    they add up to less than 1 where some are NaN or infinite.

    Shapes:
        arrays (layers, BINS) float32, extra `edges` (layers, BINS + 1).
    """
    wanted = (
        (name.removesuffix(".weight"), weight)
        for name, weight in model.named_parameters()
        if weight.dim() >= 2 and weight.is_floating_point() and not is_lazy(weight)
    )
    weights = list(islice(wanted, MOST_LAYERS))
    found = histograms_of("weights", [(name, weight.detach()) for name, weight in weights])
    gradients = [(name, weight.grad) for name, weight in weights if weight.grad is not None]
    return found + histograms_of(
        "gradients", [(name, slope) for name, slope in gradients if not slope.is_sparse]
    )


def sampled(tensor: Tensor) -> Tensor:
    """At most MOST_VALUES of the values, evenly spread over all rows and columns; a view where that is possible."""
    inner_last = sorted(
        range(tensor.dim()), key=tensor.stride, reverse=True
    )  # so that nothing has to be copied
    values = tensor.permute(inner_last).reshape(-1)
    step = max(1, -(-len(values) // MOST_VALUES))
    while step > 1 and math.gcd(step, len(values)) > 1:  # or it would meet the same columns in each row
        step += 1
    return values[::step]


def histograms_of(what: str, rows: list[tuple[str, Tensor]]) -> list[Snapshot]:
    """A row of shares per tensor, or nothing without any."""
    rows = rows[:MOST_LAYERS]
    if not rows:
        return []
    shares, edges = (np.zeros((len(rows), count), dtype=np.float32) for count in (BINS, BINS + 1))
    for row, (_, tensor) in enumerate(rows):
        values = sampled(tensor).float().cpu()
        finite = values[torch.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
        if not high - low > 1e-12 * max(abs(low), abs(high)):
            low, high = low - 0.5, high + 0.5
        edges[row] = np.linspace(low, high, BINS + 1)
        if len(finite):
            shares[row] = torch.histc(finite, BINS, low, high).numpy() / len(values)
    notes = {"rows": [name for name, _ in rows], "columns": what.removesuffix("s")}
    return [Snapshot("matrix", f"histograms/{what}", shares, extras={"edges": edges}, notes=notes)]
