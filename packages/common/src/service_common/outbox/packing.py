"""Packs the events for one queue into few messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..events import join_batch
from ..sqs import Outgoing, SendOutcome, size_bytes
from .sender import OutboxPublisher

__all__ = ["PackingPublisher", "packs"]

# SQS bills each 64 KB of a payload as a request, so that larger messages save nothing
MAX_BYTES = 65_536


def packs(messages: Sequence[Outgoing], max_events: int, max_bytes: int = MAX_BYTES) -> Iterator[list[Outgoing]]:
    """Split *messages* in order into packs for one message each; one with attributes is alone, as is a larger one."""
    pack: list[Outgoing] = []
    size = 1
    for message in messages:
        added = size_bytes(message) + 1  # the comma
        if pack and (len(pack) >= max_events or size + added > max_bytes or message.attributes or pack[0].attributes):
            yield pack
            pack, size = [], 1
        pack.append(message)
        size += added
    if pack:
        yield pack


class PackingPublisher:
    """An `OutboxPublisher` that sends up to *max_events* events in one message, in the batch format of CloudEvents.

    A message that SQS never accepts is sent again as its events, so that only those that are to blame are refused.
    """

    def __init__(self, publisher: OutboxPublisher, max_events: int) -> None:
        self._publisher = publisher
        self._max_events = max_events

    async def send(self, queue_name: str, messages: Sequence[Outgoing], /) -> SendOutcome:
        """Send *messages*; the outcome has the keys of each."""
        packed = {pack[0].key: pack for pack in packs(messages, self._max_events)}
        outcome = await self._publisher.send(queue_name, [_packed(pack) for pack in packed.values()])
        suspects = [each for key in outcome.refused if len(packed[key]) > 1 for each in packed[key]]
        alone = await self._publisher.send(queue_name, suspects) if suspects else SendOutcome(frozenset(), {})
        failed = {each.key: why for key, why in outcome.failed.items() for each in packed[key]}
        ids = {each.key: message_id for key, message_id in outcome.ids.items() for each in packed[key]}
        return SendOutcome(
            sent=frozenset(each.key for key in outcome.sent for each in packed[key]) | alone.sent,
            failed={key: why for key, why in failed.items() if key not in alone.sent} | dict(alone.failed),
            ids=ids | dict(alone.ids),
            refused=frozenset(key for key in outcome.refused if len(packed[key]) == 1) | alone.refused,
        )


def _packed(pack: Sequence[Outgoing]) -> Outgoing:
    if len(pack) == 1:
        return pack[0]
    return Outgoing(pack[0].key, join_batch([each.body for each in pack]), span=pack[0].span)
