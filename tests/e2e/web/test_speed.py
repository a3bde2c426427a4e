"""The page stays responsive under load, measured in the CPU time of its own thread: other processes don't count."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
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
SECONDS = 5
ORDERS_A_SECOND = 10
LONG_TASK_MS = 100
ASKED = """name => performance.getEntriesByType('resource').filter(each => each.name.includes(`/${name}`))
  .map(({ startTime, responseEnd }) => ({ startTime, responseEnd }))"""
CATEGORIES = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"]


def order(number: int) -> dict[str, Any]:
    """Return an order as the service lists it."""
    items = [{"id": each, "productId": f"product-{each}", "quantity": each} for each in range(1, 4)]
    at = "2026-11-22T10:00:00.123456Z"
    facts = {"version": 1, "status": "CLOSED", "createdAt": at, "updatedAt": at, "failureReason": None}
    return {"id": number, **facts, "customerId": "anonymous", "orderItems": items}


def longest_task_ms(trace: bytes) -> float:
    """Return the CPU time of the longest task of a page's main thread."""
    events: list[dict[str, Any]] = orjson.loads(trace)["traceEvents"]
    mains = {
        (each["pid"], each["tid"])
        for each in events
        if each["name"] == "thread_name" and each["args"]["name"] == "CrRendererMain"
    }
    tasks: list[float] = [
        each["tdur"] / 1000
        for each in events
        if each["name"].endswith("RunTask") and "tdur" in each and (each["pid"], each["tid"]) in mains
    ]
    assert tasks, "nothing was traced"
    return max(tasks)


async def test_list_of_650_orders_has_no_long_task_while_orders_come(
    system: System, browser: Browser, page: Page
) -> None:
    product = await system.product("sold-fast", stock=1000)
    newest = ROWS

    async def listed(route: Route) -> None:
        nonlocal newest
        query = route.request.url.partition("?")[2]
        after = next((int(each[6:]) for each in query.split("&") if each.startswith("after=")), None)
        if after is None:
            newest += ORDERS_A_SECOND
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
    await browser.start_tracing(page=page, categories=CATEGORIES)
    for _ in range(SECONDS):
        orders = [system.place({product: 1}) for _ in range(ORDERS_A_SECOND)]
        await asyncio.gather(*orders, asyncio.sleep(1))
    longest = longest_task_ms(await browser.stop_tracing())
    assert newest > ROWS + 2 * ORDERS_A_SECOND, "nothing was read meanwhile"
    assert longest <= LONG_TASK_MS


async def test_configuration_is_asked_for_once_and_before_the_scripts_are_there(
    recorded_pages: Recorded, browser: Browser
) -> None:
    async with visiting(browser, recorded_pages.url) as tabs:
        page = await tabs.new("/orders")
        await settled(page)
        found = [await page.evaluate(ASKED, name) for name in ("config.json", "main-")]
    [asked], [scripts] = found
    assert asked["startTime"] < scripts["responseEnd"]
