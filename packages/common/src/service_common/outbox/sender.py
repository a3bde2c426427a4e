"""Sends one claimed batch to one queue, in the order of each subject."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from ..errors import ServiceError
from ..events import encode
from ..observability import Metrics, Span, entered
from ..sqs import Outgoing, SendOutcome, send_span
from .table import OutboxRow

__all__ = ["OutboxPublisher", "Sender", "ordered_groups"]

logger = logging.getLogger(__name__)


class OutboxPublisher(Protocol):
    """Sends the messages of the outbox, such as `service_common.sqs.Publisher`."""

    async def send(self, queue_name: str, messages: Sequence[Outgoing], /) -> SendOutcome:
        """Send *messages* to the queue."""
        ...


def ordered_groups(rows: Iterable[OutboxRow]) -> list[list[OutboxRow]]:
    """Group *rows* so that the n-th of each subject is in group n; rows without a subject are in the first group."""
    grouped: list[list[OutboxRow]] = []
    seen: Counter[str | None] = Counter()
    for row in rows:
        number = seen[row.subject]
        if row.subject is not None:
            seen[row.subject] += 1
        if number == len(grouped):
            grouped.append([])
        grouped[number].append(row)
    return grouped


@dataclass(slots=True)
class _Batch:
    """What is being sent to *destination* until the *deadline*, and why some of it was not accepted, or never will."""

    destination: str
    deadline: float
    reasons: set[str] = field(default_factory=set)
    unsendable: dict[int, str] = field(default_factory=dict)
    spans: dict[int, Span] = field(default_factory=dict)


class Sender:
    """Sends rows as events; it never raises, the caller retries what was not sent.

    Args:
        publisher: sends the messages.
        source: the ``source`` of the events.
        metrics: where events are counted.
        timeout_s: time limit of a batch, in seconds: the lease, after which other relays may send it.
    """

    def __init__(self, publisher: OutboxPublisher, source: str, metrics: Metrics, *, timeout_s: float) -> None:
        self._publisher = publisher
        self._source = source
        self._timeout_s = timeout_s
        self._reasons: dict[str, list[str]] = {}
        self._sent = metrics.counter("outbox_sent_total", "Events that a queue accepted.", ("queue",))
        self._failed = metrics.counter("outbox_failed_total", "Failed attempts to send an event.", ("queue",))

    async def send(self, destination: str, rows: Sequence[OutboxRow]) -> tuple[set[int], dict[int, str]]:
        """Send *rows*, those of each subject in order up to its first failure.

        Return the ids that the queue accepted, and why it will never accept others. An outage is logged when it starts,
        when its reasons change and when it ends.
        """
        batch = _Batch(destination, asyncio.get_running_loop().time() + self._timeout_s)
        sent: set[int] = set()
        stopped: set[str] = set()
        failed = 0
        for group in ordered_groups(rows):
            ready = [row for row in group if row.subject not in stopped]
            if not ready:
                break
            accepted = await self._publish(batch, ready)
            unsent = [row for row in ready if str(row.id) not in accepted]
            stopped.update(row.subject for row in unsent if row.subject is not None)
            failed += len(unsent)
            sent.update(row.id for row in ready if str(row.id) in accepted)
        for row in rows:
            if row.id in sent:
                with entered(batch.spans[row.id]):
                    logger.info(
                        "event published", extra={"type": row.type, "subject": row.subject, "queue": destination}
                    )
        self._sent.labels(destination).inc(len(sent))
        self._failed.labels(destination).inc(failed)
        self._log_change(destination, failed, sorted(batch.reasons))
        return sent, batch.unsendable

    async def _publish(self, batch: _Batch, rows: Sequence[OutboxRow]) -> Collection[str]:
        messages = [message for row in rows if (message := self._message(batch, row))]
        accepted: Collection[str] = ()
        try:
            accepted = await self._accepted(batch, messages)
        finally:
            for row in rows:
                if str(row.id) not in accepted:
                    batch.spans[row.id].fail("not-sent")
                batch.spans[row.id].end()
        return accepted

    def _message(self, batch: _Batch, row: OutboxRow) -> Outgoing | None:
        span = batch.spans[row.id] = send_span(batch.destination, row.traceparent, row.tracestate)
        event = row.event(self._source)
        if span.recorded:
            event = replace(event, traceparent=span.traceparent)
        try:
            return Outgoing(str(row.id), encode(event), span=span)
        except (TypeError, ValueError) as error:  # such as an integer of more than 64 bits
            batch.unsendable[row.id] = str(error)
        return None

    async def _accepted(self, batch: _Batch, messages: Sequence[Outgoing]) -> Collection[str]:
        try:
            async with asyncio.timeout_at(batch.deadline):
                outcome = await self._publisher.send(batch.destination, messages)
        except (ServiceError, TimeoutError) as error:
            batch.reasons.add(str(error) or "no answer")
        except Exception as error:  # a defect of the publisher: the events stay, the other queues are sent to
            logger.exception("outbox send failed", extra={"queue": batch.destination, "events": len(messages)})
            batch.reasons.add(type(error).__name__)
        else:
            for key, reason in outcome.failed.items():
                if key in outcome.refused:
                    batch.unsendable[int(key)] = reason
                else:
                    batch.reasons.add(reason)
            return outcome.sent
        return ()

    def _log_change(self, destination: str, events: int, reasons: list[str]) -> None:
        if reasons == self._reasons.get(destination, []):
            return
        self._reasons[destination] = reasons
        if reasons:
            facts = {"queue": destination, "events": events, "reason": "; ".join(reasons)}
            logger.warning("outbox send failed", extra=facts)
        else:
            logger.info("outbox send recovered", extra={"queue": destination})
