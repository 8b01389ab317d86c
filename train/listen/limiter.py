"""How often someone may do something: a token bucket for each key."""

import time
from collections import OrderedDict

MOST_KNOWN = 10_000  # keys that are counted; the oldest are forgotten


class Limiter:
    """Counts per key: `burst` at once, refilled by `rate` a second. Old keys are forgotten."""

    def __init__(self, burst: float, rate: float) -> None:
        self._burst, self._rate = burst, rate
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def left(self, key: str) -> float:
        """How many are left now."""
        left, at = self._left.get(key, (self._burst, 0.0))
        return min(self._burst, left + (time.monotonic() - at) * self._rate)

    def take(self, key: str) -> bool:
        """Count one; whether it was allowed."""
        left = self.left(key)
        self._left[key] = (max(0.0, left - 1), time.monotonic())
        self._left.move_to_end(key)
        if len(self._left) > MOST_KNOWN:
            self._left.popitem(last=False)
        return left >= 1
