"""Keep the first batch that a model sees, compiled or not, without changing what it computes."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from mmgraph.inspection.inputs import Inputs
from mmgraph.inspection.undisturbed import unwrapped


class FirstBatch:
    """Waits for the next forward of a model, copies its inputs, and takes its hook off again.

    Dynamo traces hooks into the compiled code. Ours is empty there (it would break the graph), so the inputs of
    a compiled model are seen from outside: at the wrapper of `torch.compile`, or around the compiled call that
    `model.compile()` put into the model. A hook that was traced stays, empty, until `close`: without it the
    model would be compiled once more.

    Args:
        model: the model as the loop calls it.
        limit: most items to keep; a graph is kept whole.
    """

    def __init__(self, model: nn.Module, limit: int) -> None:
        self.inputs: Inputs | None = None
        self.total: int | None = None
        """How many items the batch had before it was cut."""
        self.autocast: dict[str, torch.dtype] = {}
        """Device kinds that were under autocast, and the type they were cast to."""
        self.failure: Exception | None = None
        self._model = model
        self._limit = limit
        self._handles: list[RemovableHandle] = []
        self._wrapped: list[tuple[nn.Module, Callable[..., Any], Callable[..., Any]]] = []
        self._watch(model)
        for module in {model, unwrapped(model)}:
            self._watch_compiled_call(module)

    def look_again(self) -> None:
        """Look for ways past a model that was compiled after it was watched. Costs some 50 ms."""
        if self.inputs is not None or "torch._dynamo" not in sys.modules:
            return
        inner = unwrapped(self._model)
        self._watch_compiled_call(inner)
        kind = sys.modules["torch._dynamo"].OptimizedModule
        for thing in gc.get_objects():
            if type(thing) is kind and thing is not self._model and unwrapped(thing) is inner:
                self._watch(thing)

    def close(self) -> None:
        """Take all hooks off."""
        while self._handles:
            self._handles.pop().remove()
        self._unwrap()

    def _unwrap(self) -> None:
        while self._wrapped:
            module, original, ours = self._wrapped.pop()
            if module._compiled_call_impl is ours:
                module._compiled_call_impl = original

    def _watch(self, model: nn.Module) -> None:
        def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            if not torch.compiler.is_compiling() and self.inputs is None:
                handle.remove()
                self._seen(args, kwargs)

        handle = model.register_forward_pre_hook(hook, with_kwargs=True)
        self._handles.append(handle)

    def _watch_compiled_call(self, model: nn.Module) -> None:
        original = model._compiled_call_impl
        if original is None or any(original is ours for _, _, ours in self._wrapped):
            return

        def call(*args: Any, **kwargs: Any) -> Any:
            self._unwrap()
            if self.inputs is None:
                self._seen(args, kwargs)
            return original(*args, **kwargs)

        self._wrapped.append((model, original, call))
        model._compiled_call_impl = call

    def _seen(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        try:
            inputs = Inputs(args, kwargs)
            self.total = inputs.count
            self.autocast = {
                kind: torch.get_autocast_dtype(kind)
                for kind in inputs.device_kinds
                if torch.is_autocast_enabled(kind)
            }
            self.inputs = inputs.first(self._limit).cloned()
        except Exception as error:  # the loop goes on; the watch says what happened
            self.failure = error
