"""One connection for all tabs of a browser, whichever of them is closed."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.e2e.web.connections import connected
from tests.e2e.web.pages import header_status
from tests.e2e.web.tabs import Tabs
from tests.support.system import System

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_three_tabs_share_one_connection_until_the_last_is_closed(system: System, tabs: Tabs) -> None:
    await connected(system, sse=0, ws=0)
    opened = [await tabs.new(path) for path in ("/", "/orders", "/live")]
    for page in opened:
        await expect(header_status(page)).to_contain_text("Live")
    await connected(system, sse=1, ws=0)
    for page in opened[:2]:  # the first of them has the connection
        await page.close()
        await expect(header_status(opened[2])).to_contain_text("Live")
        await connected(system, sse=1, ws=0)
    await opened[2].close()
    await connected(system, sse=0, ws=0)
