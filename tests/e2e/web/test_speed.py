"""The page does no work twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.e2e.web.looks import settled
from tests.e2e.web.pages import header_status
from tests.e2e.web.recorded import Recorded
from tests.e2e.web.tabs import visiting
from tests.support.system import System

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROWS = 650
PAGE = 50
READS = 3
ORDERS_A_READ = 10
ASKED = """name => performance.getEntriesByType('resource').filter(each => each.name.includes(`/${name}`))
  .map(({ startTime, responseEnd }) => ({ startTime, responseEnd }))"""
# the changes of the rows that are there now, how many of these are gone, and how many are new
WATCH = """body => {
  const rows = [...body.rows]
  const changes = []
  const note = found => changes.push(...found.filter(({ target }) => rows.some(row => row.contains(target))))
  new MutationObserver(note).observe(body, { attributes: true, characterData: true, childList: true, subtree: true })
  const without = (some, others) => some.filter(row => !others.includes(row)).length
  window.watched = () => [changes.length, without(rows, [...body.rows]), without([...body.rows], rows)]
}"""


def order(number: int) -> dict[str, Any]:
    """Return an order as the service lists it."""
    items = [{"id": each, "productId": f"product-{each}", "quantity": each} for each in range(1, 4)]
    at = "2026-11-22T10:00:00.123456Z"
    facts = {"version": 1, "status": "CLOSED", "createdAt": at, "updatedAt": at, "failureReason": None}
    return {"id": number, **facts, "customerId": "anonymous", "orderItems": items}


async def test_rows_of_a_long_list_are_left_alone_while_orders_come(system: System, page: Page) -> None:
    product = await system.product("sold-fast", stock=1000)
    newest = ROWS

    async def listed(route: Route) -> None:
        nonlocal newest
        query = route.request.url.partition("?")[2]
        after = next((int(each[6:]) for each in query.split("&") if each.startswith("after=")), None)
        if after is None:
            newest += ORDERS_A_READ
            after = newest + 1
        orders = [order(number) for number in range(after - 1, max(0, after - 1 - PAGE), -1)]
        await route.fulfill(json={"orders": orders, "next": orders[-1]["id"] if orders[-1]["id"] > 1 else None})

    await page.route("**/orders?*", listed)
    await page.goto("/orders")
    await expect(header_status(page)).to_contain_text("Live")
    for shown in range(PAGE, ROWS, PAGE):
        await expect(page.locator("tbody tr").nth(shown - 1)).to_be_attached()
        await page.get_by_role("button", name="Show older orders").click()
    await expect(page.locator("tbody tr").nth(ROWS - 1)).to_be_attached()
    await page.locator("tbody").evaluate(WATCH)
    began = newest
    for _ in range(READS):
        read = newest
        await asyncio.gather(*(system.place({product: 1}) for _ in range(ORDERS_A_READ)))
        await expect(page.get_by_role("link", name=f"Order {read + ORDERS_A_READ}", exact=True).first).to_be_attached()
    changes, gone, new = await page.evaluate("watched()")
    assert changes == 0
    # the list keeps its length: the oldest make room
    assert READS * ORDERS_A_READ <= gone == new <= newest - began + ORDERS_A_READ


async def test_configuration_is_asked_for_once_and_before_the_scripts_are_there(
    recorded_pages: Recorded, browser: Browser
) -> None:
    async with visiting(browser, recorded_pages.url) as tabs:
        page = await tabs.new("/orders")
        await settled(page)
        found = [await page.evaluate(ASKED, name) for name in ("config.json", "main-")]
    [asked], [scripts] = found
    assert asked["startTime"] < scripts["responseEnd"]
