"""Consumes the notification queue."""

from __future__ import annotations

from order_contracts import decode
from service_common.sqs import Message

from .use_cases import Notifier

__all__ = ["NotificationConsumer"]


class NotificationConsumer:
    """Handler of a poller: returns when the event of the message is stored in the feed."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier

    async def __call__(self, message: Message) -> None:
        """Consume one message.

        Raises:
            UnreadableEventError: the message belongs in the dead-letter queue.
            UnavailableError: the feed can't be reached; the message is to be delivered again.
        """
        await self._notifier.notify(decode(message.body))
