"""A letter holds the whole message, and as many facts of its failure as SQS has room for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service_common.sqs import Attribute, Message, Outgoing
from service_common.sqs.dead_letter import facts_of, letter_of
from service_common.sqs.limits import MAX_ATTRIBUTES, MAX_BATCH_BYTES
from service_common.sqs.messages import attributes_of, size_bytes

REASON = "unreadable-event: not JSON"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


def message(body: str = "x", attributes: dict[str, Attribute] | None = None) -> Message:
    return Message("message-1", body, 3, attributes or {}, datetime(2026, 1, 2, tzinfo=UTC))


def letter_for(poison: Message, reason: str = REASON) -> Outgoing:
    return letter_of(poison, reason, "a-queue", facts_of(poison, "a-service"))


def facts_in(letter: Outgoing) -> dict[str, Any]:
    facts: dict[str, Any] = orjson.loads(letter.attributes["deadLetter"].value)
    return facts


def test_letter_has_the_reason_and_the_facts_of_its_message() -> None:
    poison = message(f'{{"traceparent": "00-{TRACE_ID}-00f067aa0ba902b7-01", no JSON')
    letter = letter_for(poison)
    assert letter.body == poison.body
    assert (letter.attributes["reason"].value, letter.attributes["origin"].value) == (REASON, "a-queue")
    assert facts_in(letter) == {
        "messageId": "message-1",
        "sentAt": "2026-01-02T00:00:00.000000Z",
        "receiveCount": 3,
        "consumer": "a-service",
        "traceId": TRACE_ID,
    }


def test_letter_of_a_message_without_a_trace_names_none() -> None:
    assert "traceId" not in facts_in(letter_for(message()))


@pytest.mark.parametrize("count", range(MAX_ATTRIBUTES + 1))
def test_no_attribute_is_lost(count: int) -> None:
    attributes = {f"name-{number}": Attribute(bytes([number]) * (20 - number), "Binary") for number in range(count)}
    letter = letter_for(message(attributes=attributes))
    kept = {name: each for name, each in letter.attributes.items() if name in attributes}
    rest = attributes_of({name: each for name, each in attributes.items() if name not in kept})
    assert len(letter.attributes) == min(count + 3, MAX_ATTRIBUTES)
    assert all(attributes[name] == each for name, each in kept.items())
    stored = facts_in(letter).get("attributes", {})
    assert stored.keys() == rest.keys()
    assert all(each["DataType"] == "Binary" for each in stored.values())
    assert set(rest) == set(list(attributes)[7:])  # the smallest


def test_attribute_with_a_name_of_ours_is_kept() -> None:
    letter = letter_for(message(attributes={"reason": Attribute("a customer's")}))
    assert letter.attributes["reason"].value == REASON
    assert facts_in(letter)["attributes"] == {"reason": {"DataType": "String", "StringValue": "a customer's"}}


def test_letter_that_was_sent_back_has_the_facts_of_its_last_failure_alone() -> None:
    once = letter_for(message())
    assert letter_for(message(attributes=dict(once.attributes))).attributes == once.attributes


@settings(max_examples=50)  # each a MiB
@given(
    st.integers(0, 2000),
    st.integers(1, 1000),
    st.lists(st.integers(1, 900), max_size=MAX_ATTRIBUTES),
)
def test_letter_is_of_a_size_that_sqs_accepts_and_its_message_whole(room: int, reason: int, sizes: list[int]) -> None:
    attributes = {f"name-{number}": Attribute("x" * size) for number, size in enumerate(sizes)}
    rest = MAX_BATCH_BYTES - room - size_bytes(Outgoing("", "", attributes))
    letter = letter_for(message("x" * rest, attributes), "ä" * reason)
    assert size_bytes(letter) <= MAX_BATCH_BYTES
    assert len(letter.attributes) <= MAX_ATTRIBUTES
    assert len(letter.body) == rest
    stored = facts_in(letter).get("attributes", {}) if "deadLetter" in letter.attributes else {}
    assert attributes.keys() <= {*letter.attributes, *stored}
    assert all(each.value for each in letter.attributes.values())


def test_reason_is_shortened_before_a_fact_is_left_out() -> None:
    whole = letter_for(message(), "r" * 1000)
    letter = letter_for(message("x" * (MAX_BATCH_BYTES - size_bytes(whole) + 1 + 900)), "r" * 1000)
    assert len(letter.attributes["reason"].value) == 100
    assert letter.attributes.keys() == {"reason", "origin", "deadLetter"}


def test_message_that_leaves_no_room_is_sent_as_it_is() -> None:
    attributes = {"bytes": Attribute(b"x" * 1000, "Binary")}
    poison = message("x" * (MAX_BATCH_BYTES - size_bytes(Outgoing("", "", attributes))), attributes)
    letter = letter_for(poison)
    assert (letter.body, letter.attributes) == (poison.body, attributes)
