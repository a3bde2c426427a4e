"""The use cases of the inventory."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from service_common.observability import Metrics
from service_common.paging import ListPage, PageRequest

from .domain import Given, Level, Product, StockLine, require_taken
from .ports import StockRepository

__all__ = ["InventoryService"]

logger = logging.getLogger(__name__)


class InventoryService:
    """Keeps the stock: what is there, what is put in, what operations take and give back."""

    def __init__(self, repository: StockRepository, metrics: Metrics) -> None:
        self._repository = repository
        self._operations = metrics.counter("stock_operations_total", "Stock operations by outcome.", ("outcome",))

    async def product(self, product_id: str) -> Product:
        """Return one product.

        Raises:
            ProductNotFoundError: there is none of that id.
        """
        return await self._repository.get(product_id)

    async def products(self, product_ids: Sequence[str]) -> list[Product]:
        """Return those that exist, ordered by id."""
        return await self._repository.get_many(product_ids)

    async def page(self, wanted: PageRequest[str]) -> ListPage[Product, str]:
        """Return products, ordered by id."""
        products = await self._repository.page(after=wanted.after or "", limit=wanted.limit + 1)
        return ListPage.cut(products, wanted.limit, lambda product: product.product_id)

    async def add_product(self, product_id: str, stock: int) -> Product:
        """Put a product in.

        Raises:
            ProductExistsError: there is one of that id.
        """
        product = await self._repository.add(product_id, stock)
        logger.info("product added", extra={"productId": product_id, "stock": stock})
        return product

    async def change_stock(self, product_id: str, stock: int, version: int | None) -> Product:
        """Set the stock of a product that is at *version*; None is any version.

        Raises:
            ProductNotFoundError: there is none of that id.
            VersionLostError: it has another version.
        """
        product = await self._repository.change(product_id, stock, version)
        logger.info("stock set", extra={"productId": product_id, "stock": stock, "version": product.version})
        return product

    async def remove_product(self, product_id: str, version: int | None) -> None:
        """Take a product out.

        Raises:
            ProductNotFoundError: there is none of that id.
            VersionLostError: it has another version.
        """
        await self._repository.remove(product_id, version)
        logger.info("product removed", extra={"productId": product_id})

    async def take_stock(self, operation_id: str, lines: Sequence[StockLine]) -> tuple[Level, ...]:
        """Take all *lines* or none, once for each operation id; a repeat gets the first answer.

        Raises:
            ShortStockError: there is too little of some products.
            ProductNotFoundError: some products do not exist.
            OperationReleasedError: the operation was released before.
            OperationReusedError: the id stands for other lines.
        """
        outcome = await self._repository.take(operation_id, lines)
        name = type(outcome).__name__.lower()
        self._operations.labels(name).inc()
        logger.info("stock operation", extra={"operationId": operation_id, "outcome": name})
        return require_taken(operation_id, lines, outcome)

    async def release_stock(self, operation_id: str) -> Given:
        """Give back what an operation took, if it did, and keep it from taking anything later."""
        given = await self._repository.release(operation_id)
        self._operations.labels("given_back").inc()
        logger.info("stock given back", extra={"operationId": operation_id, "lines": len(given.lines)})
        return given
