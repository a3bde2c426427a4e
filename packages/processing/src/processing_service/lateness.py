"""Counts open and late sagas for the metrics and the log."""

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
    """Measures the open sagas every *interval_s* seconds, and logs when the number of late ones changes."""

    def __init__(self, sagas: SagaReader, metrics: Metrics, *, interval_s: float = 5.0) -> None:
        self._sagas = sagas
        self._interval_s = interval_s
        self._open = metrics.gauge("sagas_open", "Sagas that have not ended, by state.", ("state",))
        self._late = metrics.gauge("sagas_late", "Sagas that have not ended within 30 seconds.")
        self._oldest = metrics.gauge("sagas_oldest_open_seconds", "Age of the oldest saga that has not ended.")
        self._last_late = 0

    async def run(self) -> None:
        """Measure until cancelled; while the database is unavailable the gauges keep their values."""
        while True:
            try:
                await self.measure()
            except TransientError as error:
                logger.info("saga count failed", extra={"reason": str(error)})
            await asyncio.sleep(self._interval_s)

    async def measure(self) -> None:
        """Set the gauges."""
        sagas = await self._sagas.count_open()
        for state in SagaState:
            if not state.ended:
                self._open.labels(state.value).set(sagas.by_state.get(state, 0))
        self._late.set(sagas.late)
        self._oldest.set(sagas.oldest_s)
        if sagas.late != self._last_late:
            level = logging.WARNING if sagas.late else logging.INFO
            logger.log(level, "late sagas changed", extra={"late": sagas.late, "before": self._last_late})
        self._last_late = sagas.late
