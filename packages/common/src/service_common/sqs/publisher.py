"""Sends messages in the largest batches that SQS accepts, and returns the outcome of each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import ServiceError
from ..observability import Metrics
from .client import Sqs
from .limits import MAX_BATCH, MAX_BATCH_BYTES
from .messages import Outgoing, Refusal, size_bytes
from .spans import sending

__all__ = ["Publisher", "SendOutcome", "batches"]

MAX_PARALLEL = 4
_TOO_LARGE = "MessageTooLong"
_FINAL = frozenset({_TOO_LARGE, "InvalidMessageContents"})
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """What became of messages, by their keys.

    Attributes:
        sent: those that SQS confirmed.
        failed: why the others failed; without an answer, they may have arrived.
        refused: those in *failed* that SQS never accepts: too large, or with a character that it does not take.
        ids: the MessageIds that SQS gave to those in *sent*.
    """

    sent: frozenset[str]
    failed: Mapping[str, str]
    ids: Mapping[str, str] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()


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
            return self._counted(queue_name, {}, dict.fromkeys((each.key for each in messages), _failure(error)))
        ids: dict[str, str] = {}
        failed: dict[str, Refusal] = {}
        await asyncio.gather(*(self._send_batch(queue_name, url, batch, ids, failed) for batch in batches(messages)))
        return self._counted(queue_name, ids, failed)

    async def _send_batch(
        self, queue_name: str, url: str, batch: Sequence[Outgoing], ids: dict[str, str], failed: dict[str, Refusal]
    ) -> None:
        if size_bytes(batch[0]) > MAX_BATCH_BYTES:
            failed[batch[0].key] = Refusal(_TOO_LARGE, f"larger than {MAX_BATCH_BYTES} bytes", sender_fault=True)
            return
        async with self._parallel:
            try:
                with sending(queue_name, batch):
                    answers = await self._sqs.send(queue_name, url, batch)
            except ServiceError as error:
                failed.update(dict.fromkeys((each.key for each in batch), _failure(error)))
                return
        for position, outgoing in enumerate(batch):
            answer = answers[position]
            if isinstance(answer, Refusal):
                failed[outgoing.key] = answer
            else:
                ids[outgoing.key] = answer
                if outgoing.span is not None:
                    outgoing.span.set("messaging.message.id", answer)

    def _counted(self, queue_name: str, ids: Mapping[str, str], failed: Mapping[str, Refusal]) -> SendOutcome:
        if ids:
            self._sent.labels(queue_name).inc(len(ids))
            logger.debug("sqs messages sent", extra={"queue": queue_name, "keys": sorted(ids)})
        if failed:
            self._failed.labels(queue_name).inc(len(failed))
        refused = frozenset(key for key, refusal in failed.items() if refusal.code in _FINAL)
        return SendOutcome(frozenset(ids), {key: str(refusal) for key, refusal in failed.items()}, ids, refused)


def _failure(error: ServiceError) -> Refusal:
    return Refusal(error.detail, "", sender_fault=False)
