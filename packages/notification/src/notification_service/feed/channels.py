"""E-mail and SMS, simulated: each writes a log line."""

from __future__ import annotations

import logging

from ..notification import Notification

__all__ = ["LogChannel"]

logger = logging.getLogger(__name__)


class LogChannel:
    """Channel that logs instead of sending.

    Args:
        medium: its name in the log message: ``Email``, ``SMS``.
    """

    def __init__(self, medium: str) -> None:
        self._medium = medium

    async def send(self, notification: Notification) -> None:
        """Log that *notification* was sent."""
        logger.info(
            "%s sent",
            self._medium,
            extra={
                "channel": self._medium.lower(),
                "orderId": notification.order_id,
                "customerId": notification.customer_id,
                "kind": notification.kind,
                "text": notification.message,
            },
        )
