"""The events on the queues: CloudEvents 1.0 in structured JSON, the only wire contract between the services."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from service_common.bounded import BoundedList
from service_common.errors import PermanentError
from service_common.times import rfc3339

__all__ = ["EventType", "Item", "OrderEvent", "UnreadableEventError", "decode", "encode"]

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:orderstream:event")
MAX_QUANTITY = 1_000_000
MAX_ITEMS = 100


class EventType(StrEnum):
    """What happened to an order."""

    ORDER_CREATED = "order-created"
    ORDER_UPDATED = "order-updated"
    ORDER_CANCELLED = "order-cancelled"
    ORDER_PROCESSED = "order-processed"
    ORDER_FAILED = "order-failed"


_OUTCOME = {
    EventType.ORDER_CREATED: "CREATED",
    EventType.ORDER_UPDATED: "UPDATED",
    EventType.ORDER_CANCELLED: "CANCELLED",
    EventType.ORDER_PROCESSED: "CLOSED",
    EventType.ORDER_FAILED: "FAILED",
}
_WITH_ITEMS = frozenset({EventType.ORDER_CREATED, EventType.ORDER_UPDATED})


class UnreadableEventError(PermanentError):
    """A message that is no event of ours; its detail is the reason that goes to the dead-letter queue."""

    slug = "unreadable-event"


@dataclass(frozen=True, slots=True)
class Item:
    """So many of a product: *quantity* is 1 to 1,000,000."""

    product_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """Something that happened to one version of one order, at *time* (UTC).

    *items* are there when the type is created or updated, *reason* when it is failed.
    """

    type: EventType
    source: str
    order_id: int
    version: int
    time: datetime
    traceparent: str | None = None
    items: tuple[Item, ...] = ()
    reason: str | None = None

    @property
    def id(self) -> str:
        """The same for the same business fact however often it is announced (CloudEvents: source + id is unique)."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.type}:{self.order_id}:{self.version}"))

    @property
    def kind(self) -> str:
        """What the user is told became of the order: CREATED, UPDATED, CANCELLED, CLOSED or FAILED."""
        return _OUTCOME[self.type]

    @property
    def message(self) -> str:
        """The sentence for the user."""
        return f"Notification {self.kind} for order {self.order_id}"


class _ItemSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    product_id = fields.Str(data_key="productId", required=True, validate=validate.Regexp(r"[A-Za-z0-9._-]{1,64}\Z"))
    quantity = fields.Int(required=True, strict=True, validate=validate.Range(1, MAX_QUANTITY))


class _DataSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    order_id = fields.Int(data_key="orderId", required=True, strict=True, validate=validate.Range(1, 2**63 - 1))
    version = fields.Int(required=True, strict=True, validate=validate.Range(1, 2**31 - 1))
    items = BoundedList(
        fields.Nested(_ItemSchema), at_least=0, at_most=MAX_ITEMS, data_key="orderItems", load_default=None
    )
    reason = fields.Str(load_default=None)


class _EnvelopeSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    specversion = fields.Str(required=True, validate=validate.Equal("1.0"))
    id = fields.Str(required=True, validate=validate.Length(1))
    source = fields.Str(required=True, validate=validate.Length(1))
    type = fields.Enum(EventType, by_value=True, required=True)
    time = fields.AwareDateTime(format="iso", required=True)
    traceparent = fields.Str(load_default=None)
    data = fields.Nested(_DataSchema, required=True)


_ENVELOPE = _EnvelopeSchema()


def encode(event: OrderEvent) -> str:
    """Return the event as the body of a message."""
    data: dict[str, Any] = {"orderId": event.order_id, "version": event.version}
    if event.type in _WITH_ITEMS:
        data["orderItems"] = [{"productId": item.product_id, "quantity": item.quantity} for item in event.items]
    if event.reason is not None:
        data["reason"] = event.reason
    data["message"] = event.message
    envelope = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type.value,
        "subject": str(event.order_id),
        "time": rfc3339(event.time),
        "datacontenttype": "application/json",
        "data": data,
    }
    if event.traceparent:
        envelope["traceparent"] = event.traceparent
    return orjson.dumps(envelope).decode()


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
    try:
        return _event(_ENVELOPE.load(envelope))
    except ValidationError as error:
        raise UnreadableEventError(f"not a valid event: {error}") from error


def _event(envelope: Mapping[str, Any]) -> OrderEvent:
    data = envelope["data"]
    event_type = envelope["type"]
    if event_type in _WITH_ITEMS and not data["items"]:
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
