"""E-mail and SMS, simulated: a line in the log each."""

from __future__ import annotations

import logging

from ..notification import Notification

__all__ = ["LogChannel"]

logger = logging.getLogger(__name__)


class LogChannel:
    """Channel that only logs what it would send.

    Args:
        medium: as the line names it: ``Email``, ``SMS``.
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
                "kind": notification.kind,
                "text": notification.message,
            },
        )
