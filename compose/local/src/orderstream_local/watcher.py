"""Clients that follow the live feed over both protocols and record each push with its time."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp

from .feed_client import Authorize, follow_sse, follow_websocket
from .steps import Push

__all__ = ["Watcher", "watching"]

_CONNECT_TIMEOUT_S = 10.0


class Watcher:
    """Records the pushes to two clients, one over SSE and one over WebSocket."""

    def __init__(self) -> None:
        self._pushes: defaultdict[int, list[Push]] = defaultdict(list)
        self._changed = asyncio.Condition()

    def pushes(self, order_id: int) -> list[Push]:
        """Return the pushes for an order."""
        return list(self._pushes[order_id])

    def kinds(self, order_id: int, protocol: str) -> list[str]:
        """Return the kinds of an order's pushes over *protocol*, in order of arrival."""
        return [push.kind for push in self._pushes[order_id] if push.protocol == protocol]

    async def wait_for(self, order_id: int, kind: str, within_s: float) -> bool:
        """Wait up to *within_s* until both clients have received *kind*; return whether they have."""

        def received() -> bool:
            return all(kind in self.kinds(order_id, protocol) for protocol in ("SSE", "WebSocket"))

        try:
            async with asyncio.timeout(within_s), self._changed:
                await self._changed.wait_for(received)
        except TimeoutError:
            return False
        return True

    async def record(self, protocol: str, notifications: AsyncIterator[dict[str, Any]]) -> None:
        """Record the pushes to one client, until cancelled."""
        async for each in notifications:
            async with self._changed:
                self._pushes[each["orderId"]].append(Push(protocol, datetime.now(UTC), each["kind"]))
                self._changed.notify_all()


@asynccontextmanager
async def watching(session: aiohttp.ClientSession, base_url: str, authorize: Authorize) -> AsyncIterator[Watcher]:
    """Record pushes to whom *authorize* authorizes during the block; both clients are connected when it begins.

    Raises:
        TimeoutError: they could not connect.
    """
    watcher, sse, websocket = Watcher(), asyncio.Event(), asyncio.Event()
    clients = [
        asyncio.create_task(watcher.record("SSE", follow_sse(session, base_url, authorize, sse))),
        asyncio.create_task(watcher.record("WebSocket", follow_websocket(session, base_url, authorize, websocket))),
    ]
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            await sse.wait()
            await websocket.wait()
        yield watcher
    finally:
        for client in clients:
            client.cancel()
        await asyncio.wait(clients)
