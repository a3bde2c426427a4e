"""Dead-letter queues: letters are found, redriven and discarded, and none is lost whenever the process ends.

A redrive receives a message, sends it and deletes it, in this order: when the process ends in between, the message is
in both queues, and processing it twice is harmless. StartMessageMoveTask can't choose messages.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from math import inf
from time import monotonic
from typing import Any, Self

import orjson

from ..errors import NotFoundError, ServiceError
from ..timestamps import rfc3339
from .client import Sqs
from .dead_letter import DeadLetterFacts, facts_in
from .limits import MAX_BATCH
from .messages import Message, Outgoing, Queue, QueueMissingError, Received, attributes_of, size_bytes
from .publisher import Publisher

__all__ = ["DeadLetterQueue", "Letter", "LetterFilter", "NoDeadLetterQueueError", "Outcome", "dead_letter_queues"]

HIDDEN_S = 60  # from others, of what a pass receives; one that was killed leaves it hidden for so long
POLL_S = 1  # a long poll: a short one asks only some of SQS's servers
QUIET_POLLS = 5  # in a row that bring what is known: the pass has seen all


class NoDeadLetterQueueError(NotFoundError):
    """The queue has no dead-letter queue."""

    slug = "no-dead-letter-queue"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has no dead-letter queue, and is none of the dead-letter queues of the services.")


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in a dead-letter queue; *queue* is where it goes when it is redriven."""

    queue: str
    message: Message
    facts: DeadLetterFacts

    @property
    def size_bytes(self) -> int:
        """Its size as SQS counts it."""
        return size_bytes(self.outgoing)

    @property
    def outgoing(self) -> Outgoing:
        """The message to send: body and attributes as they are."""
        return Outgoing(self.message.id, self.message.body, self.message.attributes)

    @property
    def events(self) -> list[Mapping[str, Any]]:
        """The events in its body, one or many; empty when it is no JSON of that form."""
        try:
            body = orjson.loads(self.message.body)
        except orjson.JSONDecodeError:
            return []
        return [each for each in (body if isinstance(body, list) else [body]) if isinstance(each, dict)]

    @property
    def summary(self) -> dict[str, Any]:
        """What it is about, and why it is here, as JSON."""
        return {
            "queue": self.queue,
            "id": self.message.id,
            "sentAt": rfc3339(self.message.sent_at),
            "receiveCount": self.message.receive_count,
            "sizeBytes": self.size_bytes,
            "reason": self.facts.reason,
            "traceId": _text(self.facts.facts, "traceId"),
            "type": self._each("type"),
            "subject": self._each("subject"),
        }

    def _each(self, name: str) -> str | None:
        """The different values of a member of the events, in their order."""
        return ", ".join(dict.fromkeys(text for each in self.events if (text := _text(each, name)))) or None

    @property
    def document(self) -> dict[str, Any]:
        """All of it as JSON; the values of binary attributes are bytes."""
        attributes = attributes_of(self.message.attributes)
        return self.summary | {"facts": self.facts.facts, "body": self.message.body, "attributes": attributes}


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Which letters: all that match each of what is given.

    Attributes:
        ids: MessageIds.
        reason: a part of the reason.
        sent_after: the time after which SQS accepted it, and so for *sent_before*.
    """

    ids: frozenset[str] = frozenset()
    reason: str | None = None
    sent_after: datetime | None = None
    sent_before: datetime | None = None

    def matches(self, letter: Letter) -> bool:
        """Whether *letter* is one of them."""
        message = letter.message
        return (
            (not self.ids or message.id in self.ids)
            and (self.reason is None or self.reason in (letter.facts.reason or ""))
            and (self.sent_after is None or message.sent_at > self.sent_after)
            and (self.sent_before is None or message.sent_at < self.sent_before)
        )


@dataclass(slots=True)
class Outcome:
    """What became of letters: the ids of those *done*, why others *failed*, and those that were not *seen* again."""

    done: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)

    def __iadd__(self, other: Outcome) -> Self:
        self.done += other.done
        self.failed |= other.failed
        self.unseen += other.unseen
        return self


class DeadLetterQueue:
    """The dead-letter queue of one queue, or of several.

    Args:
        sqs: the connection.
        queue: the dead-letter queue.
        sources: the queues whose dead-letter queue it is; letters go to their ``origin`` when it is one of these, else
            to the first.
        limit_s: after so many seconds nothing more is received: what was not seen by then counts as not there.
    """

    def __init__(self, sqs: Sqs, queue: Queue, sources: Sequence[str], *, limit_s: float = inf) -> None:
        self._sqs = sqs
        self._limit_s = limit_s
        self._publisher = Publisher(sqs)
        self._queue = replace(queue, visibility_timeout_s=HIDDEN_S)
        self.sources = sources

    @property
    def name(self) -> str:
        """Its name."""
        return self._queue.name

    async def hidden(self) -> int:
        """Return how many letters others have received and not returned yet, approximately."""
        return (await self._sqs.depth(self.name)).in_flight

    async def find(self, wanted: LetterFilter, limit: int | None = None) -> list[Letter]:
        """Return the letters that match, at most *limit*; all are visible again afterwards."""
        found: list[Letter] = []
        async with self._passing() as (batches, _):
            async for batch in batches:
                found += [letter for letter in map(self._letter, batch) if wanted.matches(letter)]
                complete = wanted.ids and len(found) == len(wanted.ids)
                if complete or (limit is not None and len(found) >= limit):
                    break
        return found[:limit]

    async def redrive(self, ids: Collection[str]) -> Outcome:
        """Send the letters *ids* to the queues that they come from, and delete each that SQS has accepted there."""
        return await self._remove(ids, send_first=True)

    async def discard(self, ids: Collection[str]) -> Outcome:
        """Delete the letters *ids*."""
        return await self._remove(ids, send_first=False)

    async def _remove(self, ids: Collection[str], *, send_first: bool) -> Outcome:
        outcome, left = Outcome(), set(ids)
        async with self._passing() as (batches, handles):
            async for batch in batches:
                letters = [self._letter(each) for each in batch if each.message.id in left]
                left.difference_update(letter.message.id for letter in letters)
                settled = await self._send(letters, outcome) if send_first else [each.message.id for each in letters]
                await self._delete(settled, handles, outcome)
                if not left:
                    break
        outcome.unseen += sorted(left)
        return outcome

    async def _send(self, letters: Iterable[Letter], outcome: Outcome) -> list[str]:
        sent: list[str] = []
        for target, group in groupby(sorted(letters, key=_target), key=_target):
            answer = await self._publisher.send(target, [letter.outgoing for letter in group])
            sent += answer.sent
            outcome.failed.update({key: f"not sent to {target}: {why}" for key, why in answer.failed.items()})
        return sent

    async def _delete(self, ids: Sequence[str], handles: dict[str, str], outcome: Outcome) -> None:
        if not ids:
            return
        try:
            refusals = await self._sqs.delete(self._queue, [handles[each] for each in ids])
        except ServiceError as error:
            outcome.failed.update(dict.fromkeys(ids, f"not deleted: {error.detail}"))
            return
        for position, each in enumerate(ids):
            if position in refusals:
                outcome.failed[each] = f"not deleted from {self.name}: {refusals[position]}"
            else:
                outcome.done.append(each)
                del handles[each]

    @asynccontextmanager
    async def _passing(self) -> AsyncIterator[tuple[AsyncIterator[list[Received]], dict[str, str]]]:
        """Receive each letter once in the block; those whose handles are left at its end are visible again."""
        handles: dict[str, str] = {}
        batches = self._batches(handles)
        try:
            yield batches, handles
        finally:
            await batches.aclose()
            left = list(handles.values())
            for start in range(0, len(left), MAX_BATCH):
                visible = [(handle, 0) for handle in left[start : start + MAX_BATCH]]
                await self._sqs.change_visibility(self._queue, visible)

    async def _batches(self, handles: dict[str, str]) -> AsyncGenerator[list[Received], None]:
        seen: set[str] = set()
        quiet, end = 0, monotonic() + self._limit_s
        while quiet < QUIET_POLLS and monotonic() < end:
            receiving = asyncio.ensure_future(self._sqs.receive(self._queue, MAX_BATCH, POLL_S))
            try:
                batch = await asyncio.shield(receiving)
            except asyncio.CancelledError:  # what a cancelled request brings would stay hidden
                handles |= _handles(await receiving)
                raise
            if not batch:
                return
            handles |= _handles(batch)
            new = [each for each in batch if each.message.id not in seen]
            seen.update(each.message.id for each in new)
            quiet = 0 if new else quiet + 1
            if new:
                yield new

    def _letter(self, received: Received) -> Letter:
        facts = facts_in(received.message)
        origins = [source for source in self.sources if source == facts.origin]
        return Letter((origins or self.sources)[0], received.message, facts)


def _handles(batch: Iterable[Received]) -> dict[str, str]:
    return {each.message.id: each.handle for each in batch}


def _text(document: Mapping[str, Any], name: str) -> str | None:
    value = document.get(name)  # of whatever somebody sent
    return value if isinstance(value, str) else None


def _target(letter: Letter) -> str:
    return letter.queue


async def dead_letter_queues(
    sqs: Sqs, names: Collection[str], known: Sequence[str], *, limit_s: float = inf
) -> list[DeadLetterQueue]:
    """Return the dead-letter queues of the queues *names*; a name may also be that of one, of a queue in *known*.

    Raises:
        NoDeadLetterQueueError: a queue has none.
        QueueMissingError: a queue does not exist.
    """
    sources: dict[str, list[str]] = {}
    for name in (*known, *(name for name in names if name not in known)):
        with suppress(QueueMissingError):  # of those that nobody asked for
            if (dead_letters := (await sqs.queue(name)).dead_letters) is not None:
                sources.setdefault(dead_letters, []).append(name)
    chosen: dict[str, None] = {}
    for name in names or known:
        of_name = name if name in sources else (await sqs.queue(name)).dead_letters
        if of_name is None:
            raise NoDeadLetterQueueError(name)
        chosen[of_name] = None
    return [DeadLetterQueue(sqs, await sqs.queue(name), sources[name], limit_s=limit_s) for name in chosen]
