"""The tabs of one user, and what went wrong in them."""

from __future__ import annotations

from playwright.async_api import BrowserContext, ConsoleMessage, Page

__all__ = ["Tabs"]

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
        if message.type == "error" and not any(each in message.text for each in NETWORK):
            self.faults.append(message.text)
