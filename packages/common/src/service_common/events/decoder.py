"""Reading an event off a queue: the schema that decides what is one, and a quick way for what plainly is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from ..fields import BoundedList
from .event import WITH_ITEMS, EventType, Item, OrderEvent, UnreadableEventError

__all__ = ["DataSchema", "EnvelopeSchema", "decode"]

MAX_QUANTITY = 1_000_000
MAX_ITEMS = 100
MAX_ORDER_ID = 2**63 - 1
MAX_VERSION = 2**31 - 1
_PRODUCT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_TIME_LENGTH = len("2026-03-01T12:30:15.123456Z")


class _ItemSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    product_id = fields.Str(data_key="productId", required=True, validate=validate.Regexp(_PRODUCT_ID))
    quantity = fields.Int(required=True, strict=True, validate=validate.Range(1, MAX_QUANTITY))


class DataSchema(Schema):
    """What is told of an order."""

    class Meta:
        """Members may be added."""

        unknown = EXCLUDE

    order_id = fields.Int(data_key="orderId", required=True, strict=True, validate=validate.Range(1, MAX_ORDER_ID))
    version = fields.Int(required=True, strict=True, validate=validate.Range(1, MAX_VERSION))
    items = BoundedList(
        fields.Nested(_ItemSchema), at_least=0, at_most=MAX_ITEMS, data_key="orderItems", load_default=None
    )
    reason = fields.Str(load_default=None)


class EnvelopeSchema(Schema):
    """A CloudEvent, as far as it is read."""

    class Meta:
        """Members may be added."""

        unknown = EXCLUDE

    specversion = fields.Str(required=True, validate=validate.Equal("1.0"))
    id = fields.Str(required=True, validate=validate.Length(1))
    source = fields.Str(required=True, validate=validate.Length(1))
    type = fields.Enum(EventType, by_value=True, required=True)
    time = fields.AwareDateTime(format="iso", required=True)
    traceparent = fields.Str(load_default=None)
    data = fields.Nested(DataSchema, required=True)


_ENVELOPE = EnvelopeSchema()


def decode(body: str) -> OrderEvent:
    """Read the body of a message; members that are not known are ignored.

    Raises:
        UnreadableEventError: it is no JSON, no CloudEvent, of unknown type, or lacks a member that it needs.
    """
    try:
        envelope = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnreadableEventError(f"not JSON: {error}") from error
    if not isinstance(envelope, dict):
        raise UnreadableEventError("not a CloudEvent: the body is no JSON object")
    event = _read_plain(envelope)
    if event is not None:
        return event
    try:
        return _event(_ENVELOPE.load(envelope))
    except ValidationError as error:
        raise UnreadableEventError(f"not a valid event: {error}") from error


def _event(envelope: Mapping[str, Any]) -> OrderEvent:
    data = envelope["data"]
    event_type = envelope["type"]
    if event_type in WITH_ITEMS and not data["items"]:
        raise UnreadableEventError(f"not a valid event: {event_type} has no data.orderItems")
    if event_type is EventType.ORDER_FAILED and not data["reason"]:
        raise UnreadableEventError("not a valid event: order-failed has no data.reason")
    return OrderEvent(
        type=event_type,
        source=envelope["source"],
        order_id=data["order_id"],
        version=data["version"],
        time=envelope["time"],
        traceparent=envelope["traceparent"],
        items=tuple(Item(**item) for item in data["items"] or ()),
        reason=data["reason"],
    )


def _read_plain(envelope: Mapping[str, Any]) -> OrderEvent | None:
    """Read an envelope that has nothing unusual about it, as good as all have; None leaves it to the schema.

    The schema decides what is an event and says what is wrong with one that is not. It takes eight times as long for
    that, on every message, so what is plainly right does not go through it.
    """
    try:
        data = envelope["data"]
        event = OrderEvent(
            type=EventType(envelope["type"]),
            source=envelope["source"],
            order_id=data["orderId"],
            version=data["version"],
            time=datetime.fromisoformat(envelope["time"]),
            traceparent=envelope.get("traceparent"),
            items=tuple([Item(item["productId"], item["quantity"]) for item in data.get("orderItems", ())]),
            reason=data.get("reason"),
        )
        plain = _is_plain_envelope(envelope) and _is_plain_event(event) and all(map(_is_plain_item, event.items))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return event if plain else None


def _is_plain_envelope(envelope: Mapping[str, Any]) -> bool:
    return (
        envelope["specversion"] == "1.0"
        and bool(envelope["id"])
        and type(envelope["id"]) is str
        and len(envelope["time"]) == _TIME_LENGTH
        and envelope["time"][-1] == "Z"
    )


def _is_plain_event(event: OrderEvent) -> bool:
    return (
        type(event.order_id) is int
        and 1 <= event.order_id <= MAX_ORDER_ID
        and type(event.version) is int
        and 1 <= event.version <= MAX_VERSION
        and bool(event.source)
        and type(event.source) is str
        and (event.traceparent is None or type(event.traceparent) is str)
        and (bool(event.reason) if event.type is EventType.ORDER_FAILED else True)
        and (event.reason is None or type(event.reason) is str)
        and len(event.items) <= MAX_ITEMS
        and bool(event.items) >= (event.type in WITH_ITEMS)
    )


def _is_plain_item(item: Item) -> bool:
    return (
        type(item.quantity) is int
        and 1 <= item.quantity <= MAX_QUANTITY
        and type(item.product_id) is str
        and _PRODUCT_ID.fullmatch(item.product_id) is not None
    )
