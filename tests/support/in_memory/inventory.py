"""The port of the inventory service in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from inventory_service.domain import (
    MAX_STOCK,
    Description,
    Product,
    ProductExistsError,
    ProductNotFoundError,
    Released,
    Reused,
    StaleProductError,
    StockOperation,
    Taken,
    TakeOutcome,
    decide,
)
from order_contracts import Item

__all__ = ["InMemoryStock"]


@dataclass(slots=True)
class _Operation:
    lines: frozenset[Item] | None  # None: released before it took anything
    outcome: TakeOutcome
    released: bool = False
    number: int = 0
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    released_at: datetime | None = None


class InMemoryStock:
    """A `StockRepository` in dictionaries."""

    def __init__(self) -> None:
        self._products: dict[str, Product] = {}
        self._descriptions: dict[str, Description] = {}
        self._last_versions: dict[str, int] = {}
        self._added_before: dict[str, int] = {}  # the number of the next operation
        self._operations: dict[str, _Operation] = {}
        self._next_number = 0
        self._seeded: set[str] = set()

    async def get(self, product_id: str) -> Product:
        if product_id not in self._products:
            raise ProductNotFoundError(f"There is no product {product_id}.")
        return self._products[product_id]

    async def get_many(self, product_ids: Sequence[str]) -> list[Product]:
        return [self._products[each] for each in sorted(set(product_ids)) if each in self._products]

    async def page(self, *, after: str, limit: int) -> list[Product]:
        return [self._products[each] for each in sorted(self._products) if each > after][:limit]

    async def add(self, product_id: str, stock: int) -> Product:
        if product_id in self._products:
            raise ProductExistsError(product_id)
        version = self._last_versions.get(product_id, 0) + 1
        self._products[product_id] = Product(product_id, stock, version, datetime.now(UTC))
        self._added_before[product_id] = self._next_number
        return self._products[product_id]

    async def change(self, product_id: str, stock: int, version: int | None) -> Product:
        await self._require(product_id, version)
        return self._set(product_id, stock)

    async def remove(self, product_id: str, version: int | None) -> None:
        await self._require(product_id, version)
        self._last_versions[product_id] = self._products.pop(product_id).version

    async def take(self, operation_id: str, items: Sequence[Item], **_: bool) -> TakeOutcome:
        known = self._operations.get(operation_id)
        if known is None:
            return self._take(operation_id, items)
        if known.lines is not None and known.lines != frozenset(items):
            return Reused()
        return Released() if known.released else known.outcome

    async def release(self, operation_id: str) -> tuple[Item, ...]:
        operation = self._operations.setdefault(operation_id, _Operation(None, Released(), released=True))
        operation.released_at = operation.released_at or datetime.now(UTC)
        if operation.lines is None or not isinstance(operation.outcome, Taken):
            operation.released = True
            return ()
        given = sorted(operation.lines, key=lambda line: line.product_id)
        if not operation.released:
            operation.released = True
            for line in given:
                product = self._products.get(line.product_id)
                if product is not None and self._added_before[line.product_id] <= operation.number:
                    self._set(line.product_id, min(product.stock + line.quantity, MAX_STOCK))
        return tuple[Item, ...](tuple(given))

    async def forget(self, operation_ids: Sequence[str]) -> int:
        return sum(self._operations.pop(each, None) is not None for each in set(operation_ids))

    async def operations(self, prefix: str, limit: int) -> list[StockOperation]:
        return [
            StockOperation(
                each,
                None if operation.lines is None else tuple(sorted(operation.lines, key=lambda line: line.product_id)),
                None if operation.lines is None else type(operation.outcome).__name__.lower(),
                operation.created_at,
                operation.released_at,
            )
            for each, operation in sorted(self._operations.items())
            if each.startswith(prefix)
        ][:limit]

    async def catalogue(self, *, after: str, limit: int) -> list[Description]:
        described = sorted(self._descriptions.keys() & self._products.keys())
        return [self._descriptions[each] for each in described if each > after][:limit]

    async def describe(self, descriptions: Sequence[Description]) -> int:
        missing = [each for each in descriptions if each.product_id not in self._descriptions]
        self._descriptions |= {each.product_id: each for each in missing}
        return len(missing)

    async def seed(self, name: str, products: Sequence[tuple[str, int]]) -> int:
        if name in self._seeded:
            return 0
        self._seeded.add(name)
        missing = [(product_id, stock) for product_id, stock in products if product_id not in self._products]
        for product_id, stock in missing:
            await self.add(product_id, stock)
        return len(missing)

    def _take(self, operation_id: str, lines: Sequence[Item]) -> TakeOutcome:
        outcome = decide({each: product.stock for each, product in self._products.items()}, lines)
        self._operations[operation_id] = _Operation(frozenset(lines), outcome, number=self._next_number)
        self._next_number += 1
        if isinstance(outcome, Taken):
            for level in outcome.levels:
                self._set(level.product_id, level.stock)
        return outcome

    def _set(self, product_id: str, stock: int) -> Product:
        product = self._products[product_id]
        changed = replace(product, stock=stock, version=product.version + 1, last_update=datetime.now(UTC))
        self._products[product_id] = changed
        return changed

    async def _require(self, product_id: str, version: int | None) -> None:
        product = await self.get(product_id)
        if version is not None and product.version != version:
            raise StaleProductError(product_id, version)
