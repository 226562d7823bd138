"""Two views that are looked at alike: whichever is moved, zoomed, turned or chosen in, the other follows."""

from __future__ import annotations

from mmgraph_gui.views import View
from mmgraph_gui.views.choosers import Value


class ViewLock:
    """Keeps pairs of views together.

    Attributes:
        on: whether they are.
    """

    def __init__(self) -> None:
        self.on = True
        self._pairs: list[tuple[View, View]] = []
        self._busy = False

    def add(self, left: View, right: View) -> None:
        """Lock another pair; the right takes on what the left shows."""
        self._pairs.append((left, right))
        left.looked.connect(lambda: self._carry(left, right))
        right.looked.connect(lambda: self._carry(right, left))
        left.choosers.chosen.connect(lambda name, _, now: self._choose(right, name, now))
        right.choosers.chosen.connect(lambda name, _, now: self._choose(left, name, now))
        self._carry(left, right)

    def set_on(self, on: bool) -> None:
        """Lock them, so that the right shows at once what the left shows; or let each go its own way."""
        self.on = on
        for left, right in self._pairs:
            self._carry(left, right)

    def _carry(self, of: View, to: View) -> None:
        if not self.on or self._busy:
            return
        self._busy = True
        try:
            to.choosers.restore(of.choosers.values())
            to.look_at(of.look())
        finally:
            self._busy = False

    def _choose(self, to: View, name: str, value: Value) -> None:
        if not self.on or self._busy:
            return
        self._busy = True
        try:
            to.choosers.choose(name, value)
        finally:
            self._busy = False
