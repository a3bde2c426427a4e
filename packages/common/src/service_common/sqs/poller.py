"""Consumes a queue: processes each message until it is acknowledged, retried or dead-lettered."""

from __future__ import annotations

import asyncio
import logging
import platform
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from ..backoff import Backoff
from ..errors import ServiceError, TransientError
from ..lifecycle import log_death, uncancelled
from ..observability import Metrics
from .acknowledger import Acknowledger
from .client import Sqs
from .delivery import (
    Decision,
    Delay,
    PartDecision,
    Separate,
    bounded,
    decide,
    decide_batch,
    separates_at,
)
from .heartbeat import Heartbeat
from .in_flight import ConcurrencyLimit, InFlightMessage, InFlightMessages
from .messages import EARLIER_RECEIVES, Message, Queue, Received
from .metrics import PollerMetrics
from .publisher import Publisher
from .receive_loop import Gate, ReceiveLoops

__all__ = ["HandlerCancelledError", "HandlerOverdueError", "MessageHandler", "Poller", "PollerSettings"]

MessageHandler = Callable[[Message], Awaitable[None]]
Split = Callable[[str], Sequence[str] | None]

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
        concurrency: maximum messages in flight, of which each part counts; the last to come may exceed it by its parts.
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

    A message may have several parts, which are handled concurrently. It is deleted when all were processed; those that
    were not become messages or dead letters of their own first, unless all are to be retried: then the message is. A
    process that ends between sending them and deleting the message leaves both, so that they are handled twice.

    Args:
        sqs: the connection.
        queue_name: what to receive from; it need not exist yet.
        handler: processes one message, or a part of one, in a task of its own; must be idempotent.
        settings: the limits.
        gate: is awaited before each receive, such as for the database that the handler needs: in an outage,
            messages stay in the queue instead of using up their receive counts.
        split: returns the parts of a body, None when it is one.
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
        split: Split = lambda _body: None,
        consumer: str | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._settings = settings = settings or PollerSettings()
        self._queue_name = queue_name
        self._handler = handler
        self._split = split
        self._in_flight = InFlightMessages()
        self._limit = limit = ConcurrencyLimit(settings.concurrency)
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
            parts = self._parts_of(received.message)
            entry = self._in_flight.add(received, parts, now_s)
            if entry is None:
                self._metrics.duplicates()
                continue
            kept += 1
            self._limit.take_more(entry.permits)
            if self._stopping:
                entry.working = False
                self._acknowledger.apply(entry, _HAND_BACK)
            elif len(parts) > 1 and received.message.receive_count >= separates_at(self._queue().max_receives):
                entry.working = False
                self._acknowledger.apply(entry, Separate(dict.fromkeys(range(len(parts)), _HAND_BACK)))
            else:
                entry.task = task = loop.create_task(self._process(entry))
                self._working[task] = entry
                task.add_done_callback(self._processed)
        self._metrics.received(len(batch))
        logger.debug(
            "sqs messages received",
            extra={"queue": self._queue_name, "messageIds": [each.message.id for each in batch]},
        )
        return kept

    def _parts_of(self, message: Message) -> Sequence[Message]:
        bodies = self._split(message.body)
        return (message,) if bodies is None else [replace(message, body=body) for body in bodies]

    async def _process(self, entry: InFlightMessage) -> None:
        if len(entry.parts) == 1:
            decision: Decision = await self._handle(entry, entry.parts[0])
        else:
            decisions = await self._handle_each(entry)
            decision = _HAND_BACK if _HAND_BACK in decisions else decide_batch(decisions)
        entry.working = False
        if entry.heartbeat is not None:
            await entry.heartbeat  # an extension that arrives late would undo the delay
        self._acknowledger.apply(entry, decision)

    async def _handle_each(self, entry: InFlightMessage) -> list[PartDecision]:
        """Handle the parts concurrently; a cancellation reaches those that have not ended."""
        tasks = [asyncio.ensure_future(self._handle(entry, part)) for part in entry.parts]
        while pending := {task for task in tasks if not task.done()}:
            try:
                await asyncio.wait(pending)
            except asyncio.CancelledError:
                for task in pending:
                    task.cancel()
        return [task.result() for task in tasks]

    async def _handle(self, entry: InFlightMessage, part: Message) -> PartDecision:
        began_s = asyncio.get_running_loop().time()
        error: Exception | None = None
        try:
            await self._handler(part)
        except asyncio.CancelledError:
            if self._stopping and not entry.overdue:
                return _HAND_BACK
            error = HandlerOverdueError("ran too long") if entry.overdue else HandlerCancelledError("was cancelled")
        except Exception as raised:  # whatever a handler raises, its message is acknowledged, retried or dead-lettered
            error = raised
        self._metrics.handled_s(asyncio.get_running_loop().time() - began_s)
        return self._decide_part(part, error)

    def _processed(self, task: asyncio.Task[None]) -> None:
        entry = self._working.pop(task)
        if task.cancelled():  # before it began
            entry.working = False
            self._acknowledger.apply(entry, _HAND_BACK)
        elif task.exception() is not None:  # a defect: what a handler raises is decided upon
            log_death(task)
            entry.working = False
            self._acknowledger.apply(entry, Delay(int(self._settings.retry.cap_s)))

    def _decide_part(self, part: Message, error: Exception | None) -> PartDecision:
        decision = decide(error, part.receive_count, self._settings.retry)
        if isinstance(decision, Delay):
            reason = f"{type(error).__name__}: {error}"
            logger.warning(
                "message processing failed",
                exc_info=None if isinstance(error, ServiceError) else error,
                extra={
                    "queue": self._queue_name,
                    "messageId": part.id,
                    "receiveCount": part.receive_count,
                    "reason": reason,
                    "delay_s": decision.visibility_s,
                },
            )
            if EARLIER_RECEIVES in part.attributes:
                return bounded(decision, part.receive_count, self._queue().max_receives, reason)
        return decision

    def _cancel_handlers(self) -> None:
        for entry in self._in_flight:
            if entry.task is not None:
                entry.task.cancel()
