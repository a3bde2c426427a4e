"""What comes and goes over HTTP: payloads to the terms of the domain, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from order_contracts.limits import MAX_ITEMS, MAX_ORDER_ID, MAX_QUANTITY, MAX_VERSION, PRODUCT_ID
from service_common.errors import InvalidError
from service_common.fields import BoundedList, DecimalInteger, page_limit
from service_common.timestamps import rfc3339

from .domain import Order, OrderLine, OrderNotFoundError, OrderStatus

__all__ = [
    "MAX_KEY",
    "FailureSchema",
    "ItemsSchema",
    "LineSchema",
    "OrderPathSchema",
    "OrdersQuerySchema",
    "VersionSchema",
    "idempotency_key",
    "rendered",
    "server_timing",
]

MAX_REASON = 1000
MAX_KEY = 255

_PRODUCT_ID = validate.Regexp(
    PRODUCT_ID,
    error="Has to be 1 to 64 letters, digits, dots, underscores or hyphens, and not only dots.",
)
# text in PostgreSQL has no NUL
_NO_NUL = validate.ContainsNoneOf("\0", error="Must not contain the character NUL.")


class OrderPathSchema(Schema):
    """``{order_id}``: what is no id names no order."""

    order_id = DecimalInteger(required=True, validate=validate.Range(1, MAX_ORDER_ID))

    def handle_error(self, error: ValidationError, data: Mapping[str, str], **_: object) -> NoReturn:
        """Say that there is no such order.

        Raises:
            OrderNotFoundError: always.
        """
        raise OrderNotFoundError(data["order_id"]) from error


class LineSchema(Schema):
    """``{"productId": "123", "quantity": 2}``."""

    product_id = fields.Str(data_key="productId", required=True, validate=_PRODUCT_ID)
    quantity = fields.Int(required=True, strict=True, validate=validate.Range(1, MAX_QUANTITY))

    @post_load
    def _line(self, data: Mapping[str, Any], **_: object) -> OrderLine:
        return OrderLine(**data)


class ItemsSchema(Schema):
    """``{"orderItems": [{"productId": "123", "quantity": 2}]}``."""

    lines = BoundedList(fields.Nested(LineSchema), at_least=1, at_most=MAX_ITEMS, data_key="orderItems", required=True)

    @validates_schema(skip_on_field_errors=True)
    def _no_product_twice(self, data: Mapping[str, Any], **_: object) -> None:
        seen: set[str] = set()
        again: dict[int, object] = {}
        for place, line in enumerate(data["lines"]):
            if line.product_id in seen:
                again[place] = {"productId": ["This product is ordered twice."]}
            seen.add(line.product_id)
        if again:
            raise ValidationError({"orderItems": again})


class VersionSchema(Schema):
    """``{"version": 1}``."""

    version = fields.Int(required=True, strict=True, validate=validate.Range(1, MAX_VERSION))


class FailureSchema(VersionSchema):
    """``{"version": 1, "reason": "…"}``."""

    reason = fields.Str(required=True, validate=[validate.Length(1, MAX_REASON), _NO_NUL])


class OrdersQuerySchema(Schema):
    """``?status=&after=&limit=``."""

    status = fields.Enum(OrderStatus, by_value=True, load_default=None)
    after = DecimalInteger(validate=validate.Range(1, MAX_ORDER_ID), load_default=None)
    limit = page_limit()


def idempotency_key(values: Sequence[str]) -> str | None:
    """Read the values of the header ``Idempotency-Key``, of which there may be one.

    Raises:
        InvalidError: there are several, or it is not 1 to 255 printable characters.
    """
    if not values:
        return None
    if len(values) > 1 or not 1 <= len(values[0]) <= MAX_KEY or not values[0].isprintable():
        raise InvalidError(f"The header Idempotency-Key has to be one of 1 to {MAX_KEY} printable characters.")
    return values[0]


def rendered(order: Order) -> dict[str, Any]:
    """Return an order as it is answered."""
    return {
        "id": order.id,
        "version": order.version,
        "status": order.status.value,
        "createdAt": rfc3339(order.created_at),
        "updatedAt": rfc3339(order.updated_at),
        "failureReason": order.failure_reason,
        "orderItems": [
            {"id": item.id, "productId": item.product_id, "quantity": item.quantity} for item in order.items
        ],
    }


def server_timing(**seconds: float) -> str:
    """Return how long each part took as the header ``Server-Timing`` tells it, in milliseconds.

    Source: https://www.w3.org/TR/server-timing/#the-server-timing-header-field
    """
    return ", ".join(f"{part};dur={duration * 1000:.3f}" for part, duration in seconds.items())
