"""The wire contract of the queues, held against stored samples: a change here is a change for every consumer."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_contracts import EventType, Item, OrderEvent, decode, decoder
from service_common.events import UnreadableEventError, encode
from service_common.events import decode as decode_event
from service_common.scope import ANONYMOUS

SAMPLES = Path(__file__).parent / "samples" / "events"
TIME = datetime(2026, 3, 1, 12, 30, 15, 123456, UTC)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ITEMS = (Item("123", 2), Item("456", 1))
ONE_ITEM = {"orderId": 1, "version": 1, "orderItems": [{"productId": "123", "quantity": 1}]}


def event(
    event_type: EventType, *, version: int = 1, items: tuple[Item, ...] = (), reason: str | None = None
) -> OrderEvent:
    source = "/processing-service" if event_type in PROCESSING else "/order-service"
    return OrderEvent(event_type, source, 123, version, TIME, TRACE, items, reason, "alice")


PROCESSING = {EventType.ORDER_PROCESSED, EventType.ORDER_FAILED}
EVENTS = {
    EventType.ORDER_CREATED: event(EventType.ORDER_CREATED, items=ITEMS),
    EventType.ORDER_UPDATED: event(EventType.ORDER_UPDATED, version=2, items=ITEMS[:1]),
    EventType.ORDER_CANCELLED: event(EventType.ORDER_CANCELLED, version=2),
    EventType.ORDER_PROCESSED: event(EventType.ORDER_PROCESSED),
    EventType.ORDER_FAILED: event(EventType.ORDER_FAILED, reason="out of stock: 123 (requested 2, in stock 1)"),
}


def sample(event_type: EventType) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads((SAMPLES / f"{event_type}.json").read_bytes())
    return document


def without(document: dict[str, Any], path: str) -> dict[str, Any]:
    *parents, last = path.split(".")
    place = document
    for parent in parents:
        place = place[parent]
    del place[last]
    return document


@pytest.mark.parametrize("event_type", EventType)
def test_producer_writes_the_stored_sample(event_type: EventType) -> None:
    assert orjson.loads(encode(EVENTS[event_type].envelope())) == sample(event_type)


@pytest.mark.parametrize("event_type", EventType)
def test_consumer_reads_the_stored_sample(event_type: EventType) -> None:
    assert decode(orjson.dumps(sample(event_type)).decode()) == EVENTS[event_type]


@pytest.mark.parametrize("event_type", EventType)
def test_consumer_ignores_members_it_does_not_know(event_type: EventType) -> None:
    document = sample(event_type)
    document["futureExtension"] = {"deep": [1]}
    document["data"]["customer"] = "x"
    assert decode(orjson.dumps(document).decode()) == EVENTS[event_type]


@pytest.mark.parametrize(
    "member", ["specversion", "id", "source", "type", "time", "data", "data.orderId", "data.version"]
)
@pytest.mark.parametrize("event_type", EventType)
def test_event_without_a_needed_member_is_refused_by_its_name(event_type: EventType, member: str) -> None:
    document = without(sample(event_type), member)
    with pytest.raises(UnreadableEventError, match=member.rsplit(".", maxsplit=1)[-1]):
        decode(orjson.dumps(document).decode())


@pytest.mark.parametrize(
    ("event_type", "member"),
    [
        (EventType.ORDER_CREATED, "data.orderItems"),
        (EventType.ORDER_UPDATED, "data.orderItems"),
        (EventType.ORDER_FAILED, "data.reason"),
    ],
)
def test_event_without_what_its_type_needs_is_refused(event_type: EventType, member: str) -> None:
    document = without(sample(event_type), member)
    with pytest.raises(UnreadableEventError, match=member):
        decode(orjson.dumps(document).decode())


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("specversion", "0.3"),
        ("type", "order-eaten"),
        ("time", "yesterday"),
        ("time", "2026-03-01T12:30:15"),
        ("data", []),
        ("data", {"orderId": "123", "version": 1}),
        ("data", {"orderId": 0, "version": 1}),
        ("data", {"orderId": True, "version": 1}),
        ("data", {"orderId": 2**63, "version": 1}),
        ("data", {"orderId": 1, "version": 1.5}),
        *[("data", ONE_ITEM | {"customerId": each}) for each in (None, 1, "", "x" * 256, "\0")],
        ("data", {"orderId": 1, "version": 1, "orderItems": [{"productId": "no spaces", "quantity": 1}]}),
        ("data", {"orderId": 1, "version": 1, "orderItems": [{"productId": "123", "quantity": 0}]}),
        ("data", {"orderId": 1, "version": 1, "orderItems": [{"productId": "123", "quantity": 1_000_001}]}),
    ],
)
def test_event_with_a_wrong_value_is_refused(member: str, value: object) -> None:
    document = sample(EventType.ORDER_CREATED) | {member: value}
    with pytest.raises(UnreadableEventError):
        decode(orjson.dumps(document).decode())


def test_event_of_a_former_version_has_no_known_customer() -> None:
    document = without(sample(EventType.ORDER_CREATED), "data.customerId")
    assert decode(orjson.dumps(document).decode()) == replace(EVENTS[EventType.ORDER_CREATED], customer_id=ANONYMOUS)


@pytest.mark.parametrize("body", ["", "{", "null", "[]", '"order-created"', "12", "\ud800", "{}"])
def test_body_that_is_no_event_is_refused(body: str) -> None:
    with pytest.raises(UnreadableEventError):
        decode(body)


def test_announcing_again_keeps_the_event_id() -> None:
    first = EVENTS[EventType.ORDER_CREATED]
    assert replace(first, time=datetime(2027, 1, 1, tzinfo=UTC), traceparent=None).id == first.id


def test_each_business_fact_has_its_own_event_id() -> None:
    assert len({event.id for event in EVENTS.values()}) == len(EVENTS)


def changed(document: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Documents with one member, anywhere, that is something else."""
    members = {"envelope": document, "data": document["data"], "item": {"productId": "", "quantity": 1}}
    paths = [(place, name) for place, names in members.items() for name in names]
    values: st.SearchStrategy[object] = st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.builds(list), st.builds(dict)
    )

    def replaced(path: tuple[str, str], value: object) -> dict[str, Any]:
        copy: dict[str, Any] = orjson.loads(orjson.dumps(document))
        item = (copy["data"].get("orderItems") or [{}])[0]
        {"envelope": copy, "data": copy["data"], "item": item}[path[0]][path[1]] = value
        return copy

    return st.builds(replaced, st.sampled_from(paths), values)


@given(st.sampled_from(list(EventType)).flatmap(lambda event_type: changed(sample(event_type))))
def test_quick_way_reads_only_what_the_schema_reads_and_the_same(document: dict[str, Any]) -> None:
    body = json.dumps(document)
    quick = decoder._decode_fast(body)
    if quick is not None:
        assert decoder._validated(decode_event(body)) == quick


@pytest.mark.parametrize("event_type", EventType)
def test_what_producers_write_goes_the_quick_way(event_type: EventType) -> None:
    assert decoder._decode_fast(encode(EVENTS[event_type].envelope())) == EVENTS[event_type]
