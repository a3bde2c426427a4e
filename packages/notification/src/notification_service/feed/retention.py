"""Expires old notifications."""

from __future__ import annotations

import asyncio
import logging
import random

from service_common.errors import TransientError

from .ports import Feed

__all__ = ["Retention"]

logger = logging.getLogger(__name__)


class Retention:
    """Expires periodically; safe to run in several replicas at the same time.

    Args:
        feed: what expires.
        keep_s: the age at which a notification expires, in seconds. Keep it above the 28 days that a message may live
            in a queue and its dead-letter queue: the rows of an order identify duplicates.
        interval_s: the time between runs, ± 50 %.
    """

    def __init__(self, feed: Feed, *, keep_s: float, interval_s: float) -> None:
        self._feed = feed
        self._keep_s = keep_s
        self._interval_s = interval_s

    async def run(self) -> None:
        """Expire until cancelled."""
        while True:
            await asyncio.sleep(self._interval_s * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load
            try:
                expired = await self._feed.expire(self._keep_s)
            except TransientError as error:
                logger.warning("retention failed", extra={"reason": str(error)})
            else:
                if expired:
                    logger.info("notifications expired", extra={"notifications": expired})
