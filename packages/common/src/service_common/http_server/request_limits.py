"""Limits on the requests of each caller: what they refuse is counted, and logged at most once a second."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import monotonic

from ..config import RateLimit
from ..errors import TooManyRequestsError
from ..observability import Metrics
from .rate_limiter import RateLimiter

__all__ = ["RequestLimit"]

logger = logging.getLogger(__name__)

LOG_INTERVAL_S = 1.0
MAX_LOGGED = 5


class RequestLimit:
    """A limit on the requests of each caller to this process.

    Args:
        kind: what callers are told apart by, as metrics and log name it: ``address``, ``principal``.
        limit: without a rate, every request is admitted.
        metrics: where refused requests are counted.
        named: whether the log may name who was refused.
        clock: seconds of a clock that is not set.
    """

    def __init__(
        self, kind: str, limit: RateLimit, metrics: Metrics, *, named: bool, clock: Callable[[], float] = monotonic
    ) -> None:
        self._kind = kind
        self._limiter = RateLimiter(limit) if limit.rate_per_s else None
        self._named = named
        self._clock = clock
        self._refusals = metrics.counter(
            "http_requests_refused_total", "Requests that were refused because there were too many.", ("limit",)
        ).labels(kind)
        self._unlogged = 0
        self._callers: set[str] = set()

    def admit(self, caller: str) -> None:
        """Count a request of *caller*.

        Raises:
            TooManyRequestsError: it is one too many.
        """
        if wait_s := self.take(caller):
            self._refusals.inc()
            self._note(caller)
            raise TooManyRequestsError(f"There are too many requests of this {self._kind}.", retry_after_s=wait_s)

    def take(self, caller: str) -> float:
        """Count a request of *caller* and return 0, or return for how many seconds there is one too many."""
        return 0.0 if self._limiter is None else self._limiter.take(caller, self._clock())

    def charge(self, caller: str, requests: int) -> None:
        """Count so many more *requests* of *caller*, to whom one has cost more than that."""
        if self._limiter is not None:
            self._limiter.charge(caller, self._clock(), requests)

    def _note(self, caller: str) -> None:
        if not self._unlogged:
            asyncio.get_running_loop().call_later(LOG_INTERVAL_S, self._log)
        self._unlogged += 1
        if self._named and len(self._callers) < MAX_LOGGED:
            self._callers.add(caller)

    def _log(self) -> None:
        callers = {"callers": sorted(self._callers)} if self._named else {}
        logger.warning("requests refused", extra={"limit": self._kind, "requests": self._unlogged, **callers})
        self._unlogged = 0
        self._callers.clear()
