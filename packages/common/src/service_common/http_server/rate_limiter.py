"""How many requests each of many callers may send: one time for each caller, and no I/O.

The Generic Cell Rate Algorithm, which admits what a token bucket admits: ITU-T I.371 (2004), annex A, "virtual
scheduling algorithm". https://www.itu.int/rec/T-REC-I.371-200403-I
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from ..config import RateLimit

__all__ = ["MAX_CALLERS", "RateLimiter"]

MAX_CALLERS: Final = 10_000


class RateLimiter:
    """Admits *limit* requests of each caller; its rate is not 0.

    The *max_callers* that sent a request last are known; of any other, none is assumed before. Times are in seconds of
    one clock: one that is set back or forward costs a caller, or gives it, no more than one burst.
    """

    def __init__(self, limit: RateLimit, max_callers: int = MAX_CALLERS) -> None:
        self._interval_s = 1 / limit.rate_per_s
        self._burst_s = limit.burst * self._interval_s
        self._max_callers = max_callers
        # "theoretical arrival time": until then, the bucket of the caller is not full
        self._refilled_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        """Return how many callers are known."""
        return len(self._refilled_at)

    def take(self, caller: str, now: float) -> float:
        """Admit a request of *caller* and return 0, or return after how many seconds one would be admitted."""
        refilled_at = self._known(caller, now)
        wait_s = refilled_at + self._interval_s - now - self._burst_s
        if wait_s <= 0:
            refilled_at += self._interval_s
        self._keep(caller, refilled_at)
        return max(0.0, wait_s)

    def charge(self, caller: str, now: float, requests: int) -> None:
        """Count *requests* of *caller* that were admitted already, or as many as its bucket has left."""
        self._keep(caller, min(self._known(caller, now) + requests * self._interval_s, now + self._burst_s))

    def _known(self, caller: str, now: float) -> float:
        # not later than a burst from now, unless the clock was set back
        return min(max(self._refilled_at.get(caller, now), now), now + self._burst_s)

    def _keep(self, caller: str, refilled_at: float) -> None:
        self._refilled_at[caller] = refilled_at
        self._refilled_at.move_to_end(caller)
        if len(self._refilled_at) > self._max_callers:
            self._refilled_at.popitem(last=False)
