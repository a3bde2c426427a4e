"""The use cases of the inventory service."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from order_contracts import Item
from service_common.observability import Metrics
from service_common.paging import ListPage, PageRequest

from .domain import Description, Product, StockLevel, StockOperation, require_taken
from .ports import StockRepository

__all__ = ["InventoryService"]

logger = logging.getLogger(__name__)


class InventoryService:
    """Keeps products and their stock; `StockRepository` says what each method may raise."""

    def __init__(self, repository: StockRepository, metrics: Metrics) -> None:
        self._repository = repository
        self._operations = metrics.counter("stock_operations_total", "Stock operations by outcome.", ("outcome",))

    async def product(self, product_id: str) -> Product:
        """Return one product."""
        return await self._repository.get(product_id)

    async def products(self, product_ids: Sequence[str]) -> list[Product]:
        """Return those that exist, ordered by id."""
        return await self._repository.get_many(product_ids)

    async def page(self, wanted: PageRequest[str]) -> ListPage[Product, str]:
        """Return a page of products, ordered by id."""
        products = await self._repository.page(after=wanted.after or "", limit=wanted.limit + 1)
        return ListPage.cut(products, wanted.limit, lambda product: product.product_id)

    async def catalogue(self, wanted: PageRequest[str]) -> ListPage[Description, str]:
        """Return a page of the descriptions of products, ordered by id."""
        found = await self._repository.catalogue(after=wanted.after or "", limit=wanted.limit + 1)
        return ListPage.cut(found, wanted.limit, lambda each: each.product_id)

    async def add_product(self, product_id: str, stock: int) -> Product:
        """Add a product."""
        product = await self._repository.add(product_id, stock)
        logger.info("product added", extra={"productId": product_id, "stock": stock})
        return product

    async def change_stock(self, product_id: str, stock: int, version: int | None) -> Product:
        """Set the stock of a product that has *version*; None is any version."""
        product = await self._repository.change(product_id, stock, version)
        logger.info("stock set", extra={"productId": product_id, "stock": stock, "version": product.version})
        return product

    async def remove_product(self, product_id: str, version: int | None) -> None:
        """Remove a product that has *version*; None is any version."""
        await self._repository.remove(product_id, version)
        logger.info("product removed", extra={"productId": product_id})

    async def take_stock(
        self, operation_id: str, items: Sequence[Item], *, waits: bool = True
    ) -> tuple[StockLevel, ...]:
        """Take all *items* or none, once for each operation id; a repeat gets the first answer.

        Raises:
            BusyError: as `StockRepository.take`.
            ShortStockError, ProductNotFoundError, OperationReleasedError, OperationReusedError: as `require_taken`.
        """
        outcome = await self._repository.take(operation_id, items, waits=waits)
        name = type(outcome).__name__.lower()
        self._operations.labels(name).inc()
        logger.info("stock operation", extra={"operationId": operation_id, "outcome": name})
        return require_taken(operation_id, items, outcome)

    async def release_stock(self, operation_id: str) -> tuple[Item, ...]:
        """Release an operation: return to the stock what it took, or prevent it from taking anything later."""
        released = await self._repository.release(operation_id)
        self._operations.labels("given_back").inc()
        logger.info("stock released", extra={"operationId": operation_id, "items": len(released)})
        return released

    async def forget(self, operation_ids: Sequence[str]) -> int:
        """Delete operations that are never asked for again; return how many there were."""
        forgotten = await self._repository.forget(operation_ids)
        logger.info("stock operations forgotten", extra={"operations": forgotten})
        return forgotten

    async def operations(self, prefix: str, limit: int) -> list[StockOperation]:
        """Return the first *limit* operations whose ids begin with *prefix*, by id."""
        return await self._repository.operations(prefix, limit)
