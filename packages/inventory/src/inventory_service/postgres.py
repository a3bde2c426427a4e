"""Products and stock operations in PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakValueDictionary

from order_contracts import Item
from service_common.call_batcher import CallBatcher
from service_common.errors import BusyError
from service_common.postgres import STATEMENT_SPAN, Database, Json, Row, load_statements

from .domain import (
    Description,
    Product,
    ProductExistsError,
    ProductNotFoundError,
    Released,
    Reused,
    Short,
    Shortage,
    StaleProductError,
    StockLevel,
    StockOperation,
    Taken,
    TakeOutcome,
    Unknown,
)

__all__ = ["SqlStock"]

# how long an operation waits behind others of a locked product, in seconds, and how many statements may wait for locks
PATIENCE_S = 0.5
WAITING_STATEMENTS = 2

_Request = Mapping[str, Any]


class _LockedError(Exception):
    """Other transactions hold these products."""

    def __init__(self, products: Sequence[str]) -> None:
        super().__init__(*products)
        self.products = tuple(products)


class SqlStock:
    """A `StockRepository` on PostgreSQL.

    One statement carries out concurrent operations, in the order of their arrival: under load, many orders of a hot
    product share one commit. It does not wait for a product that another transaction holds: only the operations on that
    product do, in a statement of their own. They fail with BusyError when the wait is long.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_statements(__package__)
        self._takes = CallBatcher[_Request, TakeOutcome](self._take_free, name="take_stock", **STATEMENT_SPAN)
        self._lanes: WeakValueDictionary[tuple[str, ...], CallBatcher[_Request, TakeOutcome]] = WeakValueDictionary()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._waiting = asyncio.Semaphore(WAITING_STATEMENTS)

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
        parameters = {"product_id": product_id, "stock": stock, "version": version}
        async with _turn(self._turns.setdefault(product_id, asyncio.Lock())):
            row = await self._database.fetch_one(self._sql["change_stock"], parameters)
        return Product(*_require_found(product_id, version, row))

    async def remove(self, product_id: str, version: int | None) -> None:
        """Remove a product."""
        parameters = {"product_id": product_id, "version": version}
        async with _turn(self._turns.setdefault(product_id, asyncio.Lock())):
            row = await self._database.fetch_one(self._sql["remove_product"], parameters)
        _require_found(product_id, version, row)

    async def take(self, operation_id: str, items: Sequence[Item], *, waits: bool = True) -> TakeOutcome:
        """Take all items or none, once."""
        request = {"id": operation_id, "items": {item.product_id: item.quantity for item in items}}
        try:
            return await self._takes.submit(request)
        except _LockedError as locked:
            if not waits:
                raise _busy() from None
            lane = self._lanes.setdefault(
                locked.products, CallBatcher(self._take_locked, name="take_stock", **STATEMENT_SPAN)
            )
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await lane.submit(request)
        except TimeoutError:
            raise _busy() from None

    async def operations(self, prefix: str, limit: int) -> list[StockOperation]:
        """Return the first *limit* operations whose ids begin with *prefix*, by id."""
        rows = await self._database.fetch(self._sql["stock_operations"], {"prefix": prefix, "limit": limit})
        return [StockOperation(row[0], None if row[1] is None else _items(row[1]), *row[2:]) for row in rows]

    async def release(self, operation_id: str) -> tuple[Item, ...]:
        """Return to the stock what an operation took, once."""
        try:
            row = await self._database.fetch_one(self._sql["release_free_stock"], (operation_id,))
        except BusyError:
            async with _turn(self._waiting):
                row = await self._database.fetch_one(self._sql["release_stock"], (operation_id,))
        items: Mapping[str, int] = row[0] if row else {}
        return _items(items)

    async def forget(self, operation_ids: Sequence[str]) -> int:
        """Delete operations."""
        return await self._database.execute(self._sql["forget_operations"], (list(operation_ids),))

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

    async def catalogue(self, *, after: str, limit: int) -> list[Description]:
        """Return the descriptions of the first products whose ids are greater than *after*."""
        rows = await self._database.fetch(self._sql["page_catalogue"], {"after": after, "limit": limit})
        return [Description(*row) for row in rows]

    async def describe(self, descriptions: Sequence[Description]) -> int:
        """Store descriptions of products that have none."""
        columns = {
            "product_ids": [each.product_id for each in descriptions],
            "names": [each.name for each in descriptions],
            "descriptions": [each.description for each in descriptions],
            "prices": [each.price_minor for each in descriptions],
            "currencies": [each.currency for each in descriptions],
            "pictures": [each.picture for each in descriptions],
        }
        return await self._database.execute(self._sql["seed_catalogue"], columns)

    async def close(self) -> None:
        """Wait for the operations in flight."""
        await self._takes.close()
        for lane in tuple(self._lanes.values()):
            await lane.close()

    async def _take_free(self, requests: Sequence[_Request]) -> list[TakeOutcome | Exception]:
        return await self._take(requests, waits=False)

    async def _take_locked(self, requests: Sequence[_Request]) -> list[TakeOutcome | Exception]:
        async with self._waiting:
            return await self._take(requests, waits=True)

    async def _take(self, requests: Sequence[_Request], *, waits: bool) -> list[TakeOutcome | Exception]:
        rows = await self._database.fetch(self._sql["take_stock"], (Json(requests), waits))
        return [_outcome(*row) for row in rows]


@asynccontextmanager
async def _turn(turns: asyncio.Lock | asyncio.Semaphore) -> AsyncIterator[None]:
    """Hold *turns* for a statement that may wait for a lock."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await turns.acquire()
    except TimeoutError:
        raise _busy() from None
    try:
        yield
    finally:
        turns.release()


def _items(quantities: Mapping[str, int]) -> tuple[Item, ...]:
    return tuple(Item(product_id, quantity) for product_id, quantity in sorted(quantities.items()))


def _busy() -> BusyError:
    return BusyError("The product is locked by another transaction; try again later.")


def _require_found(product_id: str, version: int | None, row: Row | None) -> Row:
    """Return the row of a changed product; a row that starts with null is a product with another version."""
    if row is not None and row[0] is not None:
        return row
    if row is None or version is None:
        raise ProductNotFoundError(f"There is no product {product_id}.")
    raise StaleProductError(product_id, version)


def _outcome(outcome: str, facts: list[Any]) -> TakeOutcome | _LockedError:
    match outcome:
        case "busy":
            return _LockedError(facts)
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
