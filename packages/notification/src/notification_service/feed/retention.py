"""Lets the feed forget what is old."""

from __future__ import annotations

import asyncio
import logging
import random

from service_common.errors import TransientError

from .ports import Feed

__all__ = ["Retention"]

logger = logging.getLogger(__name__)


class Retention:
    """Runs now and then; several replicas may, for what one forgot the others do not find.

    Args:
        feed: what is to forget.
        keep_s: what is younger stays; more than messages live in queues and dead-letter queues (28 days), for the
            notifications of an order say what is a duplicate.
        interval_s: from one run to the next, give or take a half.
    """

    def __init__(self, feed: Feed, *, keep_s: float, interval_s: float) -> None:
        self._feed = feed
        self._keep_s = keep_s
        self._interval_s = interval_s

    async def run(self) -> None:
        """Forget for ever."""
        while True:
            await asyncio.sleep(self._interval_s * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load
            try:
                forgotten = await self._feed.forget(self._keep_s)
            except TransientError as error:
                logger.warning("nothing forgotten", extra={"reason": str(error)})
            else:
                if forgotten:
                    logger.info("forgotten", extra={"notifications": forgotten})
