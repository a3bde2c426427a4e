"""Receive loops: one parked long poll when idle, several concurrent receives under load."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from ..backoff import Backoff
from ..errors import ServiceError, UnavailableError
from ..lifecycle import uncancelled
from .client import Sqs
from .in_flight import ConcurrencyLimit
from .limits import MAX_BATCH
from .messages import Queue, Received, SqsRefusedError
from .metrics import PollerMetrics

__all__ = ["Gate", "ReceiveLoops"]

Gate = Callable[[], Awaitable[object]]

EXTRA_WAIT_S = 1  # long poll of the additional loops: short, so that they end soon after the load
LINGER_S = 0.02
BACKOFF = Backoff(base_s=0.4, cap_s=5.0)
EMPTY_AT_ONCE_S = 0.1  # a long poll that returns empty sooner than this did not wait
logger = logging.getLogger(__name__)


class ReceiveLoops:
    """The receive loops of one queue.

    Args:
        sqs: the connection.
        queue_name: what to receive from.
        limit: messages that may be in flight; a receive asks for as many as it holds permits for.
        dispatch: takes the received messages and returns how many of the permits it keeps; not a coroutine, so that
            a message is in flight at once.
        gate: returns when messages can be processed.
        wait_s: of the parked long poll, in seconds.
        at_most: maximum concurrent receives.
        metrics: counts errors.

    Attributes:
        queue: the current queue; None before the first receive.
        failure: why the last receive failed; None when it succeeded.
    """

    def __init__(
        self,
        sqs: Sqs,
        queue_name: str,
        limit: ConcurrencyLimit,
        dispatch: Callable[[Sequence[Received]], int],
        *,
        gate: Gate | None,
        wait_s: int,
        at_most: int,
        metrics: PollerMetrics,
    ) -> None:
        self.queue: Queue | None = None
        self.failure: ServiceError | None = UnavailableError(f"{queue_name}: nothing received yet")
        self._sqs = sqs
        self._queue_name = queue_name
        self._limit = limit
        self._dispatch = dispatch
        self._gate = gate
        self._wait_s = wait_s
        self._at_most = at_most
        self._metrics = metrics
        self._tasks: set[asyncio.Task[None]] = set()
        self._parked: set[asyncio.Task[None] | None] = set()
        self._stopping = False

    @property
    def tasks(self) -> frozenset[asyncio.Task[None]]:
        """The loops that have not ended."""
        return frozenset(self._tasks)

    def start(self, group: asyncio.TaskGroup) -> None:
        """Start in *group*, which gets the exception of a loop that dies."""
        self._spawn(group, uncancelled(self._receive, group))

    def stop(self) -> None:
        """Stop receiving; a receive under way is left to return, since cancelling it may lose a message."""
        self._stopping = True
        for task in self._tasks - self._parked:
            task.cancel()

    def abandon(self) -> None:
        """Cancel all receives."""
        for task in self._tasks:
            task.cancel()

    def _spawn(self, group: asyncio.TaskGroup, loop: Coroutine[Any, Any, None]) -> None:
        task = group.create_task(loop)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _receive(self, group: asyncio.TaskGroup) -> None:
        failures = 0
        while not self._stopping:
            try:
                # without a long poll after a failure, so that recovery shows at once
                full = await self._once(0 if self.failure else self._wait_s)
            except ServiceError as error:
                failures += 1
                await self._back_off(error, failures)
                continue
            if failures:
                logger.info("sqs receive recovered", extra={"queue": self._queue_name, "failures": failures})
            failures = 0
            self.failure = None
            if full and len(self._tasks) < self._at_most:
                self._spawn(group, uncancelled(self._receive_more))

    async def _receive_more(self) -> None:
        try:
            while not self._stopping and await self._once(min(EXTRA_WAIT_S, self._wait_s)):
                pass
        except ServiceError:
            self._metrics.receive_errors()  # the parked loop fails too, and backs off

    async def _once(self, wait_s: int) -> bool:
        """Receive once; return whether the response was full, so that there is probably more."""
        if self._gate is not None:
            await self._gate()
        self.queue = await self._sqs.queue(self._queue_name)
        asked = await self._limit.acquire(MAX_BATCH, LINGER_S)
        began_s = asyncio.get_running_loop().time()
        kept = 0
        self._parked.add(asyncio.current_task())
        try:
            received = await self._sqs.receive(self.queue, asked, wait_s)
            kept = self._dispatch(received)
        finally:
            self._parked.discard(asyncio.current_task())
            self._limit.release(asked - kept)
        if not received and asyncio.get_running_loop().time() - began_s < EMPTY_AT_ONCE_S:
            await asyncio.sleep(EMPTY_AT_ONCE_S)
        return len(received) == asked

    async def _back_off(self, error: ServiceError, failures: int) -> None:
        self.failure = error
        self._metrics.receive_errors()
        delay_s = BACKOFF.delay_s(failures)
        logger.log(
            logging.ERROR if isinstance(error, SqsRefusedError) else logging.WARNING,
            "sqs receive failed",
            extra={
                "queue": self._queue_name,
                "reason": error.detail,
                "failures": failures,
                "delay_s": round(delay_s, 2),
            },
        )
        await asyncio.sleep(delay_s)
