"""Processes and threads that the window starts give way to it: what it needs it gets first; idle it costs nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
from pathlib import Path

NICENESS = 5


def politely() -> list[str]:
    """Prefix of a command that gives way."""
    nice = shutil.which("nice")
    return [nice, "-n", str(NICENESS)] if nice and os.name == "posix" else []


def give_way(pid: int) -> None:
    """Linux on the desktop shares the processor out between sessions before it looks at niceness."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(NICENESS))


def step_back() -> None:
    """Let the UI thread go before this thread, where the system knows niceness of threads."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
