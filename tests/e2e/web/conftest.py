"""A stack of its own for the pages, a browser, and a tab in it for each test that tells what goes wrong in it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from orderstream_local.layout import ROOT
from orderstream_local.web_build import PageBuilder
from tests.e2e.web.days import at_rest, busy_day
from tests.e2e.web.recorded import Recorded, recorded
from tests.e2e.web.tabs import PATIENCE_MS, Tabs, visiting
from tests.support.browser import ABSENT, FLAGS, chromium
from tests.support.replicas import restarted
from tests.support.system import System, running

HEARTBEAT_S = 1.0
# the least that the template takes
VISIBLE_AGAIN_AFTER_S = 10


@pytest.fixture(scope="session")
def executable() -> str:
    """The browser; without one, these tests are skipped."""
    found = chromium()
    if found is None:
        pytest.skip(ABSENT)
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def system(executable: str) -> AsyncIterator[System]:  # noqa: ARG001 - nothing is started for nobody
    """The running system with its pages."""
    async with running(environ={"PUSH_HEARTBEAT_S": str(HEARTBEAT_S)}) as system:
        assert system.stack.page_error is None, system.stack.page_error
        await shorten_visibility(system)
        yield system


async def shorten_visibility(system: System) -> None:
    """Have what a killed consumer held come back sooner: most of a test would be waiting for it."""
    client = system.sqs()
    try:
        url = client.get_queue_url(QueueName="notification-queue")["QueueUrl"]
        client.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(VISIBLE_AGAIN_AFTER_S)})
    finally:
        client.close()
    await restarted(system, "notification", replica=0)  # it reads it once


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def axe() -> str:
    """The script that looks for what keeps people out, from the packages that the page is built with."""
    async with PageBuilder(lambda _: None).workspace() as workspace:
        return (workspace.packages / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def order_of_today(system: System) -> int:
    """An order that ended well, on a day on which others did not."""
    return await busy_day(system)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(executable: str) -> AsyncIterator[Browser]:
    """The one browser of the run."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def recorded_pages() -> AsyncIterator[Recorded]:
    """The pages with a day that is always the same."""
    async with recorded() as pages:
        yield pages


@pytest_asyncio.fixture(loop_scope="session")
async def tabs(browser: Browser, system: System) -> AsyncIterator[Tabs]:
    """A user who has never been here, and comes when nothing is under way any more.

    Whatever a script of the page throws, or the browser forbids, fails the test.
    """
    await at_rest(system)
    async with visiting(browser, system.stack.url("web"), permissions=["clipboard-write"]) as tabs:
        yield tabs


@pytest_asyncio.fixture(loop_scope="session")
async def page(tabs: Tabs) -> Page:
    """The user's first tab."""
    return await tabs.new()


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """Where the pictures of the pages are put."""
    folder = Path(os.environ.get("ARTIFACTS") or ROOT / ".cache") / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
