"""The items of an order: the value, and the fields that read it from JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from service_common.fields import BoundedList

from .limits import MAX_ITEMS, MAX_QUANTITY, PRODUCT_ID

__all__ = ["IS_PRODUCT_ID", "Item", "ItemList", "ItemSchema", "product_id", "quantity"]

IS_PRODUCT_ID = validate.Regexp(
    PRODUCT_ID, error="Must be 1 to 64 letters, digits, dots, underscores or hyphens, and not only dots."
)


@dataclass(frozen=True, slots=True)
class Item:
    """A *quantity* of a product: 1 to 1,000,000."""

    product_id: str
    quantity: int


def product_id() -> fields.String:
    """Return the field ``productId``."""
    return fields.String(data_key="productId", required=True, validate=IS_PRODUCT_ID)


def quantity() -> fields.Integer:
    """Return the field ``quantity``."""
    return fields.Integer(required=True, strict=True, validate=validate.Range(1, MAX_QUANTITY))


class ItemSchema(Schema):
    """``{"productId": "123", "quantity": 2}``."""

    product_id = product_id()
    quantity = quantity()

    @post_load
    def _item(self, data: Mapping[str, Any], **_: object) -> Item:
        return Item(**data)


class ItemList(BoundedList[Item]):
    """1 to 100 items of different products."""

    def __init__(self, **options: Any) -> None:
        super().__init__(fields.Nested(ItemSchema), at_least=1, at_most=MAX_ITEMS, required=True, **options)

    def _deserialize(self, *args: Any, **options: Any) -> list[Any]:
        items: list[Any] = super()._deserialize(*args, **options)
        first = {item.product_id: index for index, item in reversed(list(enumerate(items)))}
        if repeated := [index for index, item in enumerate(items) if first[item.product_id] != index]:
            raise ValidationError({index: {"productId": ["The product is listed twice."]} for index in repeated})
        return items
