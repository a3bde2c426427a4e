"""The page where people sign in, and a browser for each test that nobody has used."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.e2e.web.shopfront import Shopfront, shopfront
from tests.e2e.web.tabs import Tabs, visiting


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running_shop(executable: str) -> AsyncIterator[Shopfront]:  # noqa: ARG001 - nothing is started for nobody
    """The page where people sign in."""
    async with shopfront() as front:
        yield front


@pytest.fixture
def front(running_shop: Shopfront) -> Shopfront:
    """The same, with a provider as it was."""
    provider = running_shop.provider
    provider.lifetime_s, provider.valid_s, provider.first_valid_s, provider.away = 3600.0, None, None, False
    return running_shop


@pytest_asyncio.fixture(loop_scope="session")
async def tabs(browser: Browser, front: Shopfront) -> AsyncIterator[Tabs]:
    """A browser that nobody has used."""
    async with visiting(browser, front.url) as tabs:
        yield tabs
