"""What the use cases need from the outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .domain import Given, Product, StockLine, TakeOutcome

__all__ = ["StockRepository"]


class StockRepository(Protocol):
    """The stock and its operations. Each method is one transaction; ids have been validated by the caller."""

    async def get(self, product_id: str) -> Product:
        """Return one product.

        Raises:
            ProductNotFoundError: there is none of that id.
        """
        ...

    async def get_many(self, product_ids: Sequence[str]) -> list[Product]:
        """Return those of *product_ids* that exist, ordered by id."""
        ...

    async def page(self, *, after: str, limit: int) -> list[Product]:
        """Return the first *limit* products whose id is greater than *after*, ordered by id (as bytes)."""
        ...

    async def add(self, product_id: str, stock: int) -> Product:
        """Put a product in.

        Raises:
            ProductExistsError: there is one of that id.
        """
        ...

    async def change(self, product_id: str, stock: int, version: int | None) -> Product:
        """Set the stock of the product if it is at *version*; None is any version.

        Raises:
            ProductNotFoundError: there is none of that id.
            VersionLostError: it has another version.
        """
        ...

    async def remove(self, product_id: str, version: int | None) -> None:
        """Take the product out if it is at *version*; None is any version.

        Raises:
            ProductNotFoundError: there is none of that id.
            VersionLostError: it has another version.
        """
        ...

    async def take(self, operation_id: str, lines: Sequence[StockLine]) -> TakeOutcome:
        """Take all *lines* or none, once, and store the outcome; a repeat gets the stored one.

        Lines have distinct products, in any order.
        """
        ...

    async def release(self, operation_id: str) -> Given:
        """Give back, once, what the operation took, and see to it that it takes nothing from now on."""
        ...

    async def seed(self, name: str, products: Sequence[tuple[str, int]]) -> int:
        """Put in those of *products* (id, stock) that are not there, once for each *name*; return how many."""
        ...
