"""The live feed: everything once and in order, whatever befalls the connection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import orjson
import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.e2e.web.connections import connected
from tests.e2e.web.days import at_rest, history, ordering
from tests.e2e.web.pages import MEASURED, Live, Shop, go
from tests.e2e.web.tabs import Tabs, visiting
from tests.e2e.web.wire import Wire
from tests.support.system import System
from tests.support.waiting import eventually
from tests.support.watcher import head_of_feed

pytestmark = pytest.mark.asyncio(loop_scope="session")

A_FEW = 5


@pytest.fixture
def live(page: Page) -> Live:
    """The page of the feed."""
    return Live(page)


@asynccontextmanager
async def wired(system: System, browser: Browser) -> AsyncIterator[tuple[Live, Wire]]:
    """Put a wire between the page of the feed and the notification service, when nothing is under way any more."""
    await at_rest(system)
    async with (
        Wire(system.stack.url("notification")) as wire,
        # a page may speak to the services only, not to the wire
        visiting(browser, system.stack.url("web"), bypass_csp=True) as tabs,
    ):

        async def tell_of_the_wire(route: Route) -> None:
            response = await route.fetch()
            configuration = orjson.loads(await response.body())
            await route.fulfill(response=response, json=configuration | {"notification": wire.url})

        await tabs.context.route("**/config.json", tell_of_the_wire)
        yield Live(await tabs.new()), wire


async def complete(system: System, live: Live, since: str) -> list[dict[str, Any]]:
    """Wait for the end of all orders, and check that the page shows what was told since then, and no more."""

    async def all_of_it() -> list[dict[str, Any]] | None:
        told = await history(system, since)
        begun, closed = ({each["orderId"] for each in told if each["kind"] == kind} for kind in ("CREATED", "CLOSED"))
        orders = (await system.call("order", "GET", "/orders?limit=200")).json["orders"]
        placed = {order["id"] for order in orders if begun and order["id"] >= min(begun)}
        return told if begun == closed == placed else None

    told = await eventually(all_of_it, "the last order told as closed")
    await live.show(len(told))
    await expect(live.rows).to_have_count(len(told))
    assert await live.told() == [each["id"] for each in told]
    return told


async def more(live: Live, number: int = A_FEW) -> None:
    """Wait until some more have come."""
    before = await live.count("received")

    async def look() -> bool | None:
        return await live.count("received") >= before + number or None

    await eventually(look, f"{number} more notifications on the page")


@pytest.mark.parametrize("protocol", ["sse", "ws"])
async def test_order_of_the_shop_is_told_created_and_closed(system: System, live: Live, protocol: str) -> None:
    product = await system.product(f"told-{protocol}", stock=10)
    await live.open()
    await live.use(protocol)
    await go(live.page, "Shop")
    shop = Shop(live.page)
    await shop.take(product)
    order = await shop.order()
    await go(live.page, "Live feed")
    over = {"sse": "SSE", "ws": "WebSocket"}[protocol]
    for status in ("Created", "Closed"):
        await expect(live.row(order, status)).to_contain_text(over)
    await connected(system, **{"sse": 0, "ws": 0, protocol: 1})


async def test_switching_while_orders_flow_loses_and_doubles_nothing(system: System, live: Live) -> None:
    product = await system.product("switched", stock=1000)
    await live.open()
    since = await head_of_feed(system)
    async with ordering(system, product):
        for protocol in ("ws", "sse", "ws"):
            await more(live)
            await live.use(protocol)
        await more(live)
    told = await complete(system, live, since)
    assert await live.count("received") == len(told)
    assert await live.count("reconnects") == 0
    await connected(system, sse=0, ws=1)


@pytest.mark.parametrize("protocol", ["sse", "ws"])
async def test_killed_service_costs_no_notification(system: System, browser: Browser, protocol: str) -> None:
    product = await system.product(f"killed-{protocol}", stock=1000)
    async with wired(system, browser) as (live, wire):
        await live.open()
        await live.use(protocol)
        since = await head_of_feed(system)
        async with ordering(system, product):
            await more(live)
            system.stack.processes["notification-service"].kill()
            await expect(live.page.get_by_test_id("feed-state")).to_have_text("Reconnecting")
            with wire.cut():
                await system.ready("notification")
                await eventually(partial(_goes_on, system, (await live.told())[-1]), "what the page has missed")
            await live.is_live(protocol)
            await more(live)
        await complete(system, live, since)
        assert await live.count("reconnects") >= 1
        assert await live.count("missed") >= 1


async def test_what_happens_while_offline_is_told_when_online_again(system: System, tabs: Tabs, live: Live) -> None:
    product = await system.product("offline", stock=1000)
    await live.open()
    since = await head_of_feed(system)
    await tabs.context.set_offline(True)
    await expect(live.page.get_by_test_id("feed-state")).to_have_text("Browser is offline")
    async with ordering(system, product) as orders:
        await eventually(lambda: _so_many(orders, A_FEW), "some orders")
    await at_rest(system)
    await tabs.context.set_offline(False)
    await live.is_live()
    told = await complete(system, live, since)
    assert await live.count("missed") == len(told)


async def test_next_tab_goes_on_where_the_closed_one_was(system: System, tabs: Tabs) -> None:
    product = await system.product("handed-over", stock=1000)
    first, second = [Live(await tabs.new()) for _ in range(2)]
    for live in (first, second):
        await live.open()
    await expect(first.page.get_by_test_id("feed-leader")).to_have_text("This tab holds the connection")
    await expect(second.page.get_by_test_id("feed-leader")).to_have_text("Another tab holds the connection")
    since = await head_of_feed(system)
    async with ordering(system, product):
        await more(second)
        await first.page.close()
        await expect(second.page.get_by_test_id("feed-leader")).to_have_text("This tab holds the connection")
        await more(second)
    await complete(system, second, since)
    await connected(system, sse=1, ws=0)


@pytest.mark.parametrize(
    ("protocol", "said", "heard"),
    [("sse", 'data: {"id"', 'data: ["id"'), ("ws", '{"type":"event"', '["type":"event"')],
    ids=["sse", "ws"],
)
async def test_garbled_notification_is_counted_and_read_again(
    system: System, browser: Browser, protocol: str, said: str, heard: str
) -> None:
    product = await system.product(f"garbled-{protocol}", stock=1000)
    async with wired(system, browser) as (live, wire):
        await live.open()
        await live.use(protocol)
        since = await head_of_feed(system)
        wire.garble_next(said, into=heard)
        async with ordering(system, product):
            await more(live)
        assert wire.garbled == 1
        await complete(system, live, since)
        assert await live.count("malformed") == 1


async def test_feed_is_filtered_by_order(system: System, live: Live) -> None:
    product = await system.product("filtered", stock=1000)
    await live.open()
    wanted, other = [(await system.place({product: 1})).json["id"] for _ in range(2)]
    for order in (wanted, other):
        await expect(live.row(order, "Closed")).to_be_visible()
    await live.page.get_by_role("searchbox", name="Orders").fill(f"{wanted}")
    await expect(live.row(wanted, "Closed")).to_be_visible()
    await expect(live.row(other, "Closed")).to_have_count(0)


async def test_both_protocols_are_measured_side_by_side(system: System, live: Live) -> None:
    product = await system.product("side-by-side", stock=1000)
    await live.open()
    await live.page.get_by_role("button", name="SSE and WebSocket side by side").click()
    await connected(system, sse=2, ws=1)
    order = (await system.place({product: 1})).json["id"]
    closed = live.page.get_by_role("row", name=f"Order {order}").filter(has_text="Closed")
    for column in (0, 1):
        await expect(closed.get_by_role("cell").nth(column)).to_have_text(MEASURED)
    await live.page.get_by_role("button", name="Feed", exact=True).click()
    await connected(system, sse=1, ws=0)


async def _so_many(orders: list[int], number: int) -> bool | None:
    return len(orders) >= number or None


async def _goes_on(system: System, after: str) -> bool | None:
    return bool(await history(system, after)) or None
