"""Orders are found by what somebody knows of them: on the list, and from every page."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.support.system import System

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_filters_are_in_the_url_and_survive_a_reload(system: System, page: Page) -> None:
    product = await system.product("sought-after", stock=10)
    orders = [(await system.place({product: 1})).json["id"] for _ in range(2)]
    await system.place({"notebook": 1})
    await page.goto("/orders")
    form = page.get_by_role("search", name="Find orders")
    await form.get_by_label("Product").fill(product)
    await form.get_by_label("Product").press("Enter")
    await expect(page).to_have_url(re.compile(rf"/orders\?product={product}$"))
    for _ in range(2):
        links = page.locator("tbody th a")
        await expect(links).to_have_text([f"Order {order}" for order in reversed(orders)])
        await expect(form.get_by_label("Product")).to_have_value(product)
        await page.reload()
    await form.get_by_label("Status").select_option("Failed")
    await expect(page.get_by_text("No order matches.")).to_be_visible()
    await expect(page).to_have_url(re.compile(r"status=FAILED"))
    await page.get_by_role("button", name="Show all orders").click()
    await expect(page.locator("tbody tr").nth(2)).to_be_visible()


async def test_wrong_filter_is_named_and_lists_nothing(page: Page) -> None:
    await page.goto("/orders?trace=nonsense&status=NONSENSE&state=CLOSED")
    await expect(page.get_by_text("A trace id has 32 hexadecimal digits.")).to_be_visible()
    await expect(page.get_by_role("button", name="Find", exact=True)).to_be_disabled()
    named = "Not understood: Status “NONSENSE”, Trace id “nonsense”, state. Nothing is listed."
    await expect(page.get_by_role("alert")).to_contain_text(named)
    await expect(page.locator("tbody")).to_have_count(0)
    await page.get_by_role("button", name="Show all orders").click()
    await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(page).to_have_url(re.compile(r"/orders$"))


async def test_box_in_the_header_leads_to_an_order_from_every_page(system: System, page: Page) -> None:
    product = await system.product("jumped-to", stock=10)
    placed = await system.place({product: 1})
    order, trace = placed.json["id"], placed.headers["traceparent"]
    await system.ended(order)
    await page.goto("/live")
    box = page.get_by_role("searchbox", name="Go to an order")
    await box.fill(str(order))
    await box.press("Enter")
    await expect(page.get_by_role("heading", level=1, name=f"Order {order}")).to_be_visible()
    for typed in (trace, "jumped-to"):
        await box.fill(typed)
        await box.press("Enter")
        await expect(page.locator("tbody th a")).to_have_text([f"Order {order}"])
