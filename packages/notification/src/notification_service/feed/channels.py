"""E-mail and SMS, simulated: a log line says that both were sent."""

from __future__ import annotations

import logging

from ..notification import Notification

__all__ = ["LogChannel"]

logger = logging.getLogger(__name__)


class LogChannel:
    """Channel that logs instead of sending."""

    async def send(self, notification: Notification) -> None:
        """Log that *notification* was sent."""
        logger.info(
            "Email and SMS sent",
            extra={
                "channels": ("email", "sms"),
                "orderId": notification.order_id,
                "customerId": notification.customer_id,
                "kind": notification.kind,
                "text": notification.message,
            },
        )
