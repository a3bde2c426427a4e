"""Announces again the orders that nobody seems to work on, so that not even a lost queue loses an order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from service_common.errors import TransientError

from .ports import LateOrders

__all__ = ["Reconciliation"]

logger = logging.getLogger(__name__)

# of an order's patience: how much later than due it may be announced at most
_PERIODS = 10
_BATCH = 100


class Reconciliation:
    """Looks for late orders all the time; any number of replicas may.

    Args:
        orders: where to look.
        announce: called when something was put into the outbox.
        after_s: how long an order may stay CREATED before it is announced again, and then again, in seconds.
        batch: how many orders are announced in one statement.
    """

    def __init__(
        self, orders: LateOrders, announce: Callable[[], None], *, after_s: float, batch: int = _BATCH
    ) -> None:
        self._orders = orders
        self._announce = announce
        self._after_s = after_s
        self._batch = batch

    async def run(self) -> None:
        """Look, announce and wait, until cancelled; while the orders are out of reach it only waits."""
        while True:
            try:
                await self.look()
            except TransientError as error:
                logger.warning("no reconciliation", extra={"reason": error.detail})
            await asyncio.sleep(self._after_s / _PERIODS)

    async def look(self) -> int:
        """Announce every order that is late now, and return how many those are."""
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
