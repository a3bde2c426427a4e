"""A client that gives up a silent connection has no other one beside the next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from yarl import URL

from tests.e2e.foreign.clients import following

WITH_A_SHORT_LIMIT = ("npm-eventsource-2", "npm-eventsource-3", "npm-undici")
NOTIFICATION = b'id: a-1\ndata: {"id":"a-1"}\n\n'


class Silent:
    """Never answers the first request for a stream, and answers others with one notification and then silence."""

    def __init__(self) -> None:
        self.requests = 0
        self.given_up: asyncio.Queue[int] = asyncio.Queue()

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Answer, and note which request of how many it was when the client gives it up."""
        self.requests += 1
        number = self.requests
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        try:
            if number > 1:
                await response.prepare(request)
                await response.write(NOTIFICATION)
            await asyncio.Event().wait()
        finally:
            self.given_up.put_nowait(number)
        return response

    @asynccontextmanager
    async def served(self) -> AsyncIterator[URL]:
        """Listen on a free port of loopback for the block."""
        app = web.Application()
        app.add_routes([web.get("/stream", self.stream)])
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield URL("http://{}:{}/stream".format(*runner.addresses[0]))
        finally:
            await runner.cleanup()


@pytest.mark.parametrize("kind", WITH_A_SHORT_LIMIT)
async def test_connection_that_is_given_up_is_replaced_by_one(kind: str, without_packages: str | None) -> None:
    if without_packages:
        pytest.skip(without_packages)
    silent = Silent()
    async with silent.served() as url, following(kind, kind, url, "", {}) as heard, asyncio.timeout(60):
        assert await silent.given_up.get() == 1
        # of two at once the other would have come long before the limit of this one
        assert await silent.given_up.get() == 2
        assert silent.requests == 2
        assert heard.told == [{"id": "a-1"}]
