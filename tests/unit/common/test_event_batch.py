"""Many events in one body."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_common.events import Event, decode, encode, join_batch, split_batch

EVENTS = [Event(str(number), "/billing", "invoice-paid", {"number": number}) for number in range(3)]


def test_batch_is_split_into_its_events() -> None:
    bodies = split_batch(join_batch([encode(event) for event in EVENTS]))
    assert bodies is not None
    assert [decode(body) for body in bodies] == EVENTS


def test_batch_is_the_json_format_of_cloudevents() -> None:
    assert orjson.loads(join_batch([encode(event) for event in EVENTS])) == [
        orjson.loads(encode(event)) for event in EVENTS
    ]


@pytest.mark.parametrize("body", [encode(EVENTS[0]), "", "[", "[1", '"["', "no JSON", "[{]"])
def test_what_is_no_batch_is_left_to_the_decoder(body: str) -> None:
    assert split_batch(body) is None


def test_batch_may_be_empty_and_indented() -> None:
    assert split_batch(" []") == []
    assert split_batch('\n[\n {"a": 1}\n]') == ['{"a":1}']


@given(st.lists(st.recursive(st.none() | st.booleans() | st.text(), st.lists, max_leaves=5), max_size=5))
def test_members_of_any_kind_are_parts(members: list[object]) -> None:
    bodies = split_batch(orjson.dumps(members).decode())
    assert bodies is not None
    assert [orjson.loads(body) for body in bodies] == members
