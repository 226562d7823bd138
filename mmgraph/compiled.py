"""Functions compiled by numba, kept on disk, with a word to the user before the compiler is waited for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core import event

Function = TypeVar("Function", bound=Callable[..., object])

_log = logging.getLogger("mmgraph")


def kernel(function: Function) -> Function:
    """Compile at the first call; runs without the interpreter's lock, so that threads run side by side."""
    return _kept_on_disk(function)


def reordering_kernel(function: Function) -> Function:
    """A `kernel` in which sums of floats may be taken in any order, which lets them fill vector registers."""
    return _kept_on_disk(function, fastmath={"reassoc", "contract", "nsz"})


def _kept_on_disk(function: Function, **options: Any) -> Function:
    try:
        compiled = numba.njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:
        # There is no folder that can be written to: compile in every process.
        compiled = numba.njit(nogil=True, **options)(function)
    return cast(Function, compiled)


def inlined(function: Function) -> Function:
    """A function that kernels call; it becomes part of each of them."""
    return cast(Function, numba.njit(inline="always")(function))


class _Announcement(event.Listener):  # type: ignore[misc]
    """Says once per process that one of our kernels is being compiled: this takes seconds and looks like hanging."""

    def __init__(self) -> None:
        self.made = False
        self.running = 0

    def on_start(self, event: event.Event) -> None:
        self.running += 1
        function = event.data["dispatcher"].py_func
        if not self.made and function.__module__.startswith("mmgraph."):
            self.made = True
            _log.warning(
                "Compiling kernels: this takes some seconds, once; the result is kept on disk where there is a "
                "folder to write to."
            )

    def on_end(self, event: event.Event) -> None:
        """It has ended, or failed."""
        self.running -= 1


_announcement = _Announcement()
event.register("numba:compile", _announcement)


def is_compiling() -> bool:
    """Whether a thread of this process is in the compiler."""
    return _announcement.running > 0
