"""What comes and goes over HTTP and WebSocket: query strings and messages to the terms of the domain, and back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from order_contracts import EventType
from order_contracts.limits import MAX_ORDER_ID
from service_common.errors import InvalidError
from service_common.fields import DecimalInteger, customer, no_nul, page_limit
from service_common.http_server import load, parse_object, require_distinct_members
from service_common.scope import MAX_CUSTOMER_ID
from service_common.timestamps import rfc3339

from ..feed import HistoryPage
from ..notification import EARLIEST, NO_FILTER, EventId, Notification, NotificationFilter
from ..push import payload

__all__ = [
    "DESCENDING",
    "MAX_ORDERS",
    "DisconnectSchema",
    "HistorySchema",
    "StreamSchema",
    "SubscribeSchema",
    "filter_of",
    "page",
    "subscribe",
]

MAX_ORDERS = 256
ASCENDING, DESCENDING = "asc", "desc"

# for clients that have to know soon that nothing comes; fewer than the service sends anyway are not to be had
HEARTBEAT_S = (5, 60)

_ORDER_ID = validate.Range(1, MAX_ORDER_ID)
_KINDS = [each.kind for each in EventType]


class _EventIdField(fields.Str):
    def _deserialize(self, value: Any, attr: str | None, *_: Any, **__: Any) -> Any:
        return EventId.parse(super()._deserialize(value, attr, None), f"/{attr}")


class _PositionField(fields.List[Any]):
    """The last of them counts: a client that resumes may append to an address that has an id."""

    def _deserialize(self, value: Any, attr: str | None, *_: Any, **__: Any) -> Any:
        last = value[-1]
        return EARLIEST if last == EARLIEST else EventId.parse(last, f"/{attr}/{len(value) - 1}")


def _orders(order: fields.Integer) -> fields.List[int]:
    return fields.List(order, data_key="orderId", load_default=tuple, validate=validate.Length(1, MAX_ORDERS))


class _FilterSchema(Schema):
    """``?orderId=&kind=``; without one of them, all."""

    orders = _orders(DecimalInteger(validate=_ORDER_ID))
    kinds = fields.List(
        fields.Str(validate=validate.OneOf(_KINDS)), data_key="kind", load_default=tuple, validate=validate.Length(1)
    )


class _SelectionSchema(_FilterSchema):
    customer = customer()


class StreamSchema(_SelectionSchema):
    """``?customer=&orderId=&kind=&lastEventId=&heartbeat=``."""

    after = _PositionField(
        fields.Str(),
        data_key="lastEventId",
        load_default=None,
        metadata={"description": f"An event id, or `{EARLIEST}`; the last of several counts."},
    )
    heartbeat_s = DecimalInteger(
        data_key="heartbeat",
        load_default=None,
        validate=validate.Range(*HEARTBEAT_S),
        metadata={"description": "From one heartbeat to the next at most, in seconds."},
    )


class HistorySchema(_SelectionSchema):
    """``?customer=&orderId=&kind=&order=&after=&before=&limit=``."""

    order = fields.Str(load_default=ASCENDING, validate=validate.OneOf([ASCENDING, DESCENDING]))
    after = _EventIdField(load_default=None, metadata={"description": f"With the order `{ASCENDING}`."})
    before = _EventIdField(load_default=None, metadata={"description": f"With the order `{DESCENDING}`."})
    limit = page_limit()

    @validates_schema
    def _require_matching_position(self, loaded: Mapping[str, Any], **_: Any) -> None:
        name, order = ("after", ASCENDING) if loaded["order"] == DESCENDING else ("before", DESCENDING)
        if loaded[name] is not None:
            raise ValidationError(f"Is for order={order}.", name)


class DisconnectSchema(Schema):
    """``{"customerId": "…"}``."""

    customer = fields.Str(
        data_key="customerId", required=True, validate=[validate.Length(1, MAX_CUSTOMER_ID), no_nul()]
    )


class SubscribeSchema(_FilterSchema):
    """``{"type": "subscribe", "orderId": [123, 124], "kind": ["CLOSED"]}``: at least one filter."""

    type = fields.Str(required=True, validate=validate.Equal("subscribe", error="Is not known; there is: subscribe."))
    orders = _orders(fields.Int(strict=True, validate=_ORDER_ID))

    @validates_schema
    def _require_filter(self, loaded: Mapping[str, Any], **_: Any) -> None:
        if not (loaded["orders"] or loaded["kinds"]):
            raise ValidationError("Names no filter; there are: orderId, kind.")


_SUBSCRIBE = SubscribeSchema()


def subscribe(text: str) -> NotificationFilter:
    """Read ``{"type":"subscribe","orderId":[…],"kind":[…]}``.

    Raises:
        MalformedError: it is no JSON object.
        InvalidError: it is not understood.
    """
    message = parse_object(text, "A message")
    try:
        loaded = {"orders": message["orderId"]} if _plainly_right(message) else load(_SUBSCRIBE, message)
        require_distinct_members(text)
    except InvalidError as error:
        detail = "; ".join(f"{each.pointer}: {each.detail}".removeprefix(": ") for each in error.violations[:3])
        raise InvalidError(detail, error.violations) from error
    return filter_of(loaded["orders"], loaded.get("kinds", ()))


def filter_of(orders: Collection[int], kinds: Collection[str]) -> NotificationFilter:
    """Return the filter of the parameters or members with these values; those that are not given are empty."""
    if not orders and not kinds:
        return NO_FILTER  # one for all clients
    return NotificationFilter(frozenset(orders) if orders else None, frozenset(kinds) if kinds else None)


def _plainly_right(message: Mapping[str, Any]) -> bool:
    # what the schema would say, for a tenth of its time: a crowd may send these
    orders = message.get("orderId")
    return (
        message.keys() == {"type", "orderId"}
        and message["type"] == "subscribe"
        and type(orders) is list
        and 0 < len(orders) <= MAX_ORDERS
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
