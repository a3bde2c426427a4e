"""What comes and goes over HTTP and WebSocket: query strings and messages to the terms of the domain, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, validate

from order_contracts.limits import MAX_ORDER_ID
from service_common.errors import InvalidError
from service_common.fields import DecimalInteger, page_limit
from service_common.http_server import load, parse_object, require_distinct_members
from service_common.timestamps import rfc3339

from ..feed import HistoryPage
from ..notification import EventId, Notification
from ..push import payload

__all__ = [
    "MAX_ORDERS",
    "HistorySchema",
    "StreamRequest",
    "StreamSchema",
    "SubscribeSchema",
    "page",
    "stream_request",
    "subscribe",
]

MAX_ORDERS = 256


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """What a push client wants: *orders* is None for all, *after* None for everything from now on."""

    orders: frozenset[int] | None
    after: EventId | None


_ORDER_ID = validate.Range(1, MAX_ORDER_ID)


class _EventIdField(fields.Str):
    def _deserialize(self, value: Any, attr: str | None, *_: Any, **__: Any) -> Any:
        return EventId.parse(super()._deserialize(value, attr, None), f"/{attr}")


def _orders(order: fields.Integer) -> fields.List[int]:
    return fields.List(order, data_key="orderId", load_default=(), validate=validate.Length(0, MAX_ORDERS))


class StreamSchema(Schema):
    """``?orderId=&lastEventId=``."""

    class Meta:
        """Browsers add parameters against caches; a client that resumes may append to an address that has an id."""

        unknown = EXCLUDE

    orders = _orders(DecimalInteger(validate=_ORDER_ID))
    after = _EventIdField(data_key="lastEventId", load_default=None)


class HistorySchema(Schema):
    """``?orderId=&after=&limit=``."""

    orders = _orders(DecimalInteger(validate=_ORDER_ID))
    after = _EventIdField(load_default=None)
    limit = page_limit()


class SubscribeSchema(Schema):
    """``{"type": "subscribe", "orderId": [123, 124]}``."""

    type = fields.Str(required=True, validate=validate.Equal("subscribe", error="Is not known; there is: subscribe."))
    orders = _orders(fields.Int(strict=True, validate=_ORDER_ID))


_SUBSCRIBE = SubscribeSchema()


def stream_request(orders: Sequence[int], after: EventId | None, last_event_id: str | None = None) -> StreamRequest:
    """Combine the query of ``/stream`` or ``/ws`` with the header *last_event_id*, which wins over the parameter.

    Raises:
        WrongEventIdError: the header has another form.
    """
    if last_event_id:
        after = EventId.parse(last_event_id, "/Last-Event-ID")
    return StreamRequest(frozenset(orders) or None, after)


def subscribe(text: str) -> frozenset[int] | None:
    """Read ``{"type":"subscribe","orderId":[…]}``; no orders means all.

    Raises:
        MalformedError: it is no JSON object.
        InvalidError: it is not understood.
    """
    message = parse_object(text, "A message")
    try:
        orders = message["orderId"] if _plainly_right(message) else load(_SUBSCRIBE, message)["orders"]
        require_distinct_members(text)
        return frozenset(orders) or None
    except InvalidError as error:
        detail = "; ".join(f"{each.pointer}: {each.detail}" for each in error.violations[:3])
        raise InvalidError(detail, error.violations) from error


def _plainly_right(message: Mapping[str, Any]) -> bool:
    # what the schema would say, for a tenth of its time: a crowd may send these
    orders = message.get("orderId")
    return (
        message.keys() == {"type", "orderId"}
        and message["type"] == "subscribe"
        and type(orders) is list
        and len(orders) <= MAX_ORDERS
        and all(type(order) is int and 0 < order <= MAX_ORDER_ID for order in orders)
    )


def page(found: HistoryPage) -> dict[str, Any]:
    """Write a page of the history."""
    epoch = found.state.epoch
    return {
        "notifications": [_recorded(each, epoch) for each in found.items],
        "next": None if found.next is None else str(found.next),
        "head": str(EventId(epoch, found.state.head)),
        "reset": found.gap,
    }


def _recorded(notification: Notification, epoch: str) -> dict[str, Any]:
    # not in a push: that may come from whoever appended it, who does not know, and is the same bytes on every replica
    document = payload(notification, epoch)
    if notification.recorded_at is not None:
        document["recordedAt"] = rfc3339(notification.recorded_at)
    return document
