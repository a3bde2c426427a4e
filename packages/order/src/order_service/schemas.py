"""What comes and goes over HTTP: payloads to the terms of the domain, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from order_contracts.limits import MAX_ITEMS, MAX_ORDER_ID, MAX_QUANTITY, MAX_VERSION, PRODUCT_ID
from service_common.errors import InvalidError
from service_common.fields import BoundedList
from service_common.http_server import load
from service_common.timestamps import rfc3339

from .domain import Order, OrderLine, OrderStatus
from .service import OrderPage

__all__ = [
    "FailureSchema",
    "ItemsSchema",
    "LineSchema",
    "PageRequest",
    "PageSchema",
    "VersionSchema",
    "failure",
    "idempotency_key",
    "lines",
    "page_request",
    "rendered",
    "rendered_page",
    "rendered_status",
    "server_timing",
    "version",
]

MAX_REASON = 1000
MAX_KEY = 255
DEFAULT_LIMIT = 50
MAX_LIMIT = 200

_PRODUCT_ID = validate.Regexp(PRODUCT_ID, error="Has to be 1 to 64 letters, digits, dots, underscores or hyphens.")
# text in PostgreSQL has no NUL
_NO_NUL = validate.ContainsNoneOf("\0", error="Must not contain the character NUL.")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which orders are asked for; *limit* is 1 to 200."""

    status: OrderStatus | None
    after: int | None
    limit: int


class LineSchema(Schema):
    """``{"productId": "123", "quantity": 2}``."""

    product_id = fields.Str(data_key="productId", required=True, validate=_PRODUCT_ID)
    quantity = fields.Int(required=True, strict=True, validate=validate.Range(1, MAX_QUANTITY))


class ItemsSchema(Schema):
    """``{"orderItems": [{"productId": "123", "quantity": 2}]}``."""

    lines = BoundedList(fields.Nested(LineSchema), at_least=1, at_most=MAX_ITEMS, data_key="orderItems", required=True)

    @validates_schema(skip_on_field_errors=True)
    def _no_product_twice(self, data: Mapping[str, Any], **_: object) -> None:
        seen: set[str] = set()
        again: dict[int, object] = {}
        for place, line in enumerate(data["lines"]):
            if line["product_id"] in seen:
                again[place] = {"productId": ["This product is ordered twice."]}
            seen.add(line["product_id"])
        if again:
            raise ValidationError({"orderItems": again})


class VersionSchema(Schema):
    """``{"version": 1}``."""

    version = fields.Int(required=True, strict=True, validate=validate.Range(1, MAX_VERSION))


class FailureSchema(VersionSchema):
    """``{"version": 1, "reason": "…"}``."""

    reason = fields.Str(required=True, validate=[validate.Length(1, MAX_REASON), _NO_NUL])


class PageSchema(Schema):
    """``?status=&after=&limit=``."""

    status = fields.Enum(OrderStatus, by_value=True, load_default=None)
    after = fields.Int(validate=validate.Range(1, MAX_ORDER_ID), load_default=None)
    limit = fields.Int(validate=validate.Range(1, MAX_LIMIT), load_default=DEFAULT_LIMIT)


_ITEMS = ItemsSchema()
_VERSION = VersionSchema()
_FAILURE = FailureSchema()
_PAGE = PageSchema()


def lines(body: Mapping[str, Any]) -> tuple[OrderLine, ...]:
    """Read what is ordered.

    Raises:
        InvalidError: with everything that is not valid.
    """
    return tuple(OrderLine(**line) for line in load(_ITEMS, body)["lines"])


def version(body: Mapping[str, Any]) -> int:
    """Read the version that was fulfilled.

    Raises:
        InvalidError: with everything that is not valid.
    """
    return int(load(_VERSION, body)["version"])


def failure(body: Mapping[str, Any]) -> tuple[int, str]:
    """Read the version that could not be fulfilled, and why.

    Raises:
        InvalidError: with everything that is not valid.
    """
    read = load(_FAILURE, body)
    return read["version"], read["reason"]


def page_request(query: Mapping[str, str]) -> PageRequest:
    """Read a query string; an empty value is none.

    Raises:
        InvalidError: with everything that is not valid.
    """
    return PageRequest(**load(_PAGE, {name: value for name, value in query.items() if value}))


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


def rendered_page(page: OrderPage) -> dict[str, Any]:
    """Return a page of orders as it is answered."""
    return {"orders": [rendered(order) for order in page.orders], "next": page.next}


def server_timing(**seconds: float) -> str:
    """Return how long each part took as the header ``Server-Timing`` tells it, in milliseconds.

    Source: https://www.w3.org/TR/server-timing/#the-server-timing-header-field
    """
    return ", ".join(f"{part};dur={duration * 1000:.3f}" for part, duration in seconds.items())


def rendered_status(order: Order) -> dict[str, Any]:
    """Return what the services tell one another of an order."""
    return {"id": order.id, "status": order.status.value}
