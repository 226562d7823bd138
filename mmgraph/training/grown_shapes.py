"""Which growth leads from a network to weights of a file, read off their shapes."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.training.growth import Change, Deepen, Growth, Widen

MOST_TIMES = 64
"""A layer of a file is no grown one where it is so many times as wide: nothing of such a size is made to find out."""
MOST_INSERTED = 8
"""Insertions after one and the same layer."""


def grow_like(growth: Growth, model: nn.Module, weights: Mapping[str, Tensor]) -> str:
    """Grow a network in place until it has the shapes of some weights, where growing leads there.

    A layer with more outputs than the network's was widened; one that is called like a module of the network with ".1"
    was inserted after it. So the shapes say of every change what it was, but not how its numbers were made, which the
    weights replace.

    Args:
        growth: of the network; keeps what was done.
        weights: of a state dict, by the names of the network.

    Returns:
        Why growing does not lead there, one sentence; empty where it does, or where nothing has to grow.

    Source: Chen, Goodfellow & Shlens, "Net2Net: accelerating learning via knowledge transfer", ICLR 2016.
    """
    if not misfit(model, weights):
        return ""
    trial, tried = copy.deepcopy(model), Growth((), growth.example, seed=growth.seed)
    try:
        while (change := _next(trial, weights)) is not None:
            tried.apply(change, trial)
    except InputError as error:
        return f"It could not be grown to the shapes of the file: {error}"
    if wrong := misfit(trial, weights):
        changes = len(tried.state["changes"])
        return f"Grown in {changes} places it does not fit either: {wrong}." if changes else ""
    growth.restore(model, {"changes": tried.state["changes"], "rules": growth.state["rules"]})
    return ""


def misfit(model: nn.Module, weights: Mapping[str, Tensor]) -> str:
    """The first weight whose shape is another, in words; empty where all are there and of the right shape."""
    wanted = model.state_dict()
    for name, weight in wanted.items():
        if name not in weights:
            return f"there is no '{name}' in the file"
        if weight.shape != weights[name].shape:
            return f"'{name}' is {tuple(weights[name].shape)} in the file, but {tuple(weight.shape)} in the network"
    extra = [name for name in weights if name not in wanted]
    return f"'{extra[0]}' of the file is not in the network" if extra else ""


def _next(model: nn.Module, weights: Mapping[str, Tensor]) -> Change | None:
    """The next change towards some shapes: of the first layer that reads what it reads in the file, but differs."""
    modules = dict(model.named_modules())
    for name, module in modules.items():
        width = _width(_given(weights, name), module)
        if width is not None:
            return Widen(name, width, noise=0.0)
        added = None if not name or f"{name}.1" in modules else _given(weights, f"{name}.1")
        if added is not None and added.dim() >= 2:
            return Deepen(name, _given(weights, f"{name}.2", "running_mean") is not None, noise=0.0)
    return None


def _given(weights: Mapping[str, Tensor], layer: str, part: str = "weight") -> Tensor | None:
    """A weight of a layer in the file: what layers were inserted after is called "0" beside them."""
    names = (f"{layer}{'.0' * times}.{part}" for times in range(MOST_INSERTED))
    return next((weights[name] for name in names if name in weights), None)


def _width(given: Tensor | None, module: nn.Module) -> int | None:
    """Outputs of a layer in the file, where they are more and it reads as many channels."""
    own: Any = getattr(module, "weight", None)
    if given is None or not isinstance(own, Tensor) or own.dim() < 2 or own.shape[1:] != given.shape[1:]:
        return None
    return len(given) if len(own) < len(given) <= MOST_TIMES * len(own) else None
