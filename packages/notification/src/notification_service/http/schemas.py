"""What comes and goes over HTTP and WebSocket: query strings and messages to the terms of the domain, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from marshmallow import EXCLUDE, Schema, fields, validate
from multidict import MultiMapping

from order_contracts.limits import MAX_ORDER_ID
from service_common.errors import InvalidError, MalformedError
from service_common.http_server import load
from service_common.timestamps import rfc3339

from ..feed import HistoryPage
from ..notification import EventId, Notification
from ..push import payload

__all__ = [
    "MAX_ORDERS",
    "HistoryRequest",
    "HistorySchema",
    "StreamRequest",
    "StreamSchema",
    "SubscribeSchema",
    "history_request",
    "page",
    "stream_request",
    "subscribe",
]

MAX_ORDERS = 256
DEFAULT_LIMIT = 50
MAX_LIMIT = 200


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """What a push client wants: *orders* is None for all, *after* None for everything from now on."""

    orders: frozenset[int] | None
    after: EventId | None


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """Which notifications are asked for; *limit* is 1 to 200."""

    orders: frozenset[int] | None
    after: EventId | None
    limit: int


def _orders(*, strict: bool) -> fields.List[int]:
    order = fields.Int(strict=strict, validate=validate.Range(1, MAX_ORDER_ID))
    return fields.List(order, data_key="orderId", load_default=(), validate=validate.Length(0, MAX_ORDERS))


class StreamSchema(Schema):
    """``?orderId=&lastEventId=``."""

    class Meta:
        """What browsers add against caches is none of ours."""

        unknown = EXCLUDE

    orders = _orders(strict=False)
    after = fields.Str(data_key="lastEventId", load_default="")


class HistorySchema(Schema):
    """``?orderId=&after=&limit=``."""

    orders = _orders(strict=False)
    after = fields.Str(load_default="")
    limit = fields.Int(validate=validate.Range(1, MAX_LIMIT), load_default=DEFAULT_LIMIT)


class SubscribeSchema(Schema):
    """``{"type": "subscribe", "orderId": [123, 124]}``."""

    type = fields.Str(required=True, validate=validate.Equal("subscribe", error="Is not known; there is: subscribe."))
    orders = _orders(strict=True)


_STREAM = StreamSchema()
_HISTORY = HistorySchema()
_SUBSCRIBE = SubscribeSchema()


def stream_request(query: MultiMapping[str], last_event_id: str | None = None) -> StreamRequest:
    """Read the query of ``/stream`` or ``/ws``; the header *last_event_id* wins over the parameter.

    Raises:
        InvalidError: with everything that is not valid.
    """
    values = load(_STREAM, _flat(query))
    if last_event_id:
        return StreamRequest(_wanted(values), EventId.parse(last_event_id, "/Last-Event-ID"))
    after = EventId.parse(values["after"], "/lastEventId") if values["after"] else None
    return StreamRequest(_wanted(values), after)


def history_request(query: MultiMapping[str]) -> HistoryRequest:
    """Read the query of ``/notifications``.

    Raises:
        InvalidError: with everything that is not valid.
    """
    values = load(_HISTORY, _flat(query))
    after = EventId.parse(values["after"], "/after") if values["after"] else None
    return HistoryRequest(_wanted(values), after, values["limit"])


def subscribe(text: str) -> frozenset[int] | None:
    """Read ``{"type":"subscribe","orderId":[…]}``; no orders means all.

    Raises:
        MalformedError: it is no JSON object.
        InvalidError: it is not understood.
    """
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedError(f"This is not JSON: {error}.") from error
    if not isinstance(message, dict):
        raise MalformedError("A message has to be a JSON object.")
    if _plainly_right(message):
        return frozenset(message["orderId"]) or None
    try:
        return _wanted(load(_SUBSCRIBE, message))
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
        "notifications": [_recorded(each, epoch) for each in found.notifications],
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


def _flat(query: MultiMapping[str]) -> dict[str, Any]:
    # the last wins: whoever resumes may append to an address that has an id already
    values: dict[str, Any] = {name: query.getall(name)[-1] for name in query}
    if "orderId" in query:
        values["orderId"] = query.getall("orderId")
    return values


def _wanted(values: Mapping[str, Any]) -> frozenset[int] | None:
    return frozenset(values["orders"]) or None
