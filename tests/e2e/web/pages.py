"""The pages as a user finds their way in them: by role and by name."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

__all__ = ["Shop", "go", "header_status"]

ORDER = re.compile(r"/orders/(\d+)$")


async def go(page: Page, name: str) -> None:
    """Follow a link of the header: the page stays the same document, and so does its feed."""
    await page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
    await expect(page.get_by_role("heading", level=1)).to_be_visible()


def header_status(page: Page) -> Locator:
    """Return what the header says of the connection."""
    return page.get_by_role("banner").get_by_role("status")


class Shop:
    """Products on the left, the basket on the right."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.basket = page.get_by_role("region", name="Basket")
        self.order_button = self.basket.get_by_role("button", name="Place order")

    async def open(self) -> None:
        """Come in from outside."""
        await self.page.goto("/")

    async def take(self, product_id: str, quantity: int = 1) -> None:
        """Put a product into the basket."""
        search = self.page.get_by_role("searchbox", name="Find a product")
        await search.fill(product_id)
        await self.page.get_by_role("button", name=f"Add to basket {product_id}", exact=True).click()
        if quantity > 1:
            field = self.basket.get_by_role("spinbutton", name=f"Quantity of {product_id}")
            await field.fill(str(quantity))
            await field.press("Tab")

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
