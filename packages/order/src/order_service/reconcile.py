"""Announces orders again that stay CREATED for too long, so that an order survives the loss of its message."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from service_common.errors import TransientError

from .ports import LateOrders

__all__ = ["Reconciliation"]

logger = logging.getLogger(__name__)

# runs in each *after_s*: an order is announced at most a tenth of that later than due
_RUNS = 10
_BATCH = 100


class Reconciliation:
    """Announces late orders periodically; several replicas may run it.

    Args:
        orders: finds and announces late orders.
        announce: called after a commit that wrote events to the outbox.
        after_s: how long an order may stay CREATED before each announcement, in seconds.
        batch: the maximum number of orders in one statement.
    """

    def __init__(
        self, orders: LateOrders, announce: Callable[[], None], *, after_s: float, batch: int = _BATCH
    ) -> None:
        self._orders = orders
        self._announce = announce
        self._after_s = after_s
        self._batch = batch

    async def run(self) -> None:
        """Announce late orders periodically until cancelled; skip the run while the database is unavailable."""
        while True:
            try:
                await self.announce_late()
            except TransientError as error:
                logger.warning("reconciliation failed", extra={"reason": error.detail})
            await asyncio.sleep(self._after_s / _RUNS)

    async def announce_late(self) -> int:
        """Announce every late order and return their number."""
        count = 0
        while True:
            late = await self._orders.announce_late(after_s=self._after_s, limit=self._batch)
            for order_id in late:
                logger.info("order announced again", extra={"orderId": order_id})
            if late:
                self._announce()
            count += len(late)
            if len(late) < self._batch:
                return count
