"""Depth of a queue and of its dead-letter queue, polled from SQS on scrape only."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic

from ..errors import ServiceError
from ..lifecycle import log_death
from ..observability import Metrics
from .client import Sqs
from .messages import QueueDepth

__all__ = ["QueueDepthGauges", "measuring_depths"]

logger = logging.getLogger(__name__)


class QueueDepthGauges:
    """Gauges of the depth of one queue and of its dead-letter queue.

    When SQS does not answer in time the values stay as they were, and the gauge of their age shows it.

    Args:
        sqs: the connection.
        queue_name: the queue that is consumed; it need not exist yet.
        metrics: where the gauges are registered.
        interval_s: least time between two polls of SQS, in seconds.
        limit_s: maximum time that a scrape waits for SQS, in seconds.
    """

    def __init__(
        self, sqs: Sqs, queue_name: str, metrics: Metrics, *, interval_s: float = 5.0, limit_s: float = 1.0
    ) -> None:
        self._sqs = sqs
        self._queue_name = queue_name
        self._interval_s = interval_s
        self._limit_s = limit_s
        self._messages = metrics.gauge("sqs_messages", "Messages in a queue, approximately.", ("queue", "state"))
        self._age = metrics.gauge(
            "sqs_messages_age_seconds", "Time since the messages of a queue were measured.", ("queue",)
        )
        self._measured_at: dict[str, float] = {}
        self._failures: dict[str, str] = {}
        self._next_at = 0.0
        self._measuring: asyncio.Task[None] | None = None
        self._closed = False

    async def refresh(self) -> None:
        """Poll SQS when that is due; an answer that takes too long shows on the next scrape."""
        if self._closed:
            return
        if (self._measuring is None or self._measuring.done()) and monotonic() >= self._next_at:
            self._next_at = monotonic() + self._interval_s
            self._measuring = asyncio.create_task(self._measure(), name="queue depths")
            self._measuring.add_done_callback(log_death)
        if self._measuring is not None:
            await asyncio.wait((self._measuring,), timeout=self._limit_s)

    async def close(self) -> None:
        """Stop polling."""
        self._closed = True
        if self._measuring is not None:
            self._measuring.cancel()
            await asyncio.wait((self._measuring,))

    async def _measure(self) -> None:
        try:
            queue = await self._sqs.queue(self._queue_name)
        except ServiceError as error:
            self._log_failure(self._queue_name, str(error))
            return
        for name in filter(None, (queue.name, queue.dead_letters)):
            try:
                self._set(name, await self._sqs.depth(name))
            except ServiceError as error:
                self._log_failure(name, str(error))
            else:
                self._failures.pop(name, None)

    def _set(self, name: str, depth: QueueDepth) -> None:
        for state, number in (("visible", depth.visible), ("in-flight", depth.in_flight), ("delayed", depth.delayed)):
            self._messages.labels(name, state).set(number)
        if name not in self._measured_at:
            self._age.labels(name).set_function(partial(self._age_s, name))
        self._measured_at[name] = monotonic()

    def _age_s(self, name: str) -> float:
        return monotonic() - self._measured_at[name]

    def _log_failure(self, name: str, reason: str) -> None:
        # once for an outage: scrapes come every few seconds
        if self._failures.get(name) != reason:
            logger.warning("queue depth poll failed", extra={"queue": name, "reason": reason})
        self._failures[name] = reason


@asynccontextmanager
async def measuring_depths(sqs: Sqs, queue_name: str, metrics: Metrics) -> AsyncIterator[None]:
    """Expose the depth of *queue_name* and of its dead-letter queue in *metrics* while the block runs."""
    depths = QueueDepthGauges(sqs, queue_name, metrics)
    metrics.on_scrape(depths.refresh)
    try:
        yield
    finally:
        await depths.close()
