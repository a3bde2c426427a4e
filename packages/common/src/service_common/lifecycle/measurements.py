"""Logs the numbers of the process: alarms on log lines need them again and again, not only when they change."""

from __future__ import annotations

import asyncio
import logging

from ..observability import Metrics
from .readiness import Readiness

__all__ = ["Measurements"]

logger = logging.getLogger(__name__)


class Measurements:
    """Logs the readiness checks, the gauges and what was counted since the line before, every *interval_s* seconds.

    The interval is half of CloudWatch's shortest period of an alarm, so that each period has a line. Every second line
    has new results of the checks, unless others ask for them more often: a check of a queue costs a request.
    """

    def __init__(self, metrics: Metrics, readiness: Readiness, *, interval_s: float = 30.0) -> None:
        self._metrics = metrics
        self._readiness = readiness
        self._interval_s = interval_s
        self._counted: dict[str, float] = {}

    async def run(self) -> None:
        """Log until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(self._interval_s)

    async def once(self) -> None:
        """Log one line."""
        report = await self._readiness.report(max_age_s=1.5 * self._interval_s)
        totals = self._metrics.totals()
        counted = {name: total for name, total in totals.items() if name.endswith("_total")}
        increases = {name: total - self._counted.get(name, 0.0) for name, total in counted.items()}
        self._counted = counted
        logger.info("service measured", extra={"checks": report.checks, "metrics": totals | increases})
