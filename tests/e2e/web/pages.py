"""The pages as a user finds their way in them: by role and by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Locator, Page, expect

__all__ = ["MEASURED", "Live", "Order", "Shop", "go", "header_status", "incidents"]

PROTOCOLS = {"sse": "SSE", "ws": "WebSocket"}

# a step of the timeline, and a latency
TOOK = re.compile(r", ([\d.]+) (m?s)$")
MEASURED = re.compile(r"\d m?s$")
# of the feed, at first
ROWS = 100
ORDER = re.compile(r"/orders/(\d+)$")
BARS = """rows => rows.map((row) => {
  const { x, width } = row.querySelector('.bar').getBoundingClientRect();
  return { name: row.dataset.step, x, width, times: row.querySelector('.times').innerText };
})"""


async def go(page: Page, name: str) -> None:
    """Follow a link of the header: the page stays the same document, and so does its feed."""
    await page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
    await expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def header_status(page: Page) -> Locator:
    """Return what the header says of the connection."""
    return page.get_by_role("banner").get_by_role("status")


def incidents(page: Page, said: str | re.Pattern[str] = "") -> Locator:
    """Return all that operations tells of what is over; its first lines name three, of whatever a busy machine did."""
    return page.get_by_role("region", name="Incidents").get_by_role("listitem").filter(has_text=said)


class Shop:
    """Products on the left, the basket on the right."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.products = page.get_by_role("region", name="Products")
        self.basket = page.get_by_role("region", name="Basket")
        self.order_button = self.basket.get_by_role("button", name="Place order")

    async def open(self) -> None:
        """Come in from outside."""
        await self.page.goto("/")

    async def take(self, product_id: str, quantity: int = 1) -> None:
        """Put a product into the basket."""
        search = self.page.get_by_role("searchbox", name="Find a product")
        await search.fill(product_id)
        await self.card(product_id).get_by_role("button", name="Add to basket").click()
        if quantity > 1:
            field = self.line(product_id).get_by_role("spinbutton", name="Quantity of")
            await field.fill(str(quantity))
            await field.press("Tab")

    def card(self, product_id: str) -> Locator:
        """Return what the shop shows of a product."""
        return self.products.locator(f'[data-product="{product_id}"]')

    def line(self, product_id: str) -> Locator:
        """Return what the basket has of a product."""
        return self.basket.locator(f'[data-product="{product_id}"]')

    async def order(self) -> int:
        """Place the order, and return its number once the page shows it."""
        await self.order_button.click()
        return await self.ordered()

    async def ordered(self) -> int:
        """Wait for the page of the order that was placed."""
        await expect(self.page).to_have_url(ORDER)
        number = ORDER.search(self.page.url)
        assert number is not None
        return int(number[1])


class Live:
    """How the feed comes, and what came."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.rows = page.get_by_test_id("notification")

    async def open(self) -> None:
        """Come in from outside, and wait for the page, whose code is loaded beside the connection."""
        await self.page.goto("/live")
        await expect(self.page.get_by_test_id("feed-state")).to_have_text("Live")
        await self.is_live()

    async def is_live(self, protocol: str = "") -> None:
        """Wait until news come, over *protocol*."""
        await expect(header_status(self.page)).to_contain_text(f"Live, over {PROTOCOLS.get(protocol, '')}")

    async def use(self, protocol: str) -> None:
        """Switch to a protocol and wait until it is the one that news come over."""
        await self.page.get_by_role("radio", name=PROTOCOLS[protocol]).check()
        await self.is_live(protocol)

    async def show(self, number: int) -> None:
        """Have the page show so many rows: it shows a hundred, and a hundred more each time."""
        for _ in range(ROWS, number, ROWS):
            await self.page.get_by_role("button", name="Show older notifications").click()

    def row(self, order: int, status: str) -> Locator:
        """Return what was told of an order."""
        return self.rows.filter(has=self.page.get_by_role("link", name=f"Order {order}", exact=True)).filter(
            has_text=status
        )

    async def told(self) -> list[str]:
        """Return the ids of what is shown, the oldest first."""
        ids: list[str] = await self.rows.evaluate_all("rows => rows.map(row => row.dataset.eventId)")
        return ids[::-1]

    async def shown(self) -> list[str]:
        """Return the ids of what is shown, of what was heard and of the history, the newest first."""
        rows = self.page.locator("[data-event-id]")
        ids: list[str] = await rows.evaluate_all("rows => rows.map(row => row.dataset.eventId)")
        return ids

    async def count(self, name: str) -> int:
        """Return a counter of the connection."""
        return int(await self.page.get_by_test_id(f"count-{name}").inner_text())


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the timeline, in pixels, and how long its row says that the step took: 0 when it is a moment."""

    x: float
    width: float
    took_s: float

    @property
    def end(self) -> float:
        return self.x + self.width


def _seconds(times: str) -> float:
    found = TOOK.search(times)
    return float(found[1]) * (0.001 if found[2] == "ms" else 1) if found else 0.0


class Order:
    """One order and its way."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.status = page.locator("app-order-page app-status-badge")
        self.hops = page.locator("li[data-hop]")
        self.attempts = page.locator('li[data-step*="-attempt-"]')

    async def open(self, order: int) -> None:
        """Come in from outside."""
        await self.page.goto(f"/orders/{order}")

    def hop(self, name: str) -> Locator:
        """Return one arrow of the diagram."""
        return self.page.locator(f'li[data-hop="{name}"]')

    async def edit(self) -> None:
        """Open what changes and cancels the order."""
        await self.page.locator("app-order-editor summary").click()

    def step(self, name: str) -> Locator:
        """Return one row of the timeline."""
        return self.page.locator(f'li[data-step="{name}"]')

    async def bars(self, *awaited: str) -> dict[str, Bar]:
        """Return the bars of the timeline at one moment, those *awaited* among them.

        Its scale changes with each step that goes on, and a step has its bar when it is known when it began.
        """
        for name in awaited:
            await expect(self.step(name).locator(".bar")).to_be_attached()
        found: list[dict[str, Any]] = await self.page.locator("li[data-step]:has(.bar)").evaluate_all(BARS)
        return {each["name"]: Bar(each["x"], each["width"], _seconds(each["times"])) for each in found}

    async def is_told(self, status: str) -> None:
        """Wait for a status."""
        await expect(self.status).to_have_text(status)
