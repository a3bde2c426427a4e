"""The HTTP payloads of the inventory service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from order_contracts.items import IS_PRODUCT_ID, ItemList, product_id, quantity
from order_contracts.limits import MAX_BATCH, MAX_ITEMS
from service_common.fields import BoundedList, PathString, page_limit
from service_common.timestamps import rfc3339

from .domain import MAX_STOCK, Description, Product, ProductNotFoundError, StockOperation

__all__ = [
    "CatalogueQuerySchema",
    "DecrementSchema",
    "DecrementsSchema",
    "ForgetSchema",
    "ProductPathSchema",
    "ProductSchema",
    "ProductsQuerySchema",
    "ReleaseSchema",
    "SingleDecrementSchema",
    "StockOperationsQuerySchema",
    "StockSchema",
    "description_payload",
    "operation_payload",
    "product_payload",
]

OPERATION_ID = validate.Regexp(r"[!-~]{1,255}\Z", error="Must be 1 to 255 visible ASCII characters.")
MAX_FORGOTTEN = 1_000


def _operation_id() -> fields.Str:
    return fields.Str(
        data_key="operationId",
        required=True,
        validate=OPERATION_ID,
    )


class StockSchema(Schema):
    """``{"stock": 40}``."""

    stock = fields.Int(required=True, strict=True, validate=validate.Range(0, MAX_STOCK))


class ProductSchema(StockSchema):
    """``{"productId": "123", "stock": 40}``."""

    product_id = product_id()


class DecrementSchema(Schema):
    """``{"operationId": "123:1", "items": [{"productId": "123", "quantity": 2}]}``."""

    operation_id = _operation_id()
    items = ItemList()


class DecrementsSchema(Schema):
    """``{"operations": [{"operationId": "123:1", "items": [{"productId": "123", "quantity": 2}]}]}``."""

    operations = BoundedList(fields.Nested(DecrementSchema), at_least=1, at_most=MAX_BATCH, required=True)


class SingleDecrementSchema(Schema):
    """``{"operationId": "123:1", "quantity": 2}``."""

    operation_id = _operation_id()
    quantity = quantity()


class ReleaseSchema(Schema):
    """``{"operationId": "123:1"}``."""

    operation_id = _operation_id()


class ForgetSchema(Schema):
    """``{"operationIds": ["123:1", "124:1"]}``."""

    operation_ids = BoundedList(
        fields.Str(validate=OPERATION_ID), at_least=1, at_most=MAX_FORGOTTEN, data_key="operationIds", required=True
    )


class ProductPathSchema(Schema):
    """``{product_id}``: an invalid id names no product."""

    product_id = PathString(required=True, validate=IS_PRODUCT_ID)

    def handle_error(self, error: ValidationError, *_: object, **__: object) -> NoReturn:
        """Answer 404.

        Raises:
            ProductNotFoundError: always.
        """
        raise ProductNotFoundError("There is no such product: its id is invalid.") from error


class CatalogueQuerySchema(Schema):
    """``?limit=&after=``."""

    limit = page_limit()
    after = fields.Str(load_default="", validate=IS_PRODUCT_ID)


class ProductsQuerySchema(CatalogueQuerySchema):
    """``?limit=&after=``: a page of all products; ``?productId=a&productId=b``: those products."""

    product_ids = BoundedList(
        fields.Str(validate=IS_PRODUCT_ID),
        at_least=1,
        at_most=MAX_ITEMS,
        data_key="productId",
        load_default=(),
    )

    @validates_schema(pass_original=True)
    def _either(self, _: object, given: Mapping[str, object], **__: object) -> None:
        if "productId" in given and len(given) > 1:
            others = given.keys() - {"productId"}
            raise ValidationError({name: ["Can not be combined with productId."] for name in others})


class StockOperationsQuerySchema(Schema):
    """``?prefix=123:&limit=``."""

    prefix = fields.Str(
        load_default="",
        validate=OPERATION_ID,
    )
    limit = page_limit()


def operation_payload(operation: StockOperation) -> dict[str, Any]:
    """Return a stock operation as its JSON document."""
    items = operation.items
    return {
        "operationId": operation.id,
        "outcome": operation.outcome,
        "items": items and [{"productId": item.product_id, "quantity": item.quantity} for item in items],
        "createdAt": rfc3339(operation.created_at),
        "releasedAt": rfc3339(operation.released_at) if operation.released_at else None,
    }


def description_payload(described: Description) -> dict[str, Any]:
    """Return what the shop shows of a product as its JSON document."""
    return {
        "productId": described.product_id,
        "name": described.name,
        "description": described.description,
        "price": {"minorUnits": described.price_minor, "currency": described.currency},
        "picture": described.picture,
    }


def product_payload(product: Product) -> dict[str, Any]:
    """Return a product as its JSON document."""
    return {
        "productId": product.product_id,
        "stock": product.stock,
        "version": product.version,
        "lastUpdate": rfc3339(product.last_update),
    }
