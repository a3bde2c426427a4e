"""The consumer of the processing queue."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from time import monotonic

from order_contracts import EventType, OrderEvent, decode
from service_common.errors import PermanentError
from service_common.sqs import Message, processing

from .engine import Engine
from .saga import Saga

__all__ = ["NotForProcessingError", "OrderConsumer"]

logger = logging.getLogger(__name__)

_STARTS_A_SAGA = frozenset({EventType.ORDER_CREATED, EventType.ORDER_UPDATED})


class NotForProcessingError(PermanentError):
    """A valid event that starts no saga."""

    slug = "not-for-processing"

    def __init__(self, event: OrderEvent) -> None:
        super().__init__(f"{event.type.value} of order {event.order_id} starts no saga")
        self.event = event


class OrderConsumer:
    """Starts the saga of each announced version of an order; a message is acknowledged once its saga is committed."""

    def __init__(self, engine: Engine, queue: str) -> None:
        self._engine = engine
        self._queue = queue

    async def __call__(self, message: Message) -> None:
        """Start the saga of the event; idempotent.

        Raises:
            UnreadableEventError: the message is not an order event.
            NotForProcessingError: the event starts no saga.
            TransientError: the saga may not be stored.
        """
        began_s = monotonic()
        event = decode(message.body)
        if event.type not in _STARTS_A_SAGA:
            raise NotForProcessingError(event)
        with processing(self._queue, message, event.traceparent, event.tracestate) as trace:
            saga = Saga(
                event.order_id,
                event.version,
                event.items,
                trace.traceparent,
                customer_id=event.customer_id,
                tracestate=trace.tracestate,
            )
            new = await self._engine.start(saga)
            logger.info(
                "order consumed",
                extra={
                    "orderId": event.order_id,
                    "customerId": event.customer_id,
                    "version": event.version,
                    "type": event.type.value,
                    "messageId": message.id,
                    "duplicate": not new,
                    # of a duplicate it is no time that an order waited
                    **({"seconds": round((datetime.now(UTC) - event.time).total_seconds(), 3)} if new else {}),
                    "durationMs": round((monotonic() - began_s) * 1000, 3),
                },
            )
