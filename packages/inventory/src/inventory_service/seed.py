"""The products of the demo."""

from __future__ import annotations

import logging

from .ports import StockRepository

__all__ = ["DEMO_PRODUCTS", "seed_demo_products"]

logger = logging.getLogger(__name__)

DEMO_PRODUCTS: tuple[tuple[str, int], ...] = (
    ("123", 10_000),
    ("124", 5_000),
    ("125", 2_500),
    ("coffee-beans", 1_200),
    ("coffee-mug", 800),
    ("desk-lamp", 150),
    ("headphones", 60),
    ("keyboard", 40),
    ("last-one", 1),
    ("monitor", 25),
    ("notebook", 400),
    ("sold-out", 0),
)


async def seed_demo_products(repository: StockRepository) -> None:
    """Add the demo products once; a product that is removed later stays removed."""
    inserted = await repository.seed("demo", DEMO_PRODUCTS)
    if inserted:
        logger.info("demo products added", extra={"products": inserted})
