"""Consumes the notification queue."""

from __future__ import annotations

from order_contracts import decode
from service_common.sqs import Message, processing

from .use_cases import Notifier

__all__ = ["NotificationConsumer"]


class NotificationConsumer:
    """Handler of a poller: returns when the event of the message is stored in the feed."""

    def __init__(self, notifier: Notifier, queue: str) -> None:
        self._notifier = notifier
        self._queue = queue

    async def __call__(self, message: Message) -> None:
        """Consume one message.

        Raises:
            UnreadableEventError: the message belongs in the dead-letter queue.
            UnavailableError: the feed can't be reached; the message is to be delivered again.
        """
        event = decode(message.body)
        with processing(self._queue, message, event.traceparent, event.tracestate):
            await self._notifier.notify(event)
