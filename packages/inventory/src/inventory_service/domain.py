"""What stock is, and what becomes of an operation that wants some of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from service_common.errors import ConflictError, InvalidError, NotFoundError, PreconditionFailedError, Violation

__all__ = [
    "MAX_STOCK",
    "Given",
    "Level",
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
    "StockLine",
    "TakeOutcome",
    "Taken",
    "Unknown",
    "VersionLostError",
    "decide",
    "require_taken",
]

MAX_STOCK = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Product:
    """A product in stock; *version* rises with every change of *stock*, and never returns, not even after a removal."""

    product_id: str
    stock: int
    version: int
    last_update: datetime


@dataclass(frozen=True, slots=True)
class StockLine:
    """So many of a product are wanted: *quantity* is 1 to 1,000,000."""

    product_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Level:
    """What an operation left of a product."""

    product_id: str
    stock: int


@dataclass(frozen=True, slots=True)
class Shortage:
    """A product of which there was not as much as *requested*."""

    product_id: str
    requested: int
    stock: int


@dataclass(frozen=True, slots=True)
class Taken:
    """Every line was taken; *levels* are ordered by product id."""

    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Short:
    """Nothing was taken: too little of some products."""

    shortages: tuple[Shortage, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing was taken: some products do not exist."""

    product_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Released:
    """Nothing was taken: the operation was released before, so it is over."""


@dataclass(frozen=True, slots=True)
class Reused:
    """Nothing was taken: the operation id stands for other lines."""


TakeOutcome: TypeAlias = Taken | Short | Unknown | Released | Reused


@dataclass(frozen=True, slots=True)
class Given:
    """What the release of an operation gave back, the same each time it is asked for; ordered by product id."""

    lines: tuple[StockLine, ...]


class ProductNotFoundError(NotFoundError):
    """A product that is named does not exist."""

    slug = "product-not-found"


class ProductExistsError(ConflictError):
    """There is a product of that id already."""

    slug = "product-exists"

    def __init__(self, product_id: str) -> None:
        super().__init__(f"Product {product_id} exists already.")
        self.product_id = product_id


class VersionLostError(PreconditionFailedError):
    """The product was changed by somebody else in the meantime."""

    def __init__(self, product_id: str, version: int) -> None:
        super().__init__(f"Product {product_id} is not at version {version} any more.")
        self.product_id = product_id
        self.version = version


class ShortStockError(ConflictError):
    """More is requested than is in stock."""

    slug = "short-stock"


class OperationReleasedError(ConflictError):
    """The operation was released: it takes nothing any more."""

    slug = "operation-released"

    def __init__(self, operation_id: str) -> None:
        super().__init__(f"Operation {operation_id} was released before.")
        self.operation_id = operation_id


class OperationReusedError(InvalidError):
    """The id of an operation was used for other lines."""

    slug = "operation-reused"

    def __init__(self, operation_id: str) -> None:
        super().__init__(
            f"Operation {operation_id} was asked for before with other items.",
            [Violation("/operationId", "belongs to other items")],
        )
        self.operation_id = operation_id


def decide(stock: Mapping[str, int], lines: Sequence[StockLine]) -> Taken | Short | Unknown:
    """Say what becomes of *lines* where *stock* is there: all of them are taken, or none.

    The SQL function ``take_stock`` decides the same at the database.
    """
    ordered = sorted(lines, key=lambda line: line.product_id)
    unknown = tuple(line.product_id for line in ordered if line.product_id not in stock)
    if unknown:
        return Unknown(unknown)
    short = tuple(
        Shortage(line.product_id, line.quantity, stock[line.product_id])
        for line in ordered
        if stock[line.product_id] < line.quantity
    )
    if short:
        return Short(short)
    return Taken(tuple(Level(line.product_id, stock[line.product_id] - line.quantity) for line in ordered))


def require_taken(operation_id: str, lines: Sequence[StockLine], outcome: TakeOutcome) -> tuple[Level, ...]:
    """Return the levels that a successful operation left.

    Raises:
        ShortStockError: with each short line, its ``requested`` and ``stock``.
        ProductNotFoundError: with each line whose product does not exist.
        OperationReleasedError: it was released before.
        OperationReusedError: the id stands for other lines.
    """
    match outcome:
        case Taken(levels):
            return levels
        case Short(shortages):
            raise _short_stock(lines, shortages)
        case Unknown(product_ids):
            raise _unknown_product(lines, product_ids)
        case Released():
            raise OperationReleasedError(operation_id)
        case Reused():
            raise OperationReusedError(operation_id)


def _short_stock(lines: Sequence[StockLine], shortages: Sequence[Shortage]) -> ShortStockError:
    told = "; ".join(f"{each.product_id} has {each.stock} of {each.requested}" for each in shortages)
    positions = _positions(lines)
    return ShortStockError(
        f"Not enough stock: {told}.",
        [
            Violation(
                f"/items/{positions[each.product_id]}/quantity",
                f"only {each.stock} in stock",
                {"productId": each.product_id, "requested": each.requested, "stock": each.stock},
            )
            for each in shortages
        ],
    )


def _unknown_product(lines: Sequence[StockLine], product_ids: Sequence[str]) -> ProductNotFoundError:
    positions = _positions(lines)
    return ProductNotFoundError(
        f"Unknown product: {', '.join(product_ids)}.",
        [
            Violation(f"/items/{positions[product_id]}/productId", "no such product", {"productId": product_id})
            for product_id in product_ids
        ],
    )


def _positions(lines: Sequence[StockLine]) -> dict[str, int]:
    return {line.product_id: position for position, line in enumerate(lines)}
