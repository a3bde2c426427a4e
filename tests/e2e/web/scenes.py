"""The pages as they are worth a picture: with something in them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from playwright.async_api import Page, expect

from tests.e2e.web.pages import Live, Order, Shop
from tests.support.system import System

__all__ = ["PATHS", "SCENES", "docs", "shop"]

PATHS = {
    "shop": "/",
    "orders": "/orders",
    "order": "/orders/{order}",
    "live": "/live",
    "operations": "/operations",
    "docs": "/docs",
}


async def shop(page: Page, _: object = None) -> None:
    """Put some things into the basket."""
    shop = Shop(page)
    for product, quantity in (("coffee-mug", 2), ("notebook", 1)):
        await shop.take(product, quantity)
    search = page.get_by_role("searchbox", name="Find a product")
    await search.fill("")
    await search.blur()
    await page.mouse.move(0, 0)


async def order(page: Page, _: System) -> None:
    """Watch an order of one's own to its end."""
    shop, order = Shop(page), Order(page)
    await shop.open()
    for product, quantity in (("coffee-mug", 2), ("notebook", 1)):
        await shop.take(product, quantity)
    await shop.order()
    await order.is_told("Closed")
    await expect(order.hop("CLOSED-v1-push")).to_contain_class("done")


async def live(page: Page, system: System) -> None:
    """Have some orders come and go."""
    feed = Live(page)
    for items in ({"headphones": 1}, {"desk-lamp": 2}, {"monitor": 1, "keyboard": 1}):
        number = (await system.place(items)).json["id"]
        await expect(feed.row(number, "Closed")).to_be_visible()


async def docs(page: Page, _: object = None) -> None:
    """Open an endpoint and a stream."""
    for title in ("POST /orders", "/stream"):
        entry = page.locator("details").filter(has_text=title).first
        await entry.locator("summary").click()
    await expect(page.get_by_text("orderItems").first).to_be_visible()
    await expect(page.locator("#inventory").get_by_text("GET /inventory/{product_id}")).to_be_visible()


async def nothing(page: Page, system: System) -> None:
    """Leave the page as it is."""


SCENES: dict[str, Callable[[Page, System], Awaitable[None]]] = {
    "shop": shop,
    "orders": nothing,
    "order": order,
    "live": live,
    "operations": nothing,
    "docs": docs,
}
