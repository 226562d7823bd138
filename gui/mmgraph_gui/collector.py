"""Python's garbage collector, run in the UI thread only.

Left to itself it runs in whichever thread allocates, and a worker thread that collects a Qt object ends the process.
"""

from __future__ import annotations

import gc
import sys

from PySide6.QtCore import QObject, QTimer

LOOK_MILLISECONDS = 500
MANY_MODULES = 20
"""Where so many have been loaded, what they brought is set aside: looking through it took the window 85 ms. The same is
done with what a compiler leaves, 95 to 174 ms; while it runs nothing is collected."""


class Collector(QObject):
    """Takes over collection while it lives; `close` gives it back."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        gc.collect()
        self._set_aside()
        self._compiled = False
        self._timer = QTimer(self, interval=LOOK_MILLISECONDS)
        self._timer.timeout.connect(self.collect)
        self._timer.start()

    def collect(self) -> None:
        """Collect the oldest generation whose threshold is passed."""
        due = [
            number
            for number, (count, limit) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True))
            if limit and count > limit
        ]
        if _is_compiling():
            self._compiled = True
        elif not due:
            return
        elif self._compiled or len(sys.modules) >= self._modules + MANY_MODULES:
            self._compiled = False
            self._set_aside()
        else:
            gc.collect(due[-1])

    def _set_aside(self) -> None:
        """What is there now need not be looked through again."""
        gc.freeze()
        self._modules = len(sys.modules)

    def close(self) -> None:
        """Let Python collect by itself again."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()


def _is_compiling() -> bool:
    # numba takes half a second to import, and may just be doing that in a worker thread.
    asked = getattr(sys.modules.get("mmgraph.compiled"), "is_compiling", None)
    return asked is not None and bool(asked())
