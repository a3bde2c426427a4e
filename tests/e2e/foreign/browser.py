"""Browsers without a screen, whose pages do what a test says and tell what came of it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from tests.support.browser import FLAGS, chromium, firefox

from .heard import Heard

__all__ = ["BROWSERS", "Site", "browsing"]

BROWSERS = {name: path for name, path in (("chromium", chromium()), ("firefox", firefox())) if path}
CLIENTS = Path(__file__).parents[2] / "clients"


class Site:
    """An origin of its own with one page, and the socket to that page once it is open."""

    def __init__(self) -> None:
        self.origin = ""
        self._heard: dict[str, Heard] = {}
        self._page: asyncio.Future[web.WebSocketResponse] = asyncio.get_running_loop().create_future()

    async def do(self, doing: str, name: str, url: str) -> Heard:
        """Have the page do something, and return what it will hear under *name*."""
        heard = self._heard[name] = Heard()
        async with asyncio.timeout(30):
            page = await asyncio.shield(self._page)
        await page.send_json({"doing": doing, "name": name, "url": url})
        return heard

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Serve the page on a free port of loopback for the block."""
        app = web.Application()
        app.add_routes([web.get("/test", self._talk), web.static("/", CLIENTS)])
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.origin = "http://{}:{}".format(*runner.addresses[0])
        try:
            yield
        finally:
            await runner.cleanup()

    async def _talk(self, request: web.Request) -> web.StreamResponse:
        page = web.WebSocketResponse()
        await page.prepare(request)
        self._page.set_result(page)
        async for message in page:
            document: dict[str, Any] = orjson.loads(message.data)
            await self._heard[document["name"]].take(document["told"])
        return page


@asynccontextmanager
async def browsing(browser: str, url: str, folder: Path) -> AsyncIterator[None]:
    """Have a browser open *url* for the block; *folder* is for what it keeps."""
    profile = ("--no-remote", "--profile", folder) if browser == "firefox" else (*FLAGS, f"--user-data-dir={folder}")
    process = await asyncio.create_subprocess_exec(
        *(BROWSERS[browser], "--headless", *profile, url),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
