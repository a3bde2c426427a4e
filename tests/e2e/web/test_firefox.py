"""The page in Firefox: an order, the feed over both protocols, and blocked site data."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.browser import firefox
from tests.support.firefox import ABSENT, FirefoxPage, firefox_page
from tests.support.system import System
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(firefox() is None, reason=ABSENT),
]

ROWS = "[...document.querySelectorAll('[data-testid=notification]')].map(e => e.innerText).join('\\f')"
BLOCK_SITE_DATA = {"network.cookie.cookieBehavior": 2}


@pytest_asyncio.fixture(loop_scope="session")
async def page(tmp_path: Path) -> AsyncIterator[FirefoxPage]:
    """A tab of a Firefox that nobody has used."""
    async with firefox_page(tmp_path) as page:
        yield page


async def told(page: FirefoxPage, order: str, protocol: str) -> bool | None:
    """Return whether the page says once that an order is closed, by *protocol*."""
    rows = str(await page.evaluate(ROWS)).split("\f")
    return [order in row and protocol in row for row in rows if "Closed" in row].count(True) == 1 or None


async def buy(system: System, page: FirefoxPage, product: str) -> None:
    """Order a product in the shop, and follow the order to its end."""
    await system.product(product, stock=10)
    await page.goto(system.stack.url("web"))
    await page.click(f"//button[contains(., 'Add to basket') and contains(., '{product}')]")
    await page.click("//button[contains(., 'Place order')]")
    await page.sees("Closed", "app-order-page app-status-badge")
    await page.sees("Push CLOSED", "li.done[data-hop=CLOSED-v1-push]")
    order = int(str(await page.evaluate("location.pathname")).rpartition("/")[2])
    assert (await system.ended(order))["status"] == "CLOSED"


async def test_order_is_placed_and_followed(system: System, page: FirefoxPage) -> None:
    await buy(system, page, "bought-in-firefox")


async def test_feed_is_heard_over_both_protocols(system: System, page: FirefoxPage) -> None:
    product = await system.product("heard-in-firefox", stock=10)
    await page.goto(f"{system.stack.url('web')}/live")
    for name in ("SSE", "WebSocket"):
        await page.click(f"//label[contains(., '{name}')]")
        await page.sees(f"Live, over {name}", "header")
        order = (await system.place({product: 1})).json["id"]
        await eventually(partial(told, page, f"Order {order} ", name), f"order {order} over {name}")


async def test_blocked_site_data_leave_a_page_that_works(system: System, tmp_path: Path) -> None:
    async with firefox_page(tmp_path, **BLOCK_SITE_DATA) as page:
        await page.goto(system.stack.url("web"))
        assert await page.evaluate("(() => { try { return !localStorage; } catch { return true; } })()")
        await buy(system, page, "bought-without-storage")
        await page.goto(f"{system.stack.url('web')}/live")
        await page.sees("Live, over", "header")
