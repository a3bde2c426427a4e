"""Watches how many sagas are open, and tells of those that are late."""

from __future__ import annotations

import asyncio
import logging

from service_common.errors import TransientError
from service_common.observability import Metrics

from .ports import SagaReader
from .saga import SagaState

__all__ = ["Lateness"]

logger = logging.getLogger(__name__)


class Lateness:
    """Counts the open sagas every *interval_s* seconds, for the metrics and, when some are late, for the log."""

    def __init__(self, sagas: SagaReader, metrics: Metrics, *, interval_s: float = 5.0) -> None:
        self._sagas = sagas
        self._interval_s = interval_s
        self._open = metrics.gauge("sagas_open", "Sagas that have not ended, by state.", ("state",))
        self._late = metrics.gauge("sagas_late", "Sagas that have not ended within 30 seconds.")
        self._oldest = metrics.gauge("sagas_oldest_open_seconds", "Age of the oldest saga that has not ended.")
        self._last_late = 0

    async def run(self) -> None:
        """Keep on until cancelled; while the database is away there is nothing to count."""
        while True:
            try:
                await self.once()
            except TransientError as error:
                logger.info("sagas not counted", extra={"reason": str(error)})
            await asyncio.sleep(self._interval_s)

    async def once(self) -> None:
        """Count now."""
        census = await self._sagas.census()
        for state in SagaState:
            if not state.ended:
                self._open.labels(state.value).set(census.open.get(state, 0))
        self._late.set(census.late)
        self._oldest.set(census.oldest_s)
        if census.late != self._last_late:
            level = logging.WARNING if census.late else logging.INFO
            logger.log(level, "late sagas", extra={"late": census.late, "before": self._last_late})
        self._last_late = census.late
