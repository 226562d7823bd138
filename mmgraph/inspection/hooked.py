"""Hooks around the forwards of many modules, taken off again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import nn


@contextlib.contextmanager
def hooked(
    modules: Iterable[nn.Module],
    before: Callable[[nn.Module, tuple[Any, ...], dict[str, Any]], None],
    after: Callable[[nn.Module, tuple[Any, ...], dict[str, Any], Any], None],
) -> Iterator[None]:
    """Around each forward of some modules inside `with`: `before(module, args, kwargs)`, then
    `after(module, args, kwargs, output)`. Those of torch.jit are left out, for they take no such hooks.
    """
    handles = []
    try:
        for module in modules:
            if not isinstance(module, torch.jit.ScriptModule):
                handles.append(module.register_forward_pre_hook(before, with_kwargs=True))
                # Prepended, for the hooks of others may change what they are given.
                handles.append(module.register_forward_hook(after, with_kwargs=True, prepend=True))
        yield
    finally:
        for handle in handles:
            handle.remove()
