"""Events are packed into few messages, and the outcome of each is known."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from hypothesis import given
from hypothesis import strategies as st

from service_common.outbox.packing import MAX_BYTES, PackingPublisher, packs
from service_common.sqs import Attribute, Outgoing, SendOutcome, size_bytes

QUEUE = "invoices"


def event(key: object, body: object = None) -> Outgoing:
    return Outgoing(str(key), orjson.dumps({"key": str(key), "data": body}).decode())


class Publisher:
    """Takes messages as *refusing* and *failing* say, by a text in the body."""

    def __init__(self, refusing: str = "\0", failing: str = "\0") -> None:
        self.sent: list[Outgoing] = []
        self._refusing = refusing
        self._failing = failing

    async def send(self, _queue: str, messages: Sequence[Outgoing], /) -> SendOutcome:
        refused = frozenset(each.key for each in messages if self._refusing in each.body)
        failed = {each.key: "refused" for each in messages if each.key in refused}
        failed |= {each.key: "busy" for each in messages if self._failing in each.body}
        taken = [each for each in messages if each.key not in failed]
        self.sent += taken
        return SendOutcome(
            frozenset(each.key for each in taken), failed, {each.key: f"id of {each.key}" for each in taken}, refused
        )


async def test_events_share_a_message_in_their_order() -> None:
    publisher = Publisher()
    outcome = await PackingPublisher(publisher, 3).send(QUEUE, [event(number) for number in range(7)])
    keys = [[each["key"] for each in orjson.loads(message.body)] for message in publisher.sent[:2]]
    assert keys == [["0", "1", "2"], ["3", "4", "5"]]
    assert publisher.sent[2:] == [event(6)]  # one alone is no batch
    assert outcome.sent == frozenset("0123456")
    assert outcome.ids["4"] == "id of 3"


async def test_events_of_a_message_that_was_not_taken_have_all_failed() -> None:
    publisher = Publisher(failing='"key":"1"')
    outcome = await PackingPublisher(publisher, 2).send(QUEUE, [event(number) for number in range(4)])
    assert outcome.sent == {"2", "3"}
    assert outcome.failed == {"0": "busy", "1": "busy"}
    assert not outcome.refused


async def test_only_the_event_that_is_to_blame_is_refused() -> None:
    publisher = Publisher(refusing='"key":"1"')
    outcome = await PackingPublisher(publisher, 4).send(QUEUE, [event(number) for number in range(8)])
    assert outcome.refused == {"1"}
    assert outcome.failed == {"1": "refused"}
    assert outcome.sent == frozenset("0234567")
    assert set(outcome.ids) == outcome.sent


@given(st.lists(st.integers(1, 100_000), max_size=30), st.integers(1, 10))
def test_a_message_is_within_both_bounds(sizes: list[int], most: int) -> None:
    messages = [Outgoing(str(place), "x" * size) for place, size in enumerate(sizes)]
    found = list(packs(messages, most))
    assert [each for pack in found for each in pack] == messages
    for pack in found:
        assert 1 <= len(pack) <= most
        body_bytes = sum(map(size_bytes, pack)) + len(pack) + 1  # brackets and commas
        assert len(pack) == 1 or body_bytes <= MAX_BYTES


def test_message_with_attributes_is_alone() -> None:
    special = Outgoing("s", "{}", {"kind": Attribute("special")})
    assert list(packs([event(1), special, event(2), event(3)], 10)) == [[event(1)], [special], [event(2), event(3)]]
