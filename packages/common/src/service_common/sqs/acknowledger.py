"""Acknowledges, delays and dead-letters messages, in batches whose per-entry failures are handled."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from ..backoff import Backoff
from ..errors import ServiceError, UnavailableError
from ..gathering import GatheringPolicy
from .batcher import Batcher
from .client import Sqs
from .dead_letter import facts_of, letter_of
from .delivery import Acknowledge, DeadLetter, Decision, Delay, Separate, bounded, decide
from .in_flight import ConcurrencyLimit, InFlightMessage, InFlightMessages
from .messages import Message, Outgoing, Queue, Refusal, part_of
from .metrics import PollerMetrics
from .publisher import Publisher, SendOutcome

__all__ = ["Acknowledger"]

RETRY_BACKOFF = Backoff(base_s=0.2, cap_s=5.0)
# A delete is retried until SQS has answered it: the message was processed. A delay that can't be set does no harm: the
# visibility timeout delays the message too.
DELETE_ATTEMPTS = sys.maxsize
DELAY_ATTEMPTS = 3
# nobody waits for an acknowledgement: two messages in the bound are worth the whole of it
_WORTH = 2.0
logger = logging.getLogger(__name__)

_Entry = tuple[InFlightMessage, int]
_Separation = tuple[InFlightMessage, Mapping[int, Delay | DeadLetter]]
_Request = Callable[[Sequence[tuple[str, int]]], Awaitable[Mapping[int, Refusal]]]


class Acknowledger:
    """Carries out what was decided of each message; the message stays in flight until SQS has confirmed it.

    Args:
        sqs: the connection.
        publisher: sends to the dead-letter queue.
        queue: returns the current queue.
        in_flight: the messages; those that are done with are removed.
        consumer: name of the consumer, for dead letters.
        limit: gets a permit back for each of them.
        metrics: counts outcomes.
        backoff: delay of a message that could not be dead-lettered.
        linger_s: maximum batching delay: while handlers are running, or under load.
    """

    def __init__(
        self,
        sqs: Sqs,
        publisher: Publisher,
        queue: Callable[[], Queue],
        in_flight: InFlightMessages,
        *,
        consumer: str,
        limit: ConcurrencyLimit,
        metrics: PollerMetrics,
        backoff: Backoff,
        linger_s: float,
    ) -> None:
        self._sqs = sqs
        self._publisher = publisher
        self._queue = queue
        self._in_flight = in_flight
        self._consumer = consumer
        self._limit = limit
        self._metrics = metrics
        self._backoff = backoff
        self._separations: Batcher[_Separation] = Batcher(self._separate, GatheringPolicy(0.0), self._abandon)
        gathering = GatheringPolicy(linger_s, full_at=_WORTH)
        self._deletes: Batcher[_Entry] = Batcher(self._delete, gathering, self._abandon, in_flight.working)
        self._delays: Batcher[_Entry] = Batcher(self._delay, gathering, self._abandon, in_flight.working)
        self._dead_letters: Batcher[tuple[InFlightMessage, str]] = Batcher(self._dead_letter, gathering, self._abandon)

    def apply(self, entry: InFlightMessage, decision: Decision) -> None:
        """Carry out *decision* with the next batch; no heartbeat may extend *entry* any more."""
        match decision:
            case Acknowledge():
                self._deletes.add((entry, 0))
            case Delay(visibility_s):
                self._delays.add((entry, visibility_s))
            case DeadLetter(reason):
                self._dead_letters.add((entry, reason))
            case Separate(parts):
                self._separations.add((entry, parts))

    async def drain(self) -> None:
        """Return when every decision has been carried out."""
        # they end in deletes and delays
        await asyncio.gather(self._separations.drain(), self._dead_letters.drain())
        await asyncio.gather(self._deletes.drain(), self._delays.drain())

    async def _delete(self, batch: Sequence[_Entry]) -> None:
        async def request(entries: Sequence[tuple[str, int]]) -> Mapping[int, Refusal]:
            return await self._sqs.delete(self._queue(), [handle for handle, _ in entries])

        await self._send_batch(batch, request, self._metrics.acknowledged, DELETE_ATTEMPTS)

    async def _delay(self, batch: Sequence[_Entry]) -> None:
        async def request(entries: Sequence[tuple[str, int]]) -> Mapping[int, Refusal]:
            return await self._sqs.change_visibility(self._queue(), entries)

        await self._send_batch(batch, request, self._metrics.retried, DELAY_ATTEMPTS)

    async def _send_batch(
        self, batch: Sequence[_Entry], request: _Request, count: Callable[[], None], attempts: int
    ) -> None:
        attempt = 0
        while batch:
            if attempt:
                await asyncio.sleep(RETRY_BACKOFF.delay_s(attempt))
            attempt += 1
            sent = [(entry.receipt_handle, seconds) for entry, seconds in batch]
            refused = await _refused(request, sent)
            again: list[_Entry] = []
            for position, (entry, seconds) in enumerate(batch):
                refusal = refused.get(position)
                # the message was received again during the request: only its newer receipt handle is sure to work
                stale = entry.receipt_handle != sent[position][0]
                if stale or (refusal and not refusal.sender_fault and attempt < attempts):
                    again.append((entry, seconds))
                else:
                    self._finish(entry, refusal, count)
            batch = again

    def _finish(self, entry: InFlightMessage, refusal: Refusal | None, count: Callable[[], None]) -> None:
        if refusal is None:
            count()
        else:
            self._metrics.unsettled()
            self._warn("message acknowledgement failed", entry, refusal)
        self._in_flight.remove(entry)
        self._limit.release(entry.permits)

    def _abandon(self, batch: Sequence[tuple[InFlightMessage, object]]) -> None:
        """Count messages as failed that a defect leaves where they are: SQS delivers them again."""
        for entry, _ in batch:
            if entry in self._in_flight:
                self._finish(entry, Refusal("Crashed", "", sender_fault=False), self._metrics.unsettled)

    async def _dead_letter(self, batch: Sequence[tuple[InFlightMessage, str]]) -> None:
        queue = self._queue()
        facts = [facts_of(entry.message, self._consumer) for entry, _ in batch]
        outcome = SendOutcome(frozenset(), {})
        if queue.dead_letters is not None:
            letters = [
                letter_of(entry.message, reason, queue.name, each)
                for (entry, reason), each in zip(batch, facts, strict=True)
            ]
            outcome = await self._publisher.send(queue.dead_letters, letters)
        for (entry, reason), each in zip(batch, facts, strict=True):
            letter_id = outcome.ids.get(entry.message.id)
            if letter_id is not None:
                self._metrics.dead_lettered()
                self._warn("message dead-lettered", entry, reason, **each, letterId=letter_id)
                self._deletes.add((entry, 0))
            else:
                why = outcome.failed.get(entry.message.id, "there is no such queue")
                self._warn("message dead-lettering failed", entry, why)
                self.apply(entry, decide(UnavailableError(why), entry.message.receive_count, self._backoff))

    async def _separate(self, batch: Sequence[_Separation]) -> None:
        for entry, parts in batch:
            if failed := await self._send_parts(entry, parts):
                self._warn("message separation failed", entry, failed)
                # as a whole: what was sent is processed twice
                self.apply(entry, decide(UnavailableError(failed), entry.message.receive_count, self._backoff))
            else:
                self._deletes.add((entry, 0))

    async def _send_parts(self, entry: InFlightMessage, parts: Mapping[int, Delay | DeadLetter]) -> str | None:
        """Send parts of a message as messages of their own; return why one could not be sent."""
        queue = self._queue()
        retries: list[Outgoing] = []
        letters: dict[str, tuple[Message, str]] = {}
        for place, decision in parts.items():
            part = entry.parts[place]
            final = decision
            if isinstance(decision, Delay):
                final = bounded(decision, part.receive_count, queue.max_receives, "as a part of a batch")
            if isinstance(final, Delay):
                retries.append(part_of(part, str(place), final.visibility_s))
            else:
                letters[str(place)] = (part, final.reason)
        if letters:
            if queue.dead_letters is None:
                return "there is no dead-letter queue"
            outgoing = [
                replace(letter_of(part, reason, queue.name, facts_of(part, self._consumer)), key=key)
                for key, (part, reason) in letters.items()
            ]
            outcome = await self._publisher.send(queue.dead_letters, outgoing)
            for key, letter_id in outcome.ids.items():
                part, reason = letters[key]
                self._metrics.dead_lettered()
                self._warn("message dead-lettered", entry, reason, **facts_of(part, self._consumer), letterId=letter_id)
            if outcome.failed:
                return next(iter(outcome.failed.values()))
        if retries:
            outcome = await self._publisher.send(queue.name, retries)
            self._metrics.retried(len(outcome.sent))
            if outcome.failed:
                return next(iter(outcome.failed.values()))
        return None

    def _warn(self, event: str, entry: InFlightMessage, why: object, **facts: object) -> None:
        own = {"queue": self._queue().name, "messageId": entry.message.id, "reason": str(why)}
        logger.warning(event, extra=own | facts)


async def _refused(request: _Request, sent: Sequence[tuple[str, int]]) -> Mapping[int, Refusal]:
    try:
        return await request(sent)
    except ServiceError as error:
        refusal = Refusal(error.slug, error.detail, sender_fault=not isinstance(error, UnavailableError))
        return dict.fromkeys(range(len(sent)), refusal)
