"""Messages of the notification queue to calls of the service."""

from __future__ import annotations

from service_common.events import decode
from service_common.sqs import Message

from .use_cases import Notifier

__all__ = ["NotificationConsumer"]


class NotificationConsumer:
    """Handler of a poller: returns when what the message says is in the feed."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier

    async def __call__(self, message: Message) -> None:
        """Take one event down.

        Raises:
            UnreadableEventError: the message is for the dead-letter queue.
            UnavailableError: the feed is away; the message is to come again.
        """
        await self._notifier.notify(decode(message.body))
