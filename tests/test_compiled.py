from __future__ import annotations

import contextlib

import numba
from numba.core import event

from mmgraph.compiled import is_compiling


class Asking(event.Listener):
    def __init__(self) -> None:
        self.answers: list[bool] = []

    def on_start(self, event: event.Event) -> None:
        self.answers.append(is_compiling())

    def on_end(self, event: event.Event) -> None:
        """Ours may have been told before or after."""


def test_it_is_known_whether_a_compiler_runs():
    asking = Asking()
    function = numba.njit(lambda x: x + 1)
    assert not is_compiling()
    with event.install_listener("numba:compile", asking):
        assert function(1) == 2
        assert function(2) == 3
    assert asking.answers
    assert all(asking.answers)
    assert not is_compiling()


def test_a_compiler_that_fails_has_ended():
    function = numba.njit(lambda x: x.nothing())
    with contextlib.suppress(numba.TypingError):
        function(1)
    assert not is_compiling()
