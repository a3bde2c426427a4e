"""What the page says of the feed is so: it knows soon when nothing comes any more, and why."""

from __future__ import annotations

import asyncio
import re
import time

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.web.days import at_rest, history
from tests.e2e.web.pages import Live, Order, go, header_status
from tests.e2e.web.tabs import Tabs, visiting
from tests.support.processes import frozen
from tests.support.system import System
from tests.support.watcher import head_of_feed

pytestmark = pytest.mark.asyncio(loop_scope="session")

# from the last answer of the leader; the machine may be busy
TAKEN_OVER_WITHIN_MS = 9_000
KNOWN_WITHIN_MS = 15_000


@pytest.mark.parametrize("protocol", ["sse", "ws"])
async def test_frozen_service_is_known_within_15_s(system: System, page: Page, protocol: str) -> None:
    live = Live(page)
    await live.open()
    await live.use(protocol)
    with frozen(system, "notification-service"):
        began = time.monotonic()
        await expect(page.get_by_test_id("feed-state")).to_have_text("Reconnecting", timeout=KNOWN_WITHIN_MS)
        known_s = time.monotonic() - began
        await expect(page.get_by_role("banner")).to_contain_text("last heard")
        await expect(header_status(page)).to_contain_text("Reconnecting")
    await live.is_live(protocol)
    await expect(page.get_by_role("banner")).not_to_contain_text("last heard")
    assert known_s < KNOWN_WITHIN_MS / 1000


async def test_frozen_database_is_known_within_15_s(system: System, page: Page, browser: Browser) -> None:
    live = Live(page)
    product = await system.product("delayed", stock=10)
    await live.open()
    since = await head_of_feed(system)
    before = (await system.place({product: 1})).json["id"]
    await expect(live.row(before, "Closed")).to_be_visible()
    async with visiting(browser, system.stack.url("web")) as others:
        with frozen(system, "postgres"):
            began = time.monotonic()
            await expect(header_status(page)).to_have_text("Delayed", timeout=KNOWN_WITHIN_MS)
            known_s = time.monotonic() - began
            await expect(page.get_by_role("banner")).to_contain_text(re.compile(r"for \d+ s"))
            await expect(page.get_by_text("none is lost")).to_be_visible()
            late = await others.new("/docs")
            await expect(header_status(late)).to_have_text("Delayed")
        for each in (live, Live(late)):
            await each.is_live()
    for service in ("inventory", "order"):  # which were without their databases too
        await system.ready(service)
    after = (await system.place({product: 1})).json["id"]
    await expect(live.row(after, "Closed")).to_be_visible()
    assert await live.told() == [each["id"] for each in await history(system, since)]
    assert known_s < KNOWN_WITHIN_MS / 1000


async def test_tab_that_hangs_is_replaced_and_follows_afterwards(system: System, tabs: Tabs) -> None:
    product = await system.product("hung", stock=100)
    first, second, third = [Live(await tabs.new()) for _ in range(3)]
    for live in (first, second, third):
        await live.open()
    await expect(first.page.get_by_test_id("feed-leader")).to_have_text("This tab holds the connection")
    since = await head_of_feed(system)
    debugger = await tabs.context.new_cdp_session(first.page)
    hangs = asyncio.Event()
    debugger.on("Debugger.paused", lambda _: hangs.set())
    await debugger.send("Debugger.enable")
    await debugger.send("Debugger.pause")  # at the next statement
    await hangs.wait()
    order = (await system.place({product: 1})).json["id"]
    for live in (second, third):
        await expect(live.row(order, "Closed")).to_be_visible(timeout=TAKEN_OVER_WITHIN_MS)
        await live.is_live()
    await debugger.send("Debugger.resume")
    await expect(first.page.get_by_test_id("feed-leader")).to_have_text("Another tab holds the connection")
    later = (await system.place({product: 1})).json["id"]
    for live in (first, second, third):
        await expect(live.row(later, "Closed")).to_be_visible()
    told = [each["id"] for each in await history(system, since)]
    for live in (first, second, third):
        assert await live.told() == told


async def test_live_page_begins_with_the_history_and_goes_on_without_a_seam(system: System, tabs: Tabs) -> None:
    product = await system.product("before-and-after", stock=100)
    since = await head_of_feed(system)
    before = [(await system.place({product: 1})).json["id"] for _ in range(3)]
    await at_rest(system)
    live = Live(await tabs.new())
    await live.open()
    recorded = live.page.get_by_test_id("recorded")
    await expect(recorded.filter(has_text=f"Order {before[-1]} ").filter(has_text="Closed")).to_be_visible()
    after = (await system.place({product: 1})).json["id"]
    await expect(live.row(after, "Closed")).to_be_visible()
    told = [each["id"] for each in await history(system, since)]
    shown = await live.shown()
    assert shown[: len(told)] == told[::-1]
    assert len(set(shown)) == len(shown)
    await live.page.get_by_role("searchbox", name="Orders").fill(f"{before[0]}")
    await expect(recorded).to_have_count(2)


async def test_order_that_was_over_before_the_page_was_opened_has_no_grey_steps(
    page: Page, order_of_today: int
) -> None:
    view = Order(page)
    await view.open(order_of_today)
    await view.is_told("Closed")
    for hop in ("CREATED-v1-push", "CLOSED-v1-push"):
        await expect(view.hop(hop)).to_contain_class("done")
        await expect(view.hop(hop)).to_contain_text("from the history")
    await expect(page.locator("li.unknown")).to_have_count(0)


async def test_fresh_order_is_no_error_in_the_console(system: System, tabs: Tabs) -> None:
    failed: list[str] = []
    tabs.context.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    page = await tabs.new("/")
    product = await system.product("no-404", stock=10)
    with frozen(system, "processing-service"):
        order = (await system.place({product: 1})).json["id"]
        await page.goto(f"/orders/{order}")
        await Order(page).is_told("Created")
    await Order(page).is_told("Closed")
    await go(page, "Orders")
    assert not failed
