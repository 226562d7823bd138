"""How often to look: at most so many times a second, and at most so large a share of the time."""

from __future__ import annotations

from mmgraph.errors import ConfigError

_FIRST_LOOK_ALLOWANCE = 10.0


class Throttle:
    """Spaces out looks at a model so that they cost a bounded share of the wall time.

    next look = start of the last one + max(1 / per_second, cost of the last one / share)

    The first look is always due. It warms up caches and so costs more than the ones that follow; its cost is
    charged at ten times the share, or the second look would come far too late.

        throttle = Throttle(per_second=2.0, share=0.01)
        if throttle.due(time.monotonic()):
            ...
            throttle.took(seconds)

    Args:
        per_second: most looks in a second; 0 for the first only.
        share: largest share of the wall time that looks may take, 0 to 1; 0 for the first only, 1 for no limit.

    Raises:
        ConfigError: a limit is out of range.
    """

    def __init__(self, per_second: float = 2.0, share: float = 0.01) -> None:
        if not per_second >= 0:
            raise ConfigError(f"per_second is a number of at least 0, not {per_second}.")
        if not 0 <= share <= 1:
            raise ConfigError(f"share is a number from 0 to 1, not {share}.")
        self.per_second = per_second
        self.share = share
        self._asked = 0.0
        self._next = float("-inf")
        self._looks = 0

    def due(self, now: float) -> bool:
        """Whether a look is due at `now` (seconds of any clock that only moves forward)."""
        self._asked = now
        return now >= self._next

    def took(self, seconds: float) -> None:
        """Say what the look cost that began when `due` was last asked."""
        allowance = _FIRST_LOOK_ALLOWANCE if self._looks == 0 else 1.0
        share = min(1.0, self.share * allowance)
        self._looks += 1
        if self.per_second == 0 or share == 0:
            self._next = float("inf")
        else:
            self._next = self._asked + max(1 / self.per_second, seconds / share)
