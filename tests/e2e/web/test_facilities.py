"""What a browser denies, lacks or fails at: the page works without it, and says what that means."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.e2e.web.connections import connected
from tests.e2e.web.pages import MEASURED, Live, Order, Shop, go
from tests.e2e.web.tabs import PATIENCE_MS, Tabs
from tests.support.browser import FLAGS, whole_chromium
from tests.support.system import System

pytestmark = pytest.mark.asyncio(loop_scope="session")

BLOCK_SITE_DATA = {"profile": {"default_content_setting_values": {"cookies": 2}}}
# before the scripts of the page
FILL = """
for (const storage of location.protocol === 'http:' ? [localStorage, sessionStorage] : []) {
  for (let size = 1 << 22; size >= 1; size >>= 1) {
    try {
      for (let part = 0; part < 8; part++) storage.setItem(`full-${size}-${part}`, 'x'.repeat(size));
    } catch {}
  }
}
"""
LASTS_AS_LONG_AS = "the basket lasts as long as this tab shows it"


@asynccontextmanager
async def blocking(browser: Browser, folder: Path, url: str) -> AsyncIterator[Tabs]:
    """Be a user who has blocked all site data; what goes wrong in a tab fails the block."""
    executable = whole_chromium()
    if executable is None:
        pytest.skip("Chromium's shell has no setting for site data")  # Firefox has its own test of this
    preferences = folder / "Default" / "Preferences"
    preferences.parent.mkdir(parents=True)
    preferences.write_text(json.dumps(BLOCK_SITE_DATA))
    context = await browser.browser_type.launch_persistent_context(
        folder, executable_path=executable, args=FLAGS, base_url=url
    )
    context.set_default_timeout(PATIENCE_MS)
    tabs = Tabs(context)
    try:
        yield tabs
    finally:
        await context.close()
    assert not tabs.faults, tabs.faults


async def order_everything_twice(system: System, page: Page, product: str) -> None:
    """Buy a thing, see the order to its end, and buy it again."""
    shop = Shop(page)
    for _ in range(2):
        await shop.take(product)
        await expect(shop.basket).to_contain_text(LASTS_AS_LONG_AS)
        order = await shop.order()
        await Order(page).is_told("Closed")
        assert (await system.ended(order))["status"] == "CLOSED"
        await go(page, "Shop")


async def test_blocked_site_data_leave_a_page_that_works(system: System, browser: Browser, tmp_path: Path) -> None:
    product = await system.product("without-storage", stock=10)
    async with blocking(browser, tmp_path, system.stack.url("web")) as tabs:
        page = await tabs.new("/")
        assert await page.evaluate("() => { try { return !localStorage; } catch { return true; } }")
        await page.get_by_role("combobox", name="Colours").select_option("dark")
        await order_everything_twice(system, page, product)
        live = Live(page)
        await go(page, "Live feed")
        await live.is_live("ws")
        await expect(page.get_by_test_id("feed-leader")).to_contain_text("keeps tabs from sharing")
        await page.get_by_role("button", name="SSE and WebSocket side by side").click()
        await expect(page.get_by_text("keeps tabs from sharing").last).to_be_visible()


async def test_full_storage_costs_no_order_and_is_said(system: System, tabs: Tabs) -> None:
    product = await system.product("full-storage", stock=10)
    await tabs.context.add_init_script(FILL)
    page = await tabs.new("/")
    await page.get_by_role("combobox", name="Colours").select_option("dark")
    await order_everything_twice(system, page, product)
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_configuration_away_is_said_and_tried_again(tabs: Tabs) -> None:
    asked = 0

    async def answer(route: Route) -> None:
        nonlocal asked
        asked += 1
        await (route.continue_() if asked > 2 else route.fulfill(status=503))

    await tabs.context.route("**/config.json", answer)
    page = await tabs.new("/orders")
    await expect(page.get_by_role("alert")).to_contain_text("The configuration of this page can")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Orders")
    assert asked > 1


async def test_six_tabs_that_compare_share_their_connections(system: System, tabs: Tabs) -> None:
    for _ in range(6):
        page = await tabs.new("/live")
        await page.get_by_role("button", name="SSE and WebSocket side by side").click()
        await expect(page.get_by_text("All tabs that compare share the two connections.")).to_be_visible()
    await connected(system, sse=2, ws=1)
    product = await system.product("seen-by-six", stock=10)
    order = (await system.place({product: 1})).json["id"]
    for page in tabs.context.pages:
        closed = page.get_by_role("row", name=f"Order {order}").filter(has_text="Closed")
        for column in (0, 1):
            await expect(closed.get_by_role("cell").nth(column)).to_have_text(MEASURED)
    shop = Shop(await tabs.new("/"))
    await shop.take(product)
    await shop.order()
