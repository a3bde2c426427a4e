"""What the HTTP payloads of the inventory look like, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from order_contracts.limits import MAX_ITEMS, MAX_QUANTITY, PRODUCT_ID
from service_common.fields import BoundedList, PathString, page_limit
from service_common.timestamps import rfc3339

from .domain import MAX_STOCK, Product, ProductNotFoundError, StockLine

__all__ = [
    "DecrementSchema",
    "ProductPathSchema",
    "ProductSchema",
    "ProductsQuerySchema",
    "ReleaseSchema",
    "SingleDecrementSchema",
    "StockSchema",
    "product_payload",
]


def _product_id() -> fields.Str:
    return fields.Str(
        data_key="productId",
        required=True,
        validate=validate.Regexp(PRODUCT_ID, error="1 to 64 characters of A-Z a-z 0-9 . _ -, not only dots"),
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

    @post_load
    def _line(self, data: Mapping[str, Any], **_: object) -> StockLine:
        return StockLine(**data)


class DecrementSchema(Schema):
    """``{"operationId": "123:1", "items": [{"productId": "123", "quantity": 2}]}``."""

    operation_id = _operation_id()
    items = BoundedList(fields.Nested(_LineSchema), at_least=1, at_most=MAX_ITEMS, required=True)

    @validates_schema(skip_on_field_errors=True)
    def _distinct(self, data: Mapping[str, Sequence[StockLine]], **_: object) -> None:
        seen: set[str] = set()
        for position, line in enumerate(data["items"]):
            if line.product_id in seen:
                raise ValidationError({"items": {position: {"productId": ["The same product twice."]}}})
            seen.add(line.product_id)


class SingleDecrementSchema(Schema):
    """``{"operationId": "123:1", "quantity": 2}``."""

    operation_id = _operation_id()
    quantity = _quantity()


class ReleaseSchema(Schema):
    """``{"operationId": "123:1"}``."""

    operation_id = _operation_id()


class ProductPathSchema(Schema):
    """``{product_id}``: what is no id names no product."""

    product_id = PathString(required=True, validate=validate.Regexp(PRODUCT_ID))

    def handle_error(self, error: ValidationError, *_: object, **__: object) -> NoReturn:
        """Say that there is no such product.

        Raises:
            ProductNotFoundError: always.
        """
        raise ProductNotFoundError("There is no such product: that is no product id.") from error


class ProductsQuerySchema(Schema):
    """``?limit=&after=``: a page of all; ``?productId=a&productId=b``: those that are named."""

    limit = page_limit()
    after = fields.Str(load_default="", validate=validate.Regexp(PRODUCT_ID))
    product_ids = BoundedList(
        fields.Str(validate=validate.Regexp(PRODUCT_ID)),
        at_least=1,
        at_most=MAX_ITEMS,
        data_key="productId",
        load_default=(),
    )

    @validates_schema(pass_original=True)
    def _either(self, _: object, given: Mapping[str, object], **__: object) -> None:
        if "productId" in given and len(given) > 1:
            others = given.keys() - {"productId"}
            raise ValidationError({name: ["Does not go with productId."] for name in others})


def product_payload(product: Product) -> dict[str, Any]:
    """Return a product as it is answered."""
    return {
        "productId": product.product_id,
        "stock": product.stock,
        "version": product.version,
        "lastUpdate": rfc3339(product.last_update),
    }
