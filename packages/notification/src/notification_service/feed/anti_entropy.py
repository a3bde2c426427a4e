"""Restores lost notifications: compares what is stored with the orders that the order service lists as changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from order_contracts import OrderEvent
from service_common.errors import PermanentError, TransientError
from service_common.observability import Metrics, tracing
from service_common.scope import ANONYMOUS

from .missing import ListedOrder, missing_events
from .ports import ChangedOrders, ComparisonStore

__all__ = ["AntiEntropy"]

logger = logging.getLogger(__name__)

# comparisons in each *after_s*: a notification is restored at most a tenth of that later than due
_RUNS = 10
# of the retention: an order that changed before may have notifications that are about to expire, or have
_KEPT_SHARE = 0.9
_BATCH = 200


class AntiEntropy:
    """Compares periodically; of several replicas one at a time does, the others take over when it is gone.

    Args:
        orders: lists the changed orders.
        store: what is stored, and how far it is compared.
        notify: stores the notifications of an event; idempotent.
        metrics: of the service.
        after_s: the age of a change when it is compared, in seconds: by then its event has usually been consumed.
        keep_s: the age at which notifications expire, in seconds.
        batch: orders of one comparison.
    """

    def __init__(
        self,
        orders: ChangedOrders,
        store: ComparisonStore,
        notify: Callable[[OrderEvent], Awaitable[None]],
        metrics: Metrics,
        *,
        after_s: float,
        keep_s: float,
        batch: int = _BATCH,
    ) -> None:
        self._orders = orders
        self._store = store
        self._notify = notify
        self._restored = metrics.counter("notifications_restored_total", "Notifications whose events were lost.")
        self._after_s = after_s
        self._interval_s = after_s / _RUNS
        self._kept = timedelta(seconds=keep_s * _KEPT_SHARE)
        self._batch = batch

    async def run(self) -> None:
        """Compare until cancelled; an outage of the order service or the database delays the comparison."""
        while True:
            try:
                await self.compare()
            except TransientError as error:
                logger.warning("comparison failed", extra={"reason": str(error)})
            await asyncio.sleep(self._interval_s)

    async def compare(self) -> None:
        """Compare all changes since the stored position, unless another replica does.

        Raises:
            TransientError: the order service or the database is unavailable; what was compared is stored.
        """
        position = await self._store.claim_comparison(self._interval_s)
        while position is not None:
            orders, following = await self._orders.after(position, min_age_s=self._after_s, limit=self._batch)
            await self._restore(orders)
            await self._name_customers(orders)
            advanced = await self._store.advance_comparison(position, following, self._interval_s)
            position = following if advanced and len(orders) == self._batch and following != position else None

    async def _restore(self, orders: Sequence[ListedOrder]) -> None:
        oldest = datetime.now(UTC) - self._kept
        kept = [order for order in orders if order.updated_at > oldest]
        stored = await self._store.stored_events([order.id for order in kept]) if kept else {}
        lost = [events for order in kept if (events := missing_events(order, stored.get(order.id, ())))]
        if not lost:
            return
        outcomes = await asyncio.gather(*map(self._append, lost), return_exceptions=True)
        restored = sum(outcome for outcome in outcomes if isinstance(outcome, int))
        self._restored.inc(restored)
        logger.warning("notifications restored", extra={"notifications": restored, "orders": len(lost)})
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _name_customers(self, orders: Sequence[ListedOrder]) -> None:
        """Name the customers of orders whose events passed through a replica that knows no customers."""
        customers = {order.id: order.customer_id for order in orders if order.customer_id != ANONYMOUS}
        if customers and (named := await self._store.name_customers(customers)):
            logger.warning("notification customers restored", extra={"notifications": named})

    async def _append(self, events: Sequence[OrderEvent]) -> int:
        """Append the events of one order in their order, and return how many."""
        for event in events:
            try:
                with tracing(event.traceparent, name="restore notification"):
                    await self._notify(event)
            except PermanentError:
                # the comparison continues with the other orders
                logger.exception(
                    "notification refused", extra={"orderId": event.order_id, "customerId": event.customer_id}
                )
                return 0
        return len(events)
