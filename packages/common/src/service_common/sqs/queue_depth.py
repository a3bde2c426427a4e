"""How many messages are in a queue and in its dead-letter queue, asked of SQS when somebody asks for the numbers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic

from ..errors import ServiceError
from ..observability import Metrics
from .client import Depth, Sqs

__all__ = ["Depths", "measuring_depths"]

logger = logging.getLogger(__name__)


class Depths:
    """The numbers of one queue and of its dead-letter queue.

    Nobody is asked while nobody looks. What SQS does not answer in time stays as it was, and its age tells.

    Args:
        sqs: the connection.
        queue_name: the queue that is consumed; it need not exist yet.
        metrics: where the numbers are told.
        interval_s: SQS is asked no more often than this.
        limit_s: whoever asks for the numbers waits no longer than this.
    """

    def __init__(
        self, sqs: Sqs, queue_name: str, metrics: Metrics, *, interval_s: float = 5.0, limit_s: float = 1.0
    ) -> None:
        self._sqs = sqs
        self._queue_name = queue_name
        self._interval_s = interval_s
        self._limit_s = limit_s
        self._messages = metrics.gauge("sqs_messages", "Messages that are in a queue, about.", ("queue", "state"))
        self._age = metrics.gauge(
            "sqs_messages_age_seconds", "Time since SQS told how many messages are in a queue.", ("queue",)
        )
        self._told_at: dict[str, float] = {}
        self._failures: dict[str, str] = {}
        self._next_at = 0.0
        self._measuring: asyncio.Task[None] | None = None
        self._closed = False

    async def refresh(self) -> None:
        """Ask SQS when that is due; an answer that takes too long is there for the next who wants the numbers."""
        if self._closed:
            return
        if (self._measuring is None or self._measuring.done()) and monotonic() >= self._next_at:
            self._next_at = monotonic() + self._interval_s
            self._measuring = asyncio.create_task(self._measure(), name="queue depths")
        if self._measuring is not None:
            await asyncio.wait((self._measuring,), timeout=self._limit_s)

    async def close(self) -> None:
        """Ask no more."""
        self._closed = True
        if self._measuring is not None:
            self._measuring.cancel()
            await asyncio.wait((self._measuring,))

    async def _measure(self) -> None:
        for name in await self._names():
            depth = await self._asked(name)
            if depth is not None:
                self._tell(name, depth)

    async def _names(self) -> tuple[str, ...]:
        try:
            dead_letters = (await self._sqs.queue(self._queue_name)).dead_letters
        except ServiceError as error:
            self._tell_failure(self._queue_name, str(error))
            return ()
        return (self._queue_name, dead_letters) if dead_letters else (self._queue_name,)

    async def _asked(self, name: str) -> Depth | None:
        try:
            depth = await self._sqs.depth(name)
        except ServiceError as error:
            self._tell_failure(name, str(error))
            return None
        self._failures.pop(name, None)
        return depth

    def _tell(self, name: str, depth: Depth) -> None:
        for state, number in (("visible", depth.visible), ("in-flight", depth.in_flight), ("delayed", depth.delayed)):
            self._messages.labels(name, state).set(number)
        if name not in self._told_at:
            self._age.labels(name).set_function(partial(self._age_s, name))
        self._told_at[name] = monotonic()

    def _age_s(self, name: str) -> float:
        return monotonic() - self._told_at[name]

    def _tell_failure(self, name: str, reason: str) -> None:
        # once for an outage: whoever scrapes comes again in seconds
        if self._failures.get(name) != reason:
            logger.warning("queue not measured", extra={"queue": name, "reason": reason})
        self._failures[name] = reason


@asynccontextmanager
async def measuring_depths(sqs: Sqs, queue_name: str, metrics: Metrics) -> AsyncIterator[None]:
    """While the block runs, tell whoever asks for *metrics* the depth of *queue_name* and of its dead letters."""
    depths = Depths(sqs, queue_name, metrics)
    metrics.refreshed_by(depths.refresh)
    try:
        yield
    finally:
        await depths.close()
