"""How long to let items gather before the next request: not at all without load, up to a bound under load.

Batching saves requests only when something comes while a batch waits. At a low rate nothing does, so that a wait costs
latency and saves nothing; at a high rate a wait of some milliseconds shares one request or commit between many items.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["GatheringPolicy", "RecentRate"]


@dataclass(frozen=True, slots=True)
class GatheringPolicy:
    """Decides how long a batch waits for more items.

    With *n* the number of items that are expected within the bound, the wait is nothing up to *n* = 1, the bound from
    *n* = *full_at* on, and rises evenly between.

    Attributes:
        bound_s: the longest wait, in seconds.
        full_at: the number of items within the bound that are worth the whole of it; more than 1.
    """

    bound_s: float
    full_at: float = 8.0

    def delay_s(self, rate_per_s: float, in_flight: int = 0) -> float:
        """Return the wait before the next batch, in seconds.

        Args:
            rate_per_s: items a second, recently.
            in_flight: what is under way, whose end the caller awaits within this wait: while there is any, waiting for
                it gathers items at no cost, so that the wait is the bound.
        """
        if in_flight:
            return self.bound_s
        share = (rate_per_s * self.bound_s - 1.0) / (self.full_at - 1.0)
        return self.bound_s * min(1.0, max(0.0, share))


class RecentRate:
    """The rate of items, in which what is *horizon_s* seconds ago weighs a third (1/e) of what is now."""

    def __init__(self, horizon_s: float = 0.5) -> None:
        self._horizon_s = horizon_s
        self._weight = 0.0
        self._at_s = -math.inf

    def add(self, now_s: float, count: int = 1) -> None:
        """Count items; *now_s* is a time of any monotonic clock, always the same one."""
        self._weight = self._weight_at(now_s) + count
        self._at_s = now_s

    def per_s(self, now_s: float) -> float:
        """Return the rate, in items a second."""
        return self._weight_at(now_s) / self._horizon_s

    def _weight_at(self, now_s: float) -> float:
        return self._weight * math.exp(min(0.0, self._at_s - now_s) / self._horizon_s)
