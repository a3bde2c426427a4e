"""Decoding of order events: the schema, and a fast path for events in the form that the services write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from service_common.events import Event, UnreadableEventError
from service_common.events import decode as decode_event
from service_common.fields import BoundedList, no_nul
from service_common.scope import ANONYMOUS, MAX_CUSTOMER_ID

from .events import WITH_ITEMS, EventType, OrderEvent
from .items import Item, ItemSchema
from .limits import MAX_ITEMS, MAX_ORDER_ID, MAX_QUANTITY, MAX_VERSION, PRODUCT_ID

__all__ = ["DataSchema", "decode"]

_PRODUCT_ID = re.compile(PRODUCT_ID)
_TIME_LENGTH = len("2026-03-01T12:30:15.123456Z")


class _ItemSchema(ItemSchema):
    class Meta:
        unknown = EXCLUDE


class DataSchema(Schema):
    """The ``data`` of an order event."""

    class Meta:
        """Unknown members are ignored, so that members may be added."""

        unknown = EXCLUDE

    order_id = fields.Int(data_key="orderId", required=True, strict=True, validate=validate.Range(1, MAX_ORDER_ID))
    version = fields.Int(required=True, strict=True, validate=validate.Range(1, MAX_VERSION))
    items = BoundedList(
        fields.Nested(_ItemSchema), at_least=0, at_most=MAX_ITEMS, data_key="orderItems", load_default=None
    )
    reason = fields.Str(load_default=None)
    # replicas of a former version send none
    customer_id = fields.Str(
        data_key="customerId", load_default=ANONYMOUS, validate=[validate.Length(1, MAX_CUSTOMER_ID), no_nul()]
    )


_DATA = DataSchema()


def decode(body: str) -> OrderEvent:
    """Decode the body of a message; unknown members are ignored.

    Raises:
        UnreadableEventError: the body is not a CloudEvent, its type is unknown, or a required member is missing.
    """
    event = _decode_fast(body)
    return _validated(decode_event(body)) if event is None else event


def _validated(event: Event) -> OrderEvent:
    try:
        event_type = EventType(event.type)
    except ValueError as error:
        raise UnreadableEventError(f"not a valid event: its type {event.type!r} is unknown") from error
    if event.time is None:
        raise UnreadableEventError("not a valid event: it has no time")
    try:
        data = _DATA.load(event.data)
    except ValidationError as error:
        raise UnreadableEventError(f"not a valid event: data: {error}") from error
    if event_type in WITH_ITEMS and not data["items"]:
        raise UnreadableEventError(f"not a valid event: {event_type} has no data.orderItems")
    if event_type is EventType.ORDER_FAILED and not data["reason"]:
        raise UnreadableEventError("not a valid event: order-failed has no data.reason")
    return OrderEvent(
        type=event_type,
        source=event.source,
        order_id=data["order_id"],
        version=data["version"],
        time=event.time,
        traceparent=event.traceparent,
        tracestate=event.tracestate,
        items=tuple(data["items"] or ()),
        reason=data["reason"],
        customer_id=data["customer_id"],
    )


def _decode_fast(body: str) -> OrderEvent | None:
    """Decode an event in the form that the services write; return None for any other, which the schema decides.

    The schema takes eight times as long for each message.
    """
    try:
        envelope = orjson.loads(body)
        data = envelope["data"]
        event = OrderEvent(
            type=EventType(envelope["type"]),
            source=envelope["source"],
            order_id=data["orderId"],
            version=data["version"],
            time=datetime.fromisoformat(envelope["time"]),
            traceparent=envelope.get("traceparent"),
            tracestate=envelope.get("tracestate"),
            items=tuple([Item(item["productId"], item["quantity"]) for item in data.get("orderItems", ())]),
            reason=data.get("reason"),
            customer_id=data.get("customerId", ANONYMOUS),
        )
        canonical = _is_canonical_envelope(envelope) and _is_canonical_event(event)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return event if canonical and all(map(_is_canonical_item, event.items)) else None


def _is_canonical_envelope(envelope: Mapping[str, Any]) -> bool:
    return (
        envelope["specversion"] == "1.0"
        and bool(envelope["id"])
        and type(envelope["id"]) is str
        and bool(envelope["subject"])
        and type(envelope["subject"]) is str
        and len(envelope["time"]) == _TIME_LENGTH
        and envelope["time"][-1] == "Z"
    )


def _is_canonical_event(event: OrderEvent) -> bool:
    return (
        type(event.order_id) is int
        and 1 <= event.order_id <= MAX_ORDER_ID
        and type(event.version) is int
        and 1 <= event.version <= MAX_VERSION
        and bool(event.source)
        and type(event.source) is str
        and (event.traceparent is None or type(event.traceparent) is str)
        and (event.tracestate is None or type(event.tracestate) is str)
        and (bool(event.reason) if event.type is EventType.ORDER_FAILED else True)
        and (event.reason is None or type(event.reason) is str)
        and type(event.customer_id) is str
        and 0 < len(event.customer_id) <= MAX_CUSTOMER_ID
        and "\0" not in event.customer_id
        and len(event.items) <= MAX_ITEMS
        and bool(event.items) >= (event.type in WITH_ITEMS)
    )


def _is_canonical_item(item: Item) -> bool:
    return (
        type(item.quantity) is int
        and 1 <= item.quantity <= MAX_QUANTITY
        and type(item.product_id) is str
        and _PRODUCT_ID.fullmatch(item.product_id) is not None
    )
