"""Optimisers and learning-rate schedules."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from mmgraph.training.options import TrainingOptions


def decayed_groups(
    model: nn.Module, weight_decay: float, undecayed: Callable[[str], bool] = lambda name: False
) -> list[dict[str, Any]]:
    """Groups of the parameters of a model with and without weight decay; only those that have any.

    Args:
        undecayed: whether the parameter of that name is left without.
    """
    groups: dict[bool, list[nn.Parameter]] = {True: [], False: []}
    for name, parameter in model.named_parameters():
        groups[not undecayed(name)].append(parameter)
    return [
        {"params": parameters, "weight_decay": weight_decay if decayed else 0.0}
        for decayed, parameters in groups.items()
        if parameters
    ]


def make_optimizer(groups: list[dict[str, Any]], options: TrainingOptions) -> torch.optim.Optimizer:
    """The optimiser that the options name, over groups of parameters."""
    # All weights in one kernel: with a few dozen small tensors the plain loop over them takes half as long as the
    # forward pass.
    fused = all(
        parameter.device.type in ("cpu", "cuda") and parameter.is_floating_point()
        for group in groups
        for parameter in group["params"]
    )
    rate = options.learning_rate
    if options.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=0.9, fused=fused)
    if options.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=rate, fused=fused)
    return torch.optim.Adam(groups, lr=rate, fused=fused)


def schedule_factor(
    schedule: str, step: int, total_steps: int, warmup_steps: int = 0, half_life: int = 1
) -> float:
    """What the learning rate is multiplied with at a step; a pure function, so nothing of it needs saving.

        constant  1
        linear    1 − t
        cosine    (1 + cos πt) / 2
        step      1, then 0.1 from t = 1/2, then 0.01 from t = 3/4
        halving   0.5 ^ ⌊(step − warmup) / half-life⌋

    with t = (step − warmup) / (total − warmup), and step / warmup before that.

    Args:
        schedule: constant, linear, cosine, step or halving.
        step: number of the step, from 0.
        total_steps: steps of the whole run.
        warmup_steps: steps of linear rise from 0.
        half_life: steps from one halving to the next.
    """
    if step < warmup_steps:
        return (step + 1) / (warmup_steps + 1)
    t = (step - warmup_steps) / max(1, total_steps - warmup_steps)
    if schedule == "linear":
        return 1 - min(t, 1)
    if schedule == "cosine":
        return (1 + math.cos(math.pi * min(t, 1))) / 2
    if schedule == "halving":
        return math.ldexp(1.0, -((step - warmup_steps) // half_life))
    if schedule == "step":
        return 1.0 if t < 0.5 else 0.1 if t < 0.75 else 0.01
    return 1.0
