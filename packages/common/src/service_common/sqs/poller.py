"""Consumes a queue: processes each message until it is acknowledged, retried or dead-lettered."""

from __future__ import annotations

import asyncio
import logging
import platform
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ..backoff import Backoff
from ..errors import ServiceError, TransientError
from ..lifecycle import log_death, uncancelled
from ..observability import Metrics
from .acknowledger import Acknowledger
from .client import Sqs
from .delivery import Decision, Delay, decide
from .heartbeat import Heartbeat
from .in_flight import ConcurrencyLimit, InFlightMessage, InFlightMessages
from .messages import Message, Queue, Received
from .metrics import PollerMetrics
from .publisher import Publisher
from .receive_loop import Gate, ReceiveLoops

__all__ = ["HandlerCancelledError", "HandlerOverdueError", "MessageHandler", "Poller", "PollerSettings"]

MessageHandler = Callable[[Message], Awaitable[None]]

FLUSH_LIMIT_S = 1.0
POLL_MARGIN_S = 0.7  # from the end of a long poll to its response, on a busy machine
logger = logging.getLogger(__name__)
_RETRY_BACKOFF = Backoff(base_s=1.0, cap_s=300.0)
_HAND_BACK = Delay(0)


class HandlerOverdueError(TransientError):
    """A handler was stopped because it ran longer than its time limit."""

    slug = "handler-overdue"


class HandlerCancelledError(TransientError):
    """A handler ended in a cancellation that was not requested, as aiopg's statement time-outs do."""

    slug = "handler-cancelled"


@dataclass(frozen=True, slots=True)
class PollerSettings:
    """Limits of a poller.

    Attributes:
        concurrency: maximum messages in flight.
        receivers: maximum concurrent receives; one, parked, without load.
        wait_s: long poll of the parked receive, 0 to 20 seconds; in effect as long as `stop_grace_s` allows, because a
            stop has to wait for it.
        stop_grace_s: how long `Poller.stop` waits for handlers and parked receives to end; one more second follows to
            hand back the messages of cancelled handlers, and a last one to acknowledge.
        acknowledge_linger_s: maximum batching delay of an acknowledgement, in seconds.
        handler_limit_s: time limit of a handler, in seconds; its message is then retried.
        retry: delays of a message whose handler failed, by its receive count.
    """

    concurrency: int = 64
    receivers: int = 4
    wait_s: int = 20
    stop_grace_s: float = 5.0
    acknowledge_linger_s: float = 0.1
    handler_limit_s: float = 120.0
    retry: Backoff = _RETRY_BACKOFF

    @property
    def parked_s(self) -> int:
        """Long poll of the parked receive in effect, in seconds: no longer than a stop waits for it, but at least 1."""
        return min(self.wait_s, max(1, int(self.stop_grace_s - POLL_MARGIN_S)))


class Poller:
    """Runs *handler* for each message of a queue, at least once, until it is stopped.

    The message of a handler that returns is deleted. A `PermanentError` sends it to the dead-letter queue with the
    reason. After any other error it is retried with a delay (see `service_common.sqs.delivery.decide`).

    Args:
        sqs: the connection.
        queue_name: what to receive from; it need not exist yet.
        handler: processes one message, in a task of its own; must be idempotent.
        settings: the limits.
        gate: is awaited before each receive, such as for the database that the handler needs: in an outage,
            messages stay in the queue instead of using up their receive counts.
        consumer: name of the consumer in dead letters, such as the service's; the host's by default.
        metrics: where messages are counted.
    """

    def __init__(
        self,
        sqs: Sqs,
        queue_name: str,
        handler: MessageHandler,
        *,
        settings: PollerSettings | None = None,
        gate: Gate | None = None,
        consumer: str | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._settings = settings = settings or PollerSettings()
        self._queue_name = queue_name
        self._handler = handler
        self._in_flight = InFlightMessages()
        limit = ConcurrencyLimit(settings.concurrency)
        self._metrics = PollerMetrics(metrics := metrics or Metrics(), queue_name, self._in_flight.__len__)
        self._receive_loops = ReceiveLoops(
            sqs,
            queue_name,
            limit,
            self._dispatch,
            gate=gate,
            wait_s=settings.parked_s,
            at_most=settings.receivers,
            metrics=self._metrics,
        )
        self._heartbeat = Heartbeat(
            sqs, self._queue, self._in_flight, handler_limit_s=settings.handler_limit_s, lost=self._metrics.leases_lost
        )
        self._acknowledger = Acknowledger(
            sqs,
            Publisher(sqs, metrics),
            self._queue,
            self._in_flight,
            consumer=consumer or platform.node(),
            limit=limit,
            metrics=self._metrics,
            backoff=settings.retry,
            linger_s=settings.acknowledge_linger_s,
        )
        self._working: dict[asyncio.Task[None], InFlightMessage] = {}
        self._stopping = False
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Consume until `stop` has ended, or until a loop dies: then its exception is raised, and it may run again.

        The handlers that are running when a loop dies, their permits and their acknowledgements go on without it.
        When cancelled, it abandons its receives and hands back the messages in flight.
        """
        try:
            async with asyncio.TaskGroup() as group:
                heartbeat = group.create_task(uncancelled(self._heartbeat.run))
                self._receive_loops.start(group)
                await self._stopped.wait()
                heartbeat.cancel()
        except BaseExceptionGroup as died:
            raise died.exceptions[0] from None
        except asyncio.CancelledError:
            self._stopping = True
            self._cancel_handlers()
            raise

    async def stop(self) -> None:
        """Stop receiving, let handlers end, hand back what is left, acknowledge; within the limits of the settings."""
        self._stopping = True
        self._receive_loops.stop()
        if pending := self._working.keys() | self._receive_loops.tasks:
            await asyncio.wait(pending, timeout=self._settings.stop_grace_s)
        self._receive_loops.abandon()
        self._cancel_handlers()
        if self._working:
            await asyncio.wait(self._working, timeout=FLUSH_LIMIT_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_LIMIT_S):
                await self._acknowledger.drain()
        if self._in_flight:
            logger.warning(
                "poller stopped with messages in flight",
                extra={"queue": self._queue_name, "count": len(self._in_flight)},
            )
        self._stopped.set()

    async def check(self) -> None:
        """Check for readiness whether the last receive succeeded.

        Raises:
            ServiceError: why it failed.
        """
        if self._receive_loops.failure is not None:
            raise self._receive_loops.failure

    def _queue(self) -> Queue:
        queue = self._receive_loops.queue
        if queue is None:
            raise RuntimeError("a message was received before its queue was known")
        return queue

    def _dispatch(self, batch: Sequence[Received]) -> int:
        if not batch:
            return 0
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        kept = 0
        for received in batch:
            entry = self._in_flight.add(received, now_s)
            if entry is None:
                self._metrics.duplicates()
                continue
            kept += 1
            if self._stopping:
                entry.working = False
                self._acknowledger.apply(entry, _HAND_BACK)
            else:
                entry.task = task = loop.create_task(self._process(entry))
                self._working[task] = entry
                task.add_done_callback(self._processed)
        self._metrics.received(len(batch))
        logger.info(
            "sqs messages received",
            extra={"queue": self._queue_name, "messageIds": [each.message.id for each in batch]},
        )
        return kept

    async def _process(self, entry: InFlightMessage) -> None:
        began_s = asyncio.get_running_loop().time()
        error: Exception | None = None
        try:
            await self._handler(entry.message)
        except asyncio.CancelledError:
            error = HandlerOverdueError("ran too long") if entry.overdue else HandlerCancelledError("was cancelled")
        except Exception as raised:  # whatever a handler raises, its message is acknowledged, retried or dead-lettered
            error = raised
        entry.working = False
        self._metrics.handled_s(asyncio.get_running_loop().time() - began_s)
        if entry.heartbeat is not None:
            await entry.heartbeat  # an extension that arrives late would undo the delay
        self._acknowledger.apply(entry, self._decide(entry.message, error))

    def _processed(self, task: asyncio.Task[None]) -> None:
        entry = self._working.pop(task)
        if task.cancelled():  # before it began
            entry.working = False
            self._acknowledger.apply(entry, _HAND_BACK)
        elif task.exception() is not None:  # a defect: what a handler raises is decided upon
            log_death(task)
            entry.working = False
            self._acknowledger.apply(entry, Delay(int(self._settings.retry.cap_s)))

    def _decide(self, message: Message, error: Exception | None) -> Decision:
        if isinstance(error, HandlerCancelledError) and self._stopping:
            return _HAND_BACK
        decision = decide(error, message.receive_count, self._settings.retry)
        if isinstance(decision, Delay):
            logger.warning(
                "message processing failed",
                exc_info=None if isinstance(error, ServiceError) else error,
                extra={
                    "queue": self._queue_name,
                    "messageId": message.id,
                    "receiveCount": message.receive_count,
                    "reason": f"{type(error).__name__}: {error}",
                    "delay_s": decision.visibility_s,
                },
            )
        return decision

    def _cancel_handlers(self) -> None:
        for entry in self._in_flight:
            if entry.task is not None:
                entry.task.cancel()
