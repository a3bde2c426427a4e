"""One claimed batch to one queue: encoded, sent, counted, told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from ..errors import ServiceError
from ..events import encode
from ..observability import Metrics, tracing
from ..sqs import Outgoing
from .table import OutboxRow

__all__ = ["OutboxPublisher", "SendResult", "Sender"]

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


class Sender:
    """Sends rows as the events of *source* and never raises: what was not sent is what it does not return."""

    def __init__(self, publisher: OutboxPublisher, source: str, metrics: Metrics, *, timeout_s: float) -> None:
        self._publisher = publisher
        self._source = source
        self._timeout_s = timeout_s
        self._told: dict[str, list[str]] = {}
        self._sent = metrics.counter("outbox_sent_total", "Events that a queue took.", ("queue",))
        self._failed = metrics.counter("outbox_failed_total", "Attempts to send an event that failed.", ("queue",))

    def encode(self, rows: Sequence[OutboxRow]) -> list[Outgoing]:
        """Return the messages of *rows*; a row that is no event is told, left out and stays in the table."""
        return [message for row in rows if (message := self._message(row))]

    async def send(self, destination: str, rows: Sequence[OutboxRow], messages: Sequence[Outgoing]) -> set[int]:
        """Send the *messages* made from *rows* and return the ids of those that the queue took.

        Why it did not take them is told once for an outage: when it begins, when the reason changes, when it is over.
        """
        taken = await self._publish(destination, messages) if messages else ()
        sent = [row for row in rows if str(row.id) in taken]
        for row in sent:
            with tracing(row.traceparent):
                logger.info("published", extra={"type": row.type, "orderId": row.order_id, "queue": destination})
        self._sent.labels(destination).inc(len(sent))
        self._failed.labels(destination).inc(len(rows) - len(sent))
        return {row.id for row in sent}

    async def _publish(self, destination: str, messages: Sequence[Outgoing]) -> Collection[str]:
        try:
            async with asyncio.timeout(self._timeout_s):
                outcome = await self._publisher.send(destination, messages)
        except (ServiceError, TimeoutError) as error:
            self._tell(destination, len(messages), [str(error) or "no answer"])
        except Exception:  # whatever it is, the events stay and the other queues go on
            logger.exception("not published", extra={"queue": destination, "events": len(messages)})
        else:
            self._tell(destination, len(outcome.failed), sorted({str(reason) for reason in outcome.failed.values()}))
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

    def _message(self, row: OutboxRow) -> Outgoing | None:
        try:
            return Outgoing(str(row.id), encode(row.event(self._source)))
        except (ValueError, KeyError, TypeError):
            logger.exception("no event", extra={"outboxId": row.id, "queue": row.destination})
            return None
