"""Maintenance of the outbox: measures the backlog, deletes old rows."""

from __future__ import annotations

import asyncio
import logging

from ..errors import TransientError
from ..observability import Metrics
from .table import OutboxTable

__all__ = ["OutboxMaintenance"]

logger = logging.getLogger(__name__)

_RETENTION_S = 7 * 24 * 3600.0


class OutboxMaintenance:
    """Measures the backlog every *interval_s* seconds and deletes events that were sent more than seven days ago."""

    def __init__(self, table: OutboxTable, metrics: Metrics, *, interval_s: float = 10.0) -> None:
        self._table = table
        self._interval_s = interval_s
        self._pending = metrics.gauge("outbox_pending_events", "Events that are not yet sent.")
        self._oldest = metrics.gauge("outbox_oldest_pending_seconds", "Age of the oldest event that is not yet sent.")

    async def run(self) -> None:
        """Repeat until cancelled, also after an outage of the database."""
        while True:
            try:
                await self.once()
            except TransientError as error:
                logger.info("outbox maintenance failed", extra={"reason": str(error)})
            await asyncio.sleep(self._interval_s)

    async def once(self) -> None:
        """Measure and delete once."""
        pending, oldest_s = await self._table.backlog()
        self._pending.set(pending)
        self._oldest.set(oldest_s)
        while await self._table.purge(_RETENTION_S):
            pass
