"""Receives the messages of a queue and sees each of them to its end, whatever fails on the way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from ..errors import ServiceError, TransientError
from ..observability import Metrics
from .acknowledger import Settlement
from .client import Message, Queue, Received, Sqs
from .concurrency import Permits
from .delivery import Decision, Delay, DelayPolicy, decide
from .heartbeat import Heartbeat
from .in_flight import Lease, Leases
from .metrics import Meters
from .publisher import Publisher
from .receive_loop import Gate, Receivers

__all__ = ["Gate", "Handler", "HandlerCancelledError", "HandlerOverdueError", "Poller", "PollerSettings"]

Handler = Callable[[Message], Awaitable[None]]

FLUSH_LIMIT_S = 1.0
POLL_MARGIN_S = 0.7  # from the end of a long poll to its answer, on a machine that has other things to do
logger = logging.getLogger(__name__)
_HAND_BACK = Delay(0)


class HandlerOverdueError(TransientError):
    """A handler was stopped because it ran too long."""

    slug = "handler-overdue"


class HandlerCancelledError(TransientError):
    """A handler ended in a cancellation that nobody asked for, as aiopg's statement time-outs do."""

    slug = "handler-cancelled"


@dataclass(frozen=True, slots=True)
class PollerSettings:
    """How a poller works.

    Attributes:
        concurrency: messages in flight at most.
        receivers: receives at the same time at most; one, parked, when there is no load.
        wait_s: of the parked long poll, 0 to 20 seconds. It bounds how long a stop waits for a poll that must not be
            cancelled: 3 leaves half of the 6 s of a SIGTERM, for some 860,000 requests a month on an idle queue.
        stop_grace_s: how long `Poller.stop` lets work and parked polls end by themselves; then there is another second,
            for handing back what did not, and a last one for what is to be told to SQS.
        acknowledge_linger_s: how long an acknowledgement waits for others, in seconds.
        handler_limit_s: a handler is stopped after this long, and its message tried again.
        delay: of a message that failed.
    """

    concurrency: int = 64
    receivers: int = 4
    wait_s: int = 3
    stop_grace_s: float = 5.0
    acknowledge_linger_s: float = 0.1
    handler_limit_s: float = 120.0
    delay: DelayPolicy = field(default_factory=DelayPolicy)

    @property
    def parked_s(self) -> int:
        """How long a poll is really parked, in seconds: no longer than a stop waits for it, but at least 1."""
        return min(self.wait_s, max(1, int(self.stop_grace_s - POLL_MARGIN_S)))


class Poller:
    """Runs *handler* for each message of a queue, at least once, until it is stopped.

    A handler that returns has its message deleted. A `PermanentError` sends it to the dead-letter queue with the
    reason. Anything else shows it again after a delay (see `service_common.sqs.delivery.decide`).

    Args:
        sqs: the connection.
        queue_name: what to receive from; it need not exist yet.
        handler: is called in a task of its own for each message; must stand being called twice for the same.
        settings: how much at once, and how long.
        gate: is awaited before each receive, such as for the database the handler needs: while it is away messages
            stay where they are instead of using up their receives.
        metrics: where to count.
    """

    def __init__(
        self,
        sqs: Sqs,
        queue_name: str,
        handler: Handler,
        *,
        settings: PollerSettings | None = None,
        gate: Gate | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._settings = settings = settings or PollerSettings()
        self._queue_name = queue_name
        self._handler = handler
        self._leases = Leases()
        self._permits = Permits(settings.concurrency)
        self._meters = Meters(metrics := metrics or Metrics(), queue_name, self._leases.__len__)
        self._receivers = Receivers(
            sqs,
            queue_name,
            self._permits,
            self._dispatch,
            gate=gate,
            wait_s=settings.parked_s,
            at_most=settings.receivers,
            meters=self._meters,
        )
        self._heartbeat = Heartbeat(
            sqs, self._queue, self._leases, handler_limit_s=settings.handler_limit_s, lost=self._meters.leases_lost
        )
        self._settlement = Settlement(
            sqs,
            Publisher(sqs, metrics),
            self._queue,
            self._leases,
            ended=lambda: self._permits.give(1),
            meters=self._meters,
            policy=settings.delay,
            linger_s=settings.acknowledge_linger_s,
        )
        self._working: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Work until `stop` has ended, or until a loop dies, whose exception comes out.

        Cancelled, it abandons its receives and gives back what is in flight.
        """
        try:
            async with asyncio.TaskGroup() as group:
                beats = group.create_task(self._heartbeat.run())
                self._receivers.start(group)
                await self._stopped.wait()
                beats.cancel()
        except BaseExceptionGroup as died:
            raise died.exceptions[0] from None
        except asyncio.CancelledError:
            self._stopping = True
            self._cancel_handlers()
            raise

    async def stop(self) -> None:
        """Receive no more, let what is in flight end, give back what does not, tell SQS; bounded by the settings."""
        self._stopping = True
        self._receivers.stop()
        if pending := self._working | self._receivers.tasks:
            await asyncio.wait(pending, timeout=self._settings.stop_grace_s)
        self._receivers.abandon()
        self._cancel_handlers()
        if self._working:
            await asyncio.wait(self._working, timeout=FLUSH_LIMIT_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_LIMIT_S):
                await self._settlement.drain()
        if self._leases:
            logger.warning(
                "stopped with messages in flight", extra={"queue": self._queue_name, "count": len(self._leases)}
            )
        self._stopped.set()

    async def check(self) -> None:
        """Raise what keeps the queue from being received from, for readiness.

        Raises:
            ServiceError: why the last receive failed.
        """
        if self._receivers.failure is not None:
            raise self._receivers.failure

    def _queue(self) -> Queue:
        queue = self._receivers.queue
        if queue is None:
            raise RuntimeError("a message before its queue")
        return queue

    def _dispatch(self, batch: Sequence[Received]) -> int:
        if not batch:
            return 0
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        kept = 0
        for received in batch:
            lease = self._leases.admit(received, now_s)
            if lease is None:
                self._meters.duplicates()
                continue
            kept += 1
            if self._stopping:
                lease.working = False
                self._settlement.settle(lease, _HAND_BACK)
            else:
                lease.task = task = loop.create_task(self._work(lease))
                self._working.add(task)
                task.add_done_callback(self._working.discard)
        self._meters.received(len(batch))
        logger.info("received", extra={"queue": self._queue_name, "messageIds": [each.message.id for each in batch]})
        return kept

    async def _work(self, lease: Lease) -> None:
        began_s = asyncio.get_running_loop().time()
        error: Exception | None = None
        try:
            await self._handler(lease.message)
        except asyncio.CancelledError:
            error = HandlerOverdueError("took too long") if lease.overdue else HandlerCancelledError("was cancelled")
        except Exception as raised:  # whatever a handler raises, its message is seen to its end
            error = raised
        lease.working = False
        self._meters.handled_s(asyncio.get_running_loop().time() - began_s)
        if lease.beat is not None:
            await lease.beat  # an extension that arrives late would undo the delay
        self._settlement.settle(lease, self._decide(lease, error))

    def _decide(self, lease: Lease, error: Exception | None) -> Decision:
        if isinstance(error, HandlerCancelledError) and self._stopping:
            return _HAND_BACK
        decision = decide(error, lease.message.receive_count, self._settings.delay)
        if isinstance(decision, Delay):
            logger.warning(
                "message failed",
                exc_info=None if isinstance(error, ServiceError) else error,
                extra={
                    "queue": self._queue_name,
                    "messageId": lease.message.id,
                    "receiveCount": lease.message.receive_count,
                    "reason": f"{type(error).__name__}: {error}",
                    "delay_s": decision.visibility_s,
                },
            )
        return decision

    def _cancel_handlers(self) -> None:
        for lease in self._leases:
            if lease.task is not None:
                lease.task.cancel()
