"""Asks SQS for messages: one parked long poll when there is nothing to do, several receives at once under load."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from ..errors import ServiceError, UnavailableError
from .client import MAX_BATCH, Queue, Received, Sqs, SqsRefusedError
from .concurrency import Permits
from .metrics import Meters

__all__ = ["Gate", "Receivers"]

Gate = Callable[[], Awaitable[object]]

EXTRA_WAIT_S = 1  # of the receives beside the parked one: load that ended should not keep them
LINGER_S = 0.02
BACKOFF_BASE_S = 0.2
BACKOFF_CAP_S = 5.0
EMPTY_AT_ONCE_S = 0.1  # a long poll that comes back empty sooner than this was none
logger = logging.getLogger(__name__)


class Receivers:
    """The receive loops of one queue.

    Args:
        sqs: the connection.
        queue_name: what to receive from.
        permits: what may be in flight; each receive asks for no more than it holds permits for.
        dispatch: takes what was received and returns how many of the permits it keeps; it is not a coroutine, so that
            nothing can come between a message's receive and its lease.
        gate: returns when there is a point in receiving.
        wait_s: of the parked long poll.
        at_most: receives at the same time.
        meters: counts errors.

    Attributes:
        queue: as SQS last told; None before the first receive.
        failure: why the last receive failed; None when it did not.
    """

    def __init__(
        self,
        sqs: Sqs,
        queue_name: str,
        permits: Permits,
        dispatch: Callable[[Sequence[Received]], int],
        *,
        gate: Gate | None,
        wait_s: int,
        at_most: int,
        meters: Meters,
    ) -> None:
        self.queue: Queue | None = None
        self.failure: ServiceError | None = UnavailableError(f"{queue_name}: nothing received yet")
        self._sqs = sqs
        self._queue_name = queue_name
        self._permits = permits
        self._dispatch = dispatch
        self._gate = gate
        self._wait_s = wait_s
        self._at_most = at_most
        self._meters = meters
        self._tasks: set[asyncio.Task[None]] = set()
        self._parked: set[asyncio.Task[None] | None] = set()
        self._stopping = False

    @property
    def tasks(self) -> frozenset[asyncio.Task[None]]:
        """The loops that have not ended."""
        return frozenset(self._tasks)

    def start(self, group: asyncio.TaskGroup) -> None:
        """Start in *group*, which learns of a loop that dies."""
        self._spawn(group, self._receive(group))

    def stop(self) -> None:
        """Receive no more; a receive under way is left to return, since cancelling it may swallow a message."""
        self._stopping = True
        for task in self._tasks - self._parked:
            task.cancel()

    def abandon(self) -> None:
        """End at once."""
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
                # the first after a failure does not park, so that it is known at once that the queue is there
                full = await self._once(0 if self.failure else self._wait_s)
            except ServiceError as error:
                failures += 1
                await self._back_off(error, failures)
                continue
            if failures:
                logger.info("receiving again", extra={"queue": self._queue_name, "failures": failures})
            failures = 0
            self.failure = None
            if full and len(self._tasks) < self._at_most:
                self._spawn(group, self._receive_more())

    async def _receive_more(self) -> None:
        try:
            while not self._stopping and await self._once(min(EXTRA_WAIT_S, self._wait_s)):
                pass
        except ServiceError:
            self._meters.receive_errors()  # the parked loop meets it too, and backs off

    async def _once(self, wait_s: int) -> bool:
        """Receive once; return whether as much came as was asked for, so that there is probably more."""
        if self._gate is not None:
            await self._gate()
        self.queue = await self._sqs.queue(self._queue_name)
        asked = await self._permits.take(MAX_BATCH, LINGER_S)
        began_s = asyncio.get_running_loop().time()
        kept = 0
        self._parked.add(asyncio.current_task())
        try:
            received = await self._sqs.receive(self.queue, asked, wait_s)
            kept = self._dispatch(received)
        finally:
            self._parked.discard(asyncio.current_task())
            self._permits.give(asked - kept)
        if not received and asyncio.get_running_loop().time() - began_s < EMPTY_AT_ONCE_S:
            await asyncio.sleep(EMPTY_AT_ONCE_S)
        return len(received) == asked

    async def _back_off(self, error: ServiceError, failures: int) -> None:
        self.failure = error
        self._meters.receive_errors()
        longest_s = min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2 ** min(failures, 16))
        pause_s = random.uniform(longest_s / 2, longest_s)  # noqa: S311 - jitter is no secret
        logger.log(
            logging.ERROR if isinstance(error, SqsRefusedError) else logging.WARNING,
            "receive failed",
            extra={
                "queue": self._queue_name,
                "reason": error.detail,
                "failures": failures,
                "pause_s": round(pause_s, 2),
            },
        )
        await asyncio.sleep(pause_s)
