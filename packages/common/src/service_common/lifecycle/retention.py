"""Deletes what has expired."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from ..errors import TransientError

__all__ = ["Retention"]

logger = logging.getLogger(__name__)


class Retention:
    """Expires periodically; safe to run in several replicas at the same time.

    Args:
        expire: deletes what has expired and returns how much that was.
        name: what expires, in the plural.
        interval_s: the time between runs, ± 50 %.
    """

    def __init__(self, expire: Callable[[], Awaitable[int]], *, name: str, interval_s: float) -> None:
        self._expire = expire
        self._name = name
        self._interval_s = interval_s

    async def run(self) -> None:
        """Expire until cancelled."""
        while True:
            await asyncio.sleep(self._interval_s * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load
            try:
                expired = await self._expire()
            except TransientError as error:
                logger.warning("retention failed", extra={"of": self._name, "reason": str(error)})
            else:
                if expired:
                    logger.info("%s expired", self._name, extra={self._name: expired})
