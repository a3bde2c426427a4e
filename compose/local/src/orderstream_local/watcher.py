"""Clients that watch the live feed over both protocols and remember what they were pushed, and when."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp

from .feed import follow_sse, follow_websocket
from .steps import Push

__all__ = ["Watcher", "watching"]

_CONNECTED_WITHIN_S = 10.0


class Watcher:
    """What two clients, one over SSE and one over WebSocket, were pushed."""

    def __init__(self) -> None:
        self._pushes: defaultdict[int, list[Push]] = defaultdict(list)
        self._news = asyncio.Condition()

    def pushes(self, order_id: int) -> list[Push]:
        """Return what came for an order."""
        return list(self._pushes[order_id])

    def kinds(self, order_id: int, protocol: str) -> list[str]:
        """Return the kinds of what came for an order over *protocol*, in the order it came."""
        return [push.kind for push in self._pushes[order_id] if push.protocol == protocol]

    async def wait_for(self, order_id: int, kind: str, within_s: float) -> bool:
        """Wait until both clients have it, or for *within_s*; return whether they do."""

        def there() -> bool:
            return all(kind in self.kinds(order_id, protocol) for protocol in ("SSE", "WebSocket"))

        try:
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(there)
        except TimeoutError:
            return False
        return True

    async def remember(self, protocol: str, notifications: AsyncIterator[dict[str, Any]]) -> None:
        """Take down what one client is pushed, until cancelled."""
        async for each in notifications:
            async with self._news:
                self._pushes[each["orderId"]].append(Push(protocol, datetime.now(UTC), each["kind"]))
                self._news.notify_all()


@asynccontextmanager
async def watching(session: aiohttp.ClientSession, base_url: str) -> AsyncIterator[Watcher]:
    """Watch for the block; both clients are connected when it is entered.

    Raises:
        TimeoutError: they could not connect.
    """
    watcher, sse, websocket = Watcher(), asyncio.Event(), asyncio.Event()
    clients = [
        asyncio.create_task(watcher.remember("SSE", follow_sse(session, base_url, sse))),
        asyncio.create_task(watcher.remember("WebSocket", follow_websocket(session, base_url, websocket))),
    ]
    try:
        async with asyncio.timeout(_CONNECTED_WITHIN_S):
            await sse.wait()
            await websocket.wait()
        yield watcher
    finally:
        for client in clients:
            client.cancel()
        await asyncio.wait(clients)
