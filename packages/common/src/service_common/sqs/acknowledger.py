"""Tells SQS what became of each message, in batches whose failures are looked at."""

from __future__ import annotations

import asyncio
import logging
import random
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice

from ..errors import ServiceError, UnavailableError
from .batcher import Batches
from .client import Outgoing, Queue, Refusal, Sqs
from .delivery import Acknowledge, DeadLetter, Decision, Delay, DelayPolicy, decide
from .in_flight import Lease, Leases
from .metrics import Meters
from .publisher import Publisher

__all__ = ["Settlement"]

RETRY_BASE_S = 0.1
RETRY_CAP_S = 5.0
MAX_ATTRIBUTES = 10  # of one message
# A delete is tried until SQS has answered it: the work is done. A delay that can't be set is no loss: the visibility
# timeout is one.
DELETE_ATTEMPTS = sys.maxsize
DELAY_ATTEMPTS = 3
logger = logging.getLogger(__name__)

_Entry = tuple[Lease, int]
_Request = Callable[[Sequence[tuple[str, int]]], Awaitable[Mapping[int, Refusal]]]


class Settlement:
    """Acknowledges, delays and dead-letters; each message's lease ends when SQS has taken the word.

    Args:
        sqs: the connection.
        publisher: sends to the dead-letter queue.
        queue: gives the queue of the moment.
        leases: whose leases end here.
        ended: called for each lease that ended.
        meters: counts outcomes.
        policy: the delay of a message that could not be dead-lettered.
        linger_s: how long an acknowledgement waits for others.
    """

    def __init__(
        self,
        sqs: Sqs,
        publisher: Publisher,
        queue: Callable[[], Queue],
        leases: Leases,
        *,
        ended: Callable[[], None],
        meters: Meters,
        policy: DelayPolicy,
        linger_s: float,
    ) -> None:
        self._sqs = sqs
        self._publisher = publisher
        self._queue = queue
        self._leases = leases
        self._ended = ended
        self._meters = meters
        self._policy = policy
        self._deletes: Batches[_Entry] = Batches(self._delete, linger_s)
        self._delays: Batches[_Entry] = Batches(self._delay, linger_s)
        self._dead_letters: Batches[tuple[Lease, str]] = Batches(self._dead_letter, linger_s)

    def settle(self, lease: Lease, decision: Decision) -> None:
        """Have *decision* carried out; no heartbeat may carry *lease* any more."""
        match decision:
            case Acknowledge():
                self._deletes.add((lease, 0))
            case Delay(visibility_s):
                self._delays.add((lease, visibility_s))
            case DeadLetter(reason):
                self._dead_letters.add((lease, reason))

    async def drain(self) -> None:
        """Return when everything that was to be settled is."""
        await self._dead_letters.drain()  # they end in deletes and delays
        await asyncio.gather(self._deletes.drain(), self._delays.drain())

    async def _delete(self, batch: Sequence[_Entry]) -> None:
        async def request(entries: Sequence[tuple[str, int]]) -> Mapping[int, Refusal]:
            return await self._sqs.delete(self._queue(), [handle for handle, _ in entries])

        await self._carry_out(batch, request, self._meters.acknowledged, DELETE_ATTEMPTS)

    async def _delay(self, batch: Sequence[_Entry]) -> None:
        async def request(entries: Sequence[tuple[str, int]]) -> Mapping[int, Refusal]:
            return await self._sqs.change_visibility(self._queue(), entries)

        await self._carry_out(batch, request, self._meters.retried, DELAY_ATTEMPTS)

    async def _carry_out(
        self, batch: Sequence[_Entry], request: _Request, count: Callable[[], None], attempts: int
    ) -> None:
        attempt = 0
        while batch:
            if attempt:
                await asyncio.sleep(_pause_s(attempt))
            attempt += 1
            sent = [(lease.handle, seconds) for lease, seconds in batch]
            refused = await _refused(request, sent)
            again: list[_Entry] = []
            for position, (lease, seconds) in enumerate(batch):
                refusal = refused.get(position)
                # the message came again, with a newer handle, while the request was under way: only that one counts
                stale = lease.handle != sent[position][0]
                if stale or (refusal and not refusal.sender_fault and attempt < attempts):
                    again.append((lease, seconds))
                else:
                    self._end(lease, refusal, count)
            batch = again

    def _end(self, lease: Lease, refusal: Refusal | None, count: Callable[[], None]) -> None:
        if refusal is None:
            count()
        else:
            self._meters.unsettled()
            self._warn("not settled: the message will be delivered again", lease, refusal)
        self._leases.end(lease)
        self._ended()

    async def _dead_letter(self, batch: Sequence[tuple[Lease, str]]) -> None:
        queue = self._queue()
        failed: Mapping[str, str] = dict.fromkeys((lease.message.id for lease, _ in batch), "there is no such queue")
        if queue.dead_letters is not None:
            outgoing = [_dead(lease, reason, queue.name) for lease, reason in batch]
            failed = (await self._publisher.send(queue.dead_letters, outgoing)).failed
        for lease, reason in batch:
            why = failed.get(lease.message.id)
            if why is None:
                self._meters.dead_lettered()
                self._warn("sent to the dead-letter queue", lease, reason)
                self._deletes.add((lease, 0))
            else:  # not to be lost for that
                self._warn("not sent to the dead-letter queue", lease, why)
                self.settle(lease, decide(UnavailableError(why), lease.message.receive_count, self._policy))

    def _warn(self, sentence: str, lease: Lease, why: object) -> None:
        logger.warning(sentence, extra={"queue": self._queue().name, "messageId": lease.message.id, "reason": str(why)})


async def _refused(request: _Request, sent: Sequence[tuple[str, int]]) -> Mapping[int, Refusal]:
    try:
        return await request(sent)
    except ServiceError as error:
        refusal = Refusal(error.slug, error.detail, sender_fault=not isinstance(error, UnavailableError))
        return dict.fromkeys(range(len(sent)), refusal)


def _pause_s(attempt: int) -> float:
    longest_s = min(RETRY_CAP_S, RETRY_BASE_S * 2 ** min(attempt, 16))
    return random.uniform(longest_s / 2, longest_s)  # noqa: S311 - jitter is no secret


def _dead(lease: Lease, reason: str, origin: str) -> Outgoing:
    message = lease.message
    kept = dict(islice(message.attributes.items(), MAX_ATTRIBUTES - 2))
    return Outgoing(message.id, message.body, {**kept, "reason": reason, "origin": origin})
