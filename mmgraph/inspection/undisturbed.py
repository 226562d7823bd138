"""Run a model without leaving a trace in it."""

from __future__ import annotations

import contextlib
import gc
import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from mmgraph.errors import InputError


def unwrapped(model: nn.Module) -> nn.Module:
    """The module that was written by hand, inside `torch.compile` and data-parallel wrappers.

    A forward of the wrappers would compile again, or wait for the other processes of the group.
    """
    while True:
        if isinstance(inner := model.__dict__.get("_modules", {}).get("_orig_mod"), nn.Module):
            model = inner
        elif isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            model = model.module
        else:
            return model


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """No garbage is collected inside.

    Where thousands of modules get hooks, Python would again and again go through all objects of the program: half the
    time of a look, with next to nothing to find.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextlib.contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Everything run inside sees the model in eval mode, uncompiled, without gradients; nothing stays changed.

    Put back afterwards, also after an error: the training flag of every submodule, buffers (also those changed
    in place), the random states of torch (CPU and the devices of the model), NumPy and Python, and the global
    switches used here. Autocast stays as it is, except that its cache of cast weights is left alone: weights
    cast here carry no gradient, and training must not find them there.

    Raises:
        InputError: the model has lazy parameters that no forward has shaped yet.
    """
    # Listed once: to go through the modules of a large model takes longer than all else here.
    modules = list(model.modules())
    held = (
        tensor for module in modules for tensor in (*module._parameters.values(), *module._buffers.values())
    )
    tensors = [tensor for tensor in held if tensor is not None]
    if any(is_lazy(tensor) for tensor in tensors):
        raise InputError(
            f"{type(model).__name__} has lazy parameters without a shape; run it once on a batch "
            "before it is looked at."
        )
    devices = {tensor.device for tensor in tensors}
    with ExitStack() as stack:
        stack.enter_context(_random_state_kept(devices))
        stack.enter_context(torch.no_grad())
        stack.enter_context(_autocast_cache_kept(devices))
        stack.enter_context(_uncompiled(modules))
        stack.enter_context(_attention_fast_path_off())
        stack.enter_context(_buffers_kept(modules))
        stack.enter_context(_in_eval_mode(modules))
        yield


@contextlib.contextmanager
def _in_eval_mode(modules: list[nn.Module]) -> Iterator[None]:
    # The flags are set one by one: `eval()` calls `train()`, which people override to keep parts frozen.
    training = [module for module in modules if module.training]
    try:
        for module in training:
            module.training = False
        yield
    finally:
        for module in training:
            module.training = True


@contextlib.contextmanager
def _buffers_kept(modules: list[nn.Module]) -> Iterator[None]:
    # The forward works on copies. Writing old values back would count as a change to autograd, and break a
    # backward pass that is still to come.
    kept = [(module, name, buffer) for module in modules for name, buffer in module._buffers.items()]
    copies: dict[int, Tensor] = {}
    try:
        for module, name, buffer in kept:
            if buffer is not None:
                module._buffers[name] = copies.setdefault(id(buffer), buffer.detach().clone())
        yield
    finally:
        for module, name, buffer in kept:
            module._buffers[name] = buffer


@contextlib.contextmanager
def _random_state_kept(devices: set[torch.device]) -> Iterator[None]:
    python, numpy = random.getstate(), np.random.get_state()
    try:
        with ExitStack() as stack:
            stack.enter_context(torch.random.fork_rng(devices=[]))
            for kind in {device.type for device in devices} - {"cpu", "meta"}:
                indices = [device.index or 0 for device in devices if device.type == kind]
                stack.enter_context(torch.random.fork_rng(devices=indices, device_type=kind))
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


@contextlib.contextmanager
def _autocast_cache_kept(devices: set[torch.device]) -> Iterator[None]:
    with ExitStack() as stack:
        for kind in {device.type for device in devices} - {"meta"}:
            if torch.is_autocast_enabled(kind):
                dtype = torch.get_autocast_dtype(kind)
                stack.enter_context(torch.autocast(kind, dtype=dtype, cache_enabled=False))
        yield


@contextlib.contextmanager
def _uncompiled(modules: list[nn.Module]) -> Iterator[None]:
    compiled = [module for module in modules if module._compiled_call_impl is not None]
    kept = [module._compiled_call_impl for module in compiled]
    with ExitStack() as stack:
        # Submodules may be compiled too. Nothing is compiled where Dynamo was never imported.
        if "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance"):
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        try:
            for module in compiled:
                module._compiled_call_impl = None
            yield
        finally:
            for module, call in zip(compiled, kept, strict=True):
                module._compiled_call_impl = call


@contextlib.contextmanager
def _attention_fast_path_off() -> Iterator[None]:
    # The fast path computes a whole transformer layer in one kernel, past every hook.
    enabled = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(enabled)
