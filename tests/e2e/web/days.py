"""What happens in a shop: orders that end well, orders that do not, and orders that keep coming."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.processes import frozen
from tests.support.system import System
from tests.support.waiting import eventually

__all__ = ["at_rest", "busy_day", "fail_one", "history", "ordering"]

# what a killed service had in hand comes back when it is visible again
AT_REST_WITHIN_S = 90.0

# customers, and no load
PAUSE_S = 0.4


async def fail_one(system: System, product_id: str) -> tuple[int, int]:
    """Sell the last of a product twice; return the order that gets it and the one that fails."""
    await system.product(product_id, stock=1)
    with frozen(system, "processing-service"):
        orders = [(await system.place({product_id: 1})).json["id"] for _ in range(2)]
    ended = [await system.ended(order) for order in orders]
    by_status = {order["status"]: int(order["id"]) for order in ended}
    return by_status["CLOSED"], by_status["FAILED"]


async def busy_day(system: System) -> int:
    """Place some orders, have one fail and one cancelled, and return one that ended well."""
    placed = [
        (await system.place(items)).json["id"]
        for items in ({"coffee-mug": 2, "coffee-beans": 1}, {"notebook": 3}, {"monitor": 1})
    ]
    for order in placed:
        await system.ended(order)
    await fail_one(system, "signed-print")
    with frozen(system, "processing-service"):
        regretted = (await system.place({"desk-lamp": 1})).json["id"]
        await system.call("order", "DELETE", f"/orders/{regretted}")
    await at_rest(system)
    return int(placed[0])


async def at_rest(system: System) -> None:
    """Wait until each end of an order was told and no saga is open: what is told or sold later is of later orders."""

    async def look() -> bool | None:
        placed = system.rows("orders", "SELECT id FROM orders")
        ended = system.rows("notifications", "SELECT order_id FROM notification WHERE slot = -1")
        open_sagas = system.rows("processing", "SELECT 1 FROM saga WHERE next_run_at IS NOT NULL LIMIT 1")
        return (set(placed) <= set(ended) and not open_sagas) or None

    await eventually(look, "the end of every order told", AT_REST_WITHIN_S)


async def history(system: System, after: str) -> list[dict[str, Any]]:
    """Return everything that was told after a place in the feed, the oldest first."""
    told: list[dict[str, Any]] = []
    page: dict[str, Any] = {"next": after}
    while page["next"]:
        query = f"?limit=200&after={page['next']}"
        page = (await system.call("notification", "GET", f"/notifications{query}")).json
        told += page["notifications"]
    return told


@asynccontextmanager
async def ordering(system: System, product_id: str) -> AsyncIterator[list[int]]:
    """Have orders placed one after the other while the block runs, and end before it is left."""
    orders: list[int] = []
    enough = asyncio.Event()

    async def place() -> None:
        while not enough.is_set():
            orders.append((await system.place({product_id: 1})).json["id"])
            await asyncio.wait([asyncio.create_task(enough.wait())], timeout=PAUSE_S)

    customer = asyncio.create_task(place())
    try:
        yield orders
    finally:
        enough.set()
        await customer
    for order in orders:
        await system.ended(order)
