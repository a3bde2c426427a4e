"""The products of the demo, and what the shop shows of them."""

from __future__ import annotations

import logging

from .domain import Description
from .ports import StockRepository

__all__ = ["DEMO_CATALOGUE", "DEMO_PRODUCTS", "seed_demo_products"]

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


_CURRENCY = "EUR"
DEMO_CATALOGUE: tuple[Description, ...] = tuple(
    Description(product_id, name, description, price_minor, _CURRENCY, picture)
    for product_id, name, description, price_minor, picture in (
        ("123", "Pencil", "Graphite, grade HB, in cedar wood.", 120, "pencil"),
        ("124", "Fountain pen", "A steel nib and a converter for ink from the bottle.", 3_490, "fountain-pen"),
        ("125", "Ink, 50 ml", "Blue-black, in a glass bottle.", 950, "ink"),
        ("coffee-beans", "Coffee beans, 500 g", "Arabica from the highlands, roasted slowly.", 1_450, "coffee-beans"),
        ("coffee-mug", "Coffee mug", "Stoneware, 300 ml, fit for the dishwasher.", 1_290, "coffee-mug"),
        ("desk-lamp", "Desk lamp", "Warm light, with an arm that stays where it is put.", 4_900, "desk-lamp"),
        ("headphones", "Headphones", "Closed, with a cable of three metres.", 8_900, "headphones"),
        ("keyboard", "Keyboard", "Mechanical, with quiet switches.", 11_900, "keyboard"),
        ("last-one", "Snow globe", "There is one left.", 1_990, "snow-globe"),
        ("monitor", "Monitor, 27 inch", "2,560 by 1,440 pixels, matt.", 29_900, "monitor"),
        ("notebook", "Notebook, A5", "Dotted, 192 pages of 100 g paper.", 1_690, "notebook"),
        ("sold-out", "Sold-out poster", "It was popular.", 2_500, "poster"),
    )
)


async def seed_demo_products(repository: StockRepository) -> None:
    """Add the demo products once, with their descriptions; a product that is removed later stays removed."""
    inserted = await repository.seed("demo", DEMO_PRODUCTS)
    await repository.describe(DEMO_CATALOGUE)
    if inserted:
        logger.info("demo products added", extra={"products": inserted})
