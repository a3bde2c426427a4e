"""Products, their stock, and the outcomes of stock operations: no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from order_contracts import Item
from service_common.errors import ConflictError, InvalidError, NotFoundError, PreconditionFailedError, Violation

__all__ = [
    "MAX_STOCK",
    "Description",
    "OperationReleasedError",
    "OperationReusedError",
    "Product",
    "ProductExistsError",
    "ProductNotFoundError",
    "Released",
    "Reused",
    "Short",
    "ShortStockError",
    "Shortage",
    "StaleProductError",
    "StockLevel",
    "StockOperation",
    "TakeOutcome",
    "Taken",
    "Unknown",
    "decide",
    "require_taken",
]

MAX_STOCK = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Product:
    """A product; *version* rises with every change of *stock* and continues when a removed product is added again."""

    product_id: str
    stock: int
    version: int
    last_update: datetime


@dataclass(frozen=True, slots=True)
class Description:
    """What the shop shows of a product besides its stock.

    Attributes:
        price_minor: in the minor unit of *currency* (ISO 4217): cents.
        picture: names the picture; the page has it.
    """

    product_id: str
    name: str
    description: str
    price_minor: int
    currency: str
    picture: str


@dataclass(frozen=True, slots=True)
class StockLevel:
    """The stock of a product after an operation."""

    product_id: str
    stock: int


@dataclass(frozen=True, slots=True)
class StockOperation:
    """An operation as it was carried out.

    Attributes:
        items: None when it was released before it took anything.
        outcome: taken, short or unknown; None as *items*.
    """

    id: str
    items: tuple[Item, ...] | None
    outcome: str | None
    created_at: datetime
    released_at: datetime | None


@dataclass(frozen=True, slots=True)
class Shortage:
    """A product whose *stock* is less than *requested*."""

    product_id: str
    requested: int
    stock: int


@dataclass(frozen=True, slots=True)
class Taken:
    """All items were taken; *levels* are ordered by product id."""

    levels: tuple[StockLevel, ...]


@dataclass(frozen=True, slots=True)
class Short:
    """Nothing was taken: the stock of some products is too small."""

    shortages: tuple[Shortage, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing was taken: some products do not exist."""

    product_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Released:
    """Nothing was taken: the operation was released before."""


@dataclass(frozen=True, slots=True)
class Reused:
    """Nothing was taken: the operation id belongs to other items."""


TakeOutcome: TypeAlias = Taken | Short | Unknown | Released | Reused


class ProductNotFoundError(NotFoundError):
    """A product does not exist."""

    slug = "product-not-found"


class ProductExistsError(ConflictError):
    """A product with that id exists."""

    slug = "product-exists"

    def __init__(self, product_id: str) -> None:
        super().__init__(f"Product {product_id} already exists.")
        self.product_id = product_id


class StaleProductError(PreconditionFailedError):
    """The product has another version than the caller expects."""

    def __init__(self, product_id: str, version: int) -> None:
        super().__init__(f"Product {product_id} no longer has version {version}.")
        self.product_id = product_id
        self.version = version


class ShortStockError(ConflictError):
    """More is requested than is in stock."""

    slug = "short-stock"


class OperationReleasedError(ConflictError):
    """The operation was released before."""

    slug = "operation-released"

    def __init__(self, operation_id: str) -> None:
        super().__init__(f"Operation {operation_id} was released before.")
        self.operation_id = operation_id


class OperationReusedError(InvalidError):
    """The operation id belongs to other items."""

    slug = "operation-reused"

    def __init__(self, operation_id: str) -> None:
        super().__init__(
            f"Operation {operation_id} was used with other items.",
            [Violation("/operationId", "belongs to other items")],
        )
        self.operation_id = operation_id


def decide(stock: Mapping[str, int], items: Sequence[Item]) -> Taken | Short | Unknown:
    """Decide whether *stock* is enough for *items*: all are taken, or none.

    The SQL function ``take_stock`` decides by the same rule.
    """
    ordered = sorted(items, key=lambda item: item.product_id)
    if unknown := tuple(item.product_id for item in ordered if item.product_id not in stock):
        return Unknown(unknown)
    requests = [(item.product_id, item.quantity, stock[item.product_id]) for item in ordered]
    if short := tuple(Shortage(*request) for request in requests if request[2] < request[1]):
        return Short(short)
    return Taken(tuple(StockLevel(product_id, stock - quantity) for product_id, quantity, stock in requests))


def require_taken(operation_id: str, items: Sequence[Item], outcome: TakeOutcome) -> tuple[StockLevel, ...]:
    """Return the stock levels after a successful operation.

    Raises:
        ShortStockError: with a violation for each item whose stock is too small.
        ProductNotFoundError: with a violation for each item whose product does not exist.
        OperationReleasedError: the operation was released before.
        OperationReusedError: the operation id belongs to other items.
    """
    index = {item.product_id: position for position, item in enumerate(items)}
    match outcome:
        case Taken(levels):
            return levels
        case Short(shortages):
            detail = "; ".join(f"{each.product_id} has {each.stock} of {each.requested}" for each in shortages)
            violations = [_short(index[each.product_id], each) for each in shortages]
            raise ShortStockError(f"Not enough stock: {detail}.", violations)
        case Unknown(product_ids):
            detail = f"Unknown product: {', '.join(product_ids)}."
            raise ProductNotFoundError(detail, [_unknown(index[each], each) for each in product_ids])
        case Released():
            raise OperationReleasedError(operation_id)
        case Reused():
            raise OperationReusedError(operation_id)


def _short(index: int, short: Shortage) -> Violation:
    facts: dict[str, str | int] = {"productId": short.product_id, "requested": short.requested, "stock": short.stock}
    return Violation(f"/items/{index}/quantity", f"only {short.stock} in stock", facts)


def _unknown(index: int, product_id: str) -> Violation:
    return Violation(f"/items/{index}/productId", "no such product", {"productId": product_id})
