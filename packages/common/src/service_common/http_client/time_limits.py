"""Time limits that share one timer.

A limit that is set on each of hundreds of calls a second almost never strikes, and a timer of its own for each costs
more than anything else that a client adds to a call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

__all__ = ["TimeLimits"]

T = TypeVar("T")


class TimeLimits:
    """Limits on what is awaited in one event loop.

    Args:
        resolution_s: a limit strikes up to so many seconds late, never early.
    """

    def __init__(self, resolution_s: float = 0.02) -> None:
        self._resolution_s = resolution_s
        self._ends: dict[asyncio.Timeout, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, work: Awaitable[T], limit_s: float) -> T:
        """Await *work* for at most *limit_s* seconds.

        Raises:
            TimeoutError: it took longer, and was cancelled.
        """
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(None) as scope:
            self._ends[scope] = loop.time() + limit_s
            if self._timer is None:
                self._timer = loop.call_later(self._resolution_s, self._sweep, loop)
            try:
                return await work
            finally:
                self._ends.pop(scope, None)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now_s = loop.time()
        for scope in [scope for scope, end_s in self._ends.items() if end_s <= now_s]:
            del self._ends[scope]
            scope.reschedule(now_s)
        self._timer = loop.call_later(self._resolution_s, self._sweep, loop) if self._ends else None
