"""One claimed batch to one queue: encoded, sent in the order of each subject, counted, told."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from ..errors import ServiceError
from ..events import encode
from ..observability import Metrics, tracing
from ..sqs import Outgoing
from .table import OutboxRow

__all__ = ["OutboxPublisher", "SendResult", "Sender", "waves"]

logger = logging.getLogger(__name__)


class SendResult(Protocol):
    """What became of a batch: the keys that were taken, and of those that were not, why."""

    @property
    def sent(self) -> Collection[str]: ...  # noqa: D102

    @property
    def failed(self) -> Mapping[str, object]: ...  # noqa: D102


class OutboxPublisher(Protocol):
    """Where the events go."""

    async def send(self, queue_name: str, messages: Sequence[Outgoing], /) -> SendResult:
        """Send *messages* and tell which of them the queue took."""
        ...


def waves(rows: Iterable[OutboxRow]) -> list[list[OutboxRow]]:
    """Group *rows* so that the n-th of each subject is in group n; those without a subject are all in the first."""
    grouped: list[list[OutboxRow]] = []
    seen: Counter[str] = Counter()
    for row in rows:
        number = 0
        if row.subject is not None:
            number = seen[row.subject]
            seen[row.subject] += 1
        if number == len(grouped):
            grouped.append([])
        grouped[number].append(row)
    return grouped


class Sender:
    """Sends rows as the events of *source* and never raises: what was not sent is what it does not return.

    Args:
        publisher: takes the messages.
        source: the ``source`` of the events.
        metrics: where to count.
        timeout_s: how long one batch may take, in seconds: others may send it from then on.
    """

    def __init__(self, publisher: OutboxPublisher, source: str, metrics: Metrics, *, timeout_s: float) -> None:
        self._publisher = publisher
        self._source = source
        self._timeout_s = timeout_s
        self._told: dict[str, list[str]] = {}
        self._sent = metrics.counter("outbox_sent_total", "Events that a queue took.", ("queue",))
        self._failed = metrics.counter("outbox_failed_total", "Attempts to send an event that failed.", ("queue",))

    async def send(self, destination: str, rows: Sequence[OutboxRow]) -> set[int]:
        """Send *rows*, each subject's in order, up to its first failure; return the ids of those that the queue took.

        Why it did not take them is told once for an outage: when it begins, when the reason changes, when it is over.
        """
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        sent: set[int] = set()
        stopped: set[str] = set()
        reasons: set[str] = set()
        failed = 0
        for wave in waves(rows):
            ready = [row for row in wave if row.subject not in stopped]
            if not ready:
                break
            taken = await self._publish(destination, ready, deadline, reasons)
            missed = [row for row in ready if str(row.id) not in taken]
            stopped.update(row.subject for row in missed if row.subject is not None)
            failed += len(missed)
            sent.update(row.id for row in ready if str(row.id) in taken)
        for row in rows:
            if row.id in sent:
                with tracing(row.traceparent):
                    logger.info("published", extra={"type": row.type, "subject": row.subject, "queue": destination})
        self._sent.labels(destination).inc(len(sent))
        self._failed.labels(destination).inc(failed)
        self._tell(destination, failed, sorted(reasons))
        return sent

    async def _publish(
        self, destination: str, rows: Sequence[OutboxRow], deadline: float, reasons: set[str]
    ) -> Collection[str]:
        messages = [Outgoing(str(row.id), encode(row.event(self._source))) for row in rows]
        try:
            async with asyncio.timeout_at(deadline):
                outcome = await self._publisher.send(destination, messages)
        except (ServiceError, TimeoutError) as error:
            reasons.add(str(error) or "no answer")
        except Exception as error:  # whatever it is, the events stay and the other queues go on
            logger.exception("not published", extra={"queue": destination, "events": len(messages)})
            reasons.add(type(error).__name__)
        else:
            reasons.update(str(reason) for reason in outcome.failed.values())
            return outcome.sent
        return ()

    def _tell(self, destination: str, events: int, reasons: list[str]) -> None:
        before = self._told.get(destination, [])
        if reasons == before:
            return
        self._told[destination] = reasons
        if reasons:
            logger.warning("not published", extra={"queue": destination, "events": events, "reasons": reasons})
        else:
            logger.info("publishing again", extra={"queue": destination})
