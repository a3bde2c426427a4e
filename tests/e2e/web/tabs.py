"""The tabs of one user, and what went wrong in them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page

__all__ = ["PATIENCE_MS", "Tabs", "visiting"]

PATIENCE_MS = 20_000
# a service that is away is the user's to see, and no fault of the page
NETWORK = ("Failed to load resource", "WebSocket connection to", "net::ERR_")


class Tabs:
    """Opens tabs that share one storage.

    Attributes:
        context: of the browser.
        faults: what the scripts of the pages threw or complained about, and what the browser did not let them do.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.faults: list[str] = []
        context.on("weberror", lambda error: self.faults.append(f"{error.error}"))
        context.on("console", self._note)

    async def new(self, path: str | None = None) -> Page:
        """Open a tab, and *path* in it."""
        page = await self.context.new_page()
        if path is not None:
            await page.goto(path)
        return page

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not any(each in message.text for each in NETWORK):
            self.faults.append(message.text)


@asynccontextmanager
async def visiting(browser: Browser, url: str, **options: Any) -> AsyncIterator[Tabs]:
    """Be a user who has never been at *url*; what goes wrong in a tab fails the block."""
    context = await browser.new_context(base_url=url, **options)
    context.set_default_timeout(PATIENCE_MS)
    tabs = Tabs(context)
    try:
        yield tabs
    finally:
        await context.close()
    assert not tabs.faults, tabs.faults
