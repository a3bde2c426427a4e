"""Sends messages in the largest batches that SQS accepts, and returns the outcome of each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..errors import ServiceError
from ..observability import Metrics
from .client import Sqs
from .limits import MAX_BATCH, MAX_BATCH_BYTES
from .messages import Outgoing

__all__ = ["Publisher", "SendOutcome", "batches", "size_bytes"]

MAX_PARALLEL = 4
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """The keys that SQS confirmed, and why the others failed; without an answer, they may have arrived."""

    sent: frozenset[str]
    failed: Mapping[str, str]


def size_bytes(outgoing: Outgoing) -> int:
    """Return the size of a message as SQS counts it: body, and name, type and value of each attribute, in UTF-8."""
    attributes = sum(
        len(name.encode()) + len("String") + len(value.encode()) for name, value in outgoing.attributes.items()
    )
    return len(outgoing.body.encode()) + attributes


def batches(messages: Sequence[Outgoing]) -> Iterator[list[Outgoing]]:
    """Split *messages* in order into batches of at most ten and 1 MiB; a larger message is a batch of its own."""
    batch: list[Outgoing] = []
    room = MAX_BATCH_BYTES
    for message in messages:
        size = size_bytes(message)
        if batch and (len(batch) == MAX_BATCH or size > room):
            yield batch
            batch, room = [], MAX_BATCH_BYTES
        batch.append(message)
        room -= size
    if batch:
        yield batch


class Publisher:
    """Sends each message once; the caller keeps the messages and retries what was not sent."""

    def __init__(self, sqs: Sqs, metrics: Metrics | None = None) -> None:
        self._sqs = sqs
        metrics = metrics or Metrics()
        self._sent = metrics.counter("sqs_sent_total", "Messages that SQS accepted.", ("queue",))
        self._failed = metrics.counter("sqs_send_failed_total", "Messages that SQS did not accept.", ("queue",))
        self._parallel = asyncio.Semaphore(MAX_PARALLEL)

    async def send(self, queue_name: str, messages: Sequence[Outgoing]) -> SendOutcome:
        """Send *messages*, whose keys differ, to the queue; never raises: failures are in the outcome."""
        try:
            url = await self._sqs.url(queue_name)
        except ServiceError as error:
            return self._counted(queue_name, messages, dict.fromkeys((each.key for each in messages), error.detail))
        failures = await asyncio.gather(*(self._send_batch(queue_name, url, batch) for batch in batches(messages)))
        return self._counted(queue_name, messages, {key: why for failed in failures for key, why in failed.items()})

    async def _send_batch(self, queue_name: str, url: str, batch: Sequence[Outgoing]) -> Mapping[str, str]:
        if size_bytes(batch[0]) > MAX_BATCH_BYTES:
            return {batch[0].key: f"larger than {MAX_BATCH_BYTES} bytes"}
        async with self._parallel:
            try:
                refused = await self._sqs.send(queue_name, url, batch)
            except ServiceError as error:
                return dict.fromkeys((each.key for each in batch), error.detail)
        return {batch[position].key: str(refusal) for position, refusal in refused.items()}

    def _counted(self, queue_name: str, messages: Sequence[Outgoing], failed: Mapping[str, str]) -> SendOutcome:
        sent = frozenset(each.key for each in messages).difference(failed)
        if sent:
            self._sent.labels(queue_name).inc(len(sent))
            logger.debug("sqs messages sent", extra={"queue": queue_name, "keys": sorted(sent)})
        if failed:
            self._failed.labels(queue_name).inc(len(failed))
        return SendOutcome(sent, failed)
