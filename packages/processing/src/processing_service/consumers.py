"""What the processing service does with the messages of its queue."""

from __future__ import annotations

import logging

from order_contracts import EventType, OrderEvent, decode
from service_common.errors import PermanentError
from service_common.observability import tracing
from service_common.sqs import Message

from .engine import Engine
from .saga import Saga

__all__ = ["NotForProcessingError", "OrderConsumer"]

logger = logging.getLogger(__name__)

_STARTS_A_SAGA = frozenset({EventType.ORDER_CREATED, EventType.ORDER_UPDATED})


class NotForProcessingError(PermanentError):
    """An event that can be read and asks for no work here."""

    slug = "not-for-processing"

    def __init__(self, event: OrderEvent) -> None:
        super().__init__(f"{event.type.value} of order {event.order_id} asks for no processing")
        self.event = event


class OrderConsumer:
    """Starts a saga for each version of an order that is announced; a message is done with when that is committed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def __call__(self, message: Message) -> None:
        """Start the saga that *message* asks for; one that comes again starts nothing.

        Raises:
            UnreadableEventError: it is no event.
            NotForProcessingError: it is another event.
            TransientError: the saga is perhaps not stored.
        """
        event = decode(message.body)
        if event.type not in _STARTS_A_SAGA:
            raise NotForProcessingError(event)
        with tracing(event.traceparent) as trace:
            saga = Saga(event.order_id, event.version, event.items, trace.traceparent)
            new = await self._engine.start(saga)
            logger.info(
                "order consumed",
                extra={
                    "orderId": event.order_id,
                    "version": event.version,
                    "type": event.type.value,
                    "messageId": message.id,
                    "duplicate": not new,
                },
            )
