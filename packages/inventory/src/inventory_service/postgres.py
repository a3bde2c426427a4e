"""Products and stock operations in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from order_contracts import Item
from service_common.call_batcher import CallBatcher
from service_common.postgres import Database, Json, Row, load_statements

from .domain import (
    Product,
    ProductExistsError,
    ProductNotFoundError,
    Released,
    Reused,
    Short,
    Shortage,
    StaleProductError,
    StockLevel,
    Taken,
    TakeOutcome,
    Unknown,
)

__all__ = ["SqlStock"]


class SqlStock:
    """A `StockRepository` on PostgreSQL.

    One statement carries out concurrent operations, in the order of their arrival: under load, many orders of a hot
    product share one commit.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_statements(__package__)
        self._takes = CallBatcher[dict[str, Any], TakeOutcome](self._take_all)

    async def get(self, product_id: str) -> Product:
        """Return one product."""
        rows = await self.get_many((product_id,))
        if not rows:
            raise ProductNotFoundError(f"There is no product {product_id}.")
        return rows[0]

    async def get_many(self, product_ids: Sequence[str]) -> list[Product]:
        """Return those that exist, ordered by id."""
        rows = await self._database.fetch(self._sql["get_products"], {"product_ids": list(product_ids)})
        return [Product(*row) for row in rows]

    async def page(self, *, after: str, limit: int) -> list[Product]:
        """Return the first products whose ids are greater than *after*."""
        rows = await self._database.fetch(self._sql["page_products"], {"after": after, "limit": limit})
        return [Product(*row) for row in rows]

    async def add(self, product_id: str, stock: int) -> Product:
        """Add a product."""
        row = await self._database.fetch_one(self._sql["add_product"], {"product_id": product_id, "stock": stock})
        if row is None:
            raise ProductExistsError(product_id)
        return Product(*row)

    async def change(self, product_id: str, stock: int, version: int | None) -> Product:
        """Set the stock of a product."""
        row = await self._database.fetch_one(
            self._sql["change_stock"], {"product_id": product_id, "stock": stock, "version": version}
        )
        return Product(*_require_found(product_id, version, row))

    async def remove(self, product_id: str, version: int | None) -> None:
        """Remove a product."""
        row = await self._database.fetch_one(
            self._sql["remove_product"], {"product_id": product_id, "version": version}
        )
        _require_found(product_id, version, row)

    async def take(self, operation_id: str, items: Sequence[Item]) -> TakeOutcome:
        """Take all items or none, once."""
        quantities = {item.product_id: item.quantity for item in items}
        return await self._takes.submit({"id": operation_id, "items": quantities})

    async def release(self, operation_id: str) -> tuple[Item, ...]:
        """Return to the stock what an operation took, once."""
        row = await self._database.fetch_one(self._sql["release_stock"], (operation_id,))
        items: Mapping[str, int] = row[0] if row else {}
        return tuple(Item(product_id, quantity) for product_id, quantity in sorted(items.items()))

    async def seed(self, name: str, products: Sequence[tuple[str, int]]) -> int:
        """Add products, once for each name."""
        return await self._database.execute(
            self._sql["seed_products"],
            {
                "name": name,
                "product_ids": [product_id for product_id, _ in products],
                "stocks": [stock for _, stock in products],
            },
        )

    async def close(self) -> None:
        """Wait for the operations in flight."""
        await self._takes.close()

    async def _take_all(self, operations: Sequence[dict[str, Any]]) -> list[TakeOutcome | Exception]:
        rows = await self._database.fetch(self._sql["take_stock"], (Json(operations),))
        return [_outcome(*row) for row in rows]


def _require_found(product_id: str, version: int | None, row: Row | None) -> Row:
    """Return the row of a changed product; a row that starts with null is a product with another version."""
    if row is not None and row[0] is not None:
        return row
    if row is None or version is None:
        raise ProductNotFoundError(f"There is no product {product_id}.")
    raise StaleProductError(product_id, version)


def _outcome(outcome: str, facts: list[Any]) -> TakeOutcome:
    match outcome:
        case "taken":
            return Taken(tuple(StockLevel(fact["productId"], fact["stock"]) for fact in facts))
        case "short":
            return Short(tuple(Shortage(fact["productId"], fact["requested"], fact["stock"]) for fact in facts))
        case "unknown":
            return Unknown(tuple(facts))
        case "released":
            return Released()
        case "reused":
            return Reused()
    raise ValueError(f"take_stock answers {outcome}")
