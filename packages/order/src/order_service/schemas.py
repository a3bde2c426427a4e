"""The HTTP payloads of the order service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, NoReturn

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from order_contracts.items import IS_PRODUCT_ID, ItemList
from order_contracts.limits import MAX_BATCH, MAX_ORDER_ID, MAX_VERSION
from service_common.fields import BoundedList, DecimalInteger, UtcTime, customer, no_nul, page_limit
from service_common.timestamps import rfc3339

from .domain import ChangedOrder, ChangePosition, Order, OrderNotFoundError, OrderStatus

__all__ = [
    "MAX_KEY",
    "ChangesQuerySchema",
    "ClosingsSchema",
    "EventsQuerySchema",
    "FailureSchema",
    "ItemsSchema",
    "OrderPathSchema",
    "OrdersQuerySchema",
    "VersionSchema",
    "changed_order_payload",
    "order_payload",
    "position_text",
    "server_timing",
]

MAX_REASON = 1000
MAX_KEY = 255
MAX_AGE_S = 86_400
_POSITION = re.compile(r"([-0-9]{10}T[:0-9]{8}\.[0-9]{6}Z)_(0|[1-9][0-9]{0,17})", re.ASCII)


class OrderPathSchema(Schema):
    """``{order_id}``: an invalid id names no order."""

    order_id = DecimalInteger(required=True, validate=validate.Range(1, MAX_ORDER_ID))

    def handle_error(self, error: ValidationError, data: Mapping[str, str], **_: object) -> NoReturn:
        """Answer 404.

        Raises:
            OrderNotFoundError: always.
        """
        raise OrderNotFoundError(data["order_id"]) from error


class ItemsSchema(Schema):
    """``{"orderItems": [{"productId": "123", "quantity": 2}]}``."""

    items = ItemList(data_key="orderItems")


class VersionSchema(Schema):
    """``{"version": 1}``."""

    version = fields.Int(required=True, strict=True, validate=validate.Range(1, MAX_VERSION))


class _OrderVersionSchema(VersionSchema):
    order_id = fields.Int(data_key="orderId", required=True, strict=True, validate=validate.Range(1, MAX_ORDER_ID))


class ClosingsSchema(Schema):
    """``{"orders": [{"orderId": 123, "version": 1}]}``."""

    orders = BoundedList(fields.Nested(_OrderVersionSchema), at_least=1, at_most=MAX_BATCH, required=True)


class FailureSchema(VersionSchema):
    """``{"version": 1, "reason": "…"}``."""

    reason = fields.Str(required=True, validate=[validate.Length(1, MAX_REASON), no_nul()])


def _trace_id() -> fields.String:
    digits = validate.Regexp(r"[0-9a-f]{32}\Z", error="Has to be 32 hexadecimal digits.")
    return fields.Str(data_key="traceId", load_default=None, validate=digits)


class OrdersQuerySchema(Schema):
    """``?status=&customer=&product=&from=&to=&traceId=&number=&after=&limit=``."""

    status = fields.Enum(OrderStatus, by_value=True, load_default=None)
    customer = customer()
    product_id = fields.Str(data_key="product", load_default=None, validate=IS_PRODUCT_ID)
    created_from = UtcTime(data_key="from", load_default=None)
    created_to = UtcTime(data_key="to", load_default=None)
    trace_id = _trace_id()
    number = DecimalInteger(
        validate=validate.Range(1, MAX_ORDER_ID),
        load_default=None,
        metadata={"description": "The digits that the number begins with."},
    )
    after = DecimalInteger(validate=validate.Range(1, MAX_ORDER_ID), load_default=None)
    limit = page_limit()

    @validates_schema
    def _in_order(self, loaded: Mapping[str, Any], **_: Any) -> None:
        first, end = loaded["created_from"], loaded["created_to"]
        if first is not None and end is not None and first >= end:
            raise ValidationError("Has to be later than from.", "to")


class _PositionField(fields.String):
    """The text of a `ChangePosition`."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        match = _POSITION.fullmatch(value)
        with suppress(ValueError):
            if match is not None:
                return ChangePosition(datetime.fromisoformat(match[1]), int(match[2]))
        raise ValidationError("Has to be the `next` of a page.")


class ChangesQuerySchema(Schema):
    """``?after=&minAgeS=&limit=``."""

    after = _PositionField(load_default=None)
    min_age_s = DecimalInteger(data_key="minAgeS", validate=validate.Range(0, MAX_AGE_S), load_default=0)
    limit = page_limit()


class EventsQuerySchema(Schema):
    """``?orderId=`` or ``?traceId=``; ``event=``: of the order, only this; ``data=true``: with what the events say."""

    order_id = DecimalInteger(data_key="orderId", load_default=None, validate=validate.Range(1, MAX_ORDER_ID))
    trace_id = _trace_id()
    event = fields.UUID(load_default=None)
    data = fields.Bool(load_default=False)

    @validates_schema
    def _one_of_them(self, loaded: Mapping[str, Any], **_: Any) -> None:
        if (loaded.get("order_id") is None) == (loaded.get("trace_id") is None):
            raise ValidationError("Has to have one of: orderId, traceId.")
        if loaded["event"] is not None and loaded["order_id"] is None:
            raise ValidationError("Is for orderId.", "event")


def order_payload(order: Order) -> dict[str, Any]:
    """Return an order as its JSON document."""
    items = [{"id": item.id, "productId": item.product_id, "quantity": item.quantity} for item in order.items]
    return {**changed_order_payload(order), "orderItems": items}


def changed_order_payload(order: ChangedOrder | Order) -> dict[str, Any]:
    """Return a changed order as its JSON document."""
    return {
        "id": order.id,
        "version": order.version,
        "status": order.status.value,
        "createdAt": rfc3339(order.created_at),
        "updatedAt": rfc3339(order.updated_at),
        "failureReason": order.failure_reason,
        "customerId": order.customer_id,
    }


def position_text(position: ChangePosition) -> str:
    """Return the text of *position*."""
    return f"{rfc3339(position.at)}_{position.order_id}"


def server_timing(**seconds: float) -> str:
    """Return the header ``Server-Timing`` with the duration of each part, in milliseconds.

    Source: https://www.w3.org/TR/server-timing/#the-server-timing-header-field
    """
    return ", ".join(f"{part};dur={duration * 1000:.3f}" for part, duration in seconds.items())
