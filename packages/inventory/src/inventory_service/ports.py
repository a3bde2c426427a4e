"""The port of the use cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from order_contracts import Item

from .domain import Description, Product, StockOperation, TakeOutcome

__all__ = ["StockRepository"]


class StockRepository(Protocol):
    """Stores products and stock operations. Each method is one transaction; callers validate the ids."""

    async def get(self, product_id: str) -> Product:
        """Return one product.

        Raises:
            ProductNotFoundError: the product does not exist.
        """
        ...

    async def get_many(self, product_ids: Sequence[str]) -> list[Product]:
        """Return those of *product_ids* that exist, ordered by id."""
        ...

    async def page(self, *, after: str, limit: int) -> list[Product]:
        """Return the first *limit* products whose id is greater than *after*, ordered by id (as bytes)."""
        ...

    async def add(self, product_id: str, stock: int) -> Product:
        """Add a product.

        Raises:
            ProductExistsError: the product exists.
        """
        ...

    async def change(self, product_id: str, stock: int, version: int | None) -> Product:
        """Set the stock of a product that has *version*; None is any version.

        Raises:
            ProductNotFoundError: the product does not exist.
            StaleProductError: the product has another version.
        """
        ...

    async def remove(self, product_id: str, version: int | None) -> None:
        """Remove a product that has *version*; None is any version.

        Raises:
            ProductNotFoundError: the product does not exist.
            StaleProductError: the product has another version.
        """
        ...

    async def take(self, operation_id: str, items: Sequence[Item], *, waits: bool = True) -> TakeOutcome:
        """Take all *items*, of different products, or none, and store the outcome; a repeat gets the stored outcome.

        Raises:
            BusyError: another transaction holds a product, for long or, unless it *waits*, at all.
        """
        ...

    async def release(self, operation_id: str) -> tuple[Item, ...]:
        """Release an operation, once: return to the stock what it took, or prevent it from taking anything later.

        Returns:
            What it took, ordered by product id; the same for a repeat.
        """
        ...

    async def forget(self, operation_ids: Sequence[str]) -> int:
        """Delete operations that are never asked for again; return how many there were."""
        ...

    async def seed(self, name: str, products: Sequence[tuple[str, int]]) -> int:
        """Add those of *products* (id, stock) that do not exist, once for each *name*; return their number."""
        ...

    async def catalogue(self, *, after: str, limit: int) -> list[Description]:
        """Return the first *limit* descriptions of products that exist, as `page`."""
        ...

    async def describe(self, descriptions: Sequence[Description]) -> int:
        """Store the descriptions of products that have none; return their number."""
        ...

    async def operations(self, prefix: str, limit: int) -> list[StockOperation]:
        """Return the first *limit* operations whose ids begin with *prefix*, by id."""
        ...
