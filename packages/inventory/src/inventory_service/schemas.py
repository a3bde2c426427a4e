"""What the HTTP payloads of the inventory look like, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from order_contracts.limits import MAX_ITEMS, MAX_QUANTITY, PRODUCT_ID
from service_common.fields import BoundedList
from service_common.timestamps import rfc3339

from .domain import MAX_STOCK, Given, Level, Line, Product

__all__ = [
    "ChosenSchema",
    "DecrementSchema",
    "PageSchema",
    "ProductSchema",
    "ReleaseSchema",
    "SingleDecrementSchema",
    "StockSchema",
    "given_payload",
    "levels_payload",
    "lines_of",
    "product_payload",
]

MAX_PAGE = 200


def _product_id() -> fields.Str:
    return fields.Str(
        data_key="productId",
        required=True,
        validate=validate.Regexp(PRODUCT_ID, error="1 to 64 characters of A-Z a-z 0-9 . _ -"),
    )


def _operation_id() -> fields.Str:
    return fields.Str(
        data_key="operationId",
        required=True,
        validate=validate.Regexp(r"[!-~]{1,255}\Z", error="1 to 255 visible ASCII characters"),
    )


def _quantity() -> fields.Int:
    return fields.Int(required=True, strict=True, validate=validate.Range(1, MAX_QUANTITY))


class StockSchema(Schema):
    """``{"stock": 40}``."""

    stock = fields.Int(required=True, strict=True, validate=validate.Range(0, MAX_STOCK))


class ProductSchema(StockSchema):
    """``{"productId": "123", "stock": 40}``."""

    product_id = _product_id()


class _LineSchema(Schema):
    product_id = _product_id()
    quantity = _quantity()


class DecrementSchema(Schema):
    """``{"operationId": "123:1", "items": [{"productId": "123", "quantity": 2}]}``."""

    operation_id = _operation_id()
    items = BoundedList(fields.Nested(_LineSchema), at_least=1, at_most=MAX_ITEMS, required=True)

    @validates_schema
    def _distinct(self, data: dict[str, Any], **_: object) -> None:
        seen: set[str] = set()
        for position, item in enumerate(data["items"]):
            if item["product_id"] in seen:
                raise ValidationError({"items": {position: {"productId": ["The same product twice."]}}})
            seen.add(item["product_id"])


class SingleDecrementSchema(Schema):
    """``{"operationId": "123:1", "quantity": 2}``."""

    operation_id = _operation_id()
    quantity = _quantity()


class ReleaseSchema(Schema):
    """``{"operationId": "123:1"}``."""

    operation_id = _operation_id()


class ChosenSchema(Schema):
    """``?productId=a&productId=b``."""

    product_ids = BoundedList(
        fields.Str(validate=validate.Regexp(PRODUCT_ID)),
        at_least=1,
        at_most=MAX_ITEMS,
        data_key="productId",
        required=True,
    )


class PageSchema(Schema):
    """``?limit=&after=``."""

    limit = fields.Int(load_default=50, validate=validate.Range(1, MAX_PAGE))
    after = fields.Str(load_default="", validate=validate.Regexp(PRODUCT_ID))


def lines_of(items: Sequence[dict[str, Any]]) -> tuple[Line, ...]:
    """Return the lines of a loaded `DecrementSchema`."""
    return tuple(Line(item["product_id"], item["quantity"]) for item in items)


def product_payload(product: Product) -> dict[str, Any]:
    """Return a product as it is answered."""
    return {
        "productId": product.product_id,
        "stock": product.stock,
        "version": product.version,
        "lastUpdate": rfc3339(product.last_update),
    }


def levels_payload(levels: Sequence[Level]) -> dict[str, Any]:
    """Return the answer to a decrement."""
    return {"items": [{"productId": level.product_id, "stock": level.stock} for level in levels]}


def given_payload(given: Given) -> dict[str, Any]:
    """Return the answer to a release."""
    return {"items": [{"productId": line.product_id, "quantity": line.quantity} for line in given.lines]}
