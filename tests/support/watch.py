"""Push clients that note what they receive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from tests.support.http_service import HttpService
from tests.support.waiting import PATIENCE_S

__all__ = ["Watch", "as_pushed", "sse", "websocket"]


@dataclass(slots=True)
class Watch:
    """What a push client has received, in order."""

    notifications: list[dict[str, Any]] = field(default_factory=list)
    last_id: str = ""
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, event_id: str, notification: dict[str, Any] | None) -> None:
        """Note a push; None is one that only moves the position."""
        async with self._news:
            self.last_id = event_id
            if notification is not None:
                self.notifications.append(notification)
            self._news.notify_all()

    def kinds(self, order_id: int) -> list[str]:
        """Return what became of an order, in the order of arrival."""
        return [each["kind"] for each in self.notifications if each["orderId"] == order_id]

    async def until(self, order_id: int, kind: str, within_s: float = PATIENCE_S) -> dict[str, Any]:
        """Wait for a notification and return it."""
        async with asyncio.timeout(within_s), self._news:
            await self._news.wait_for(lambda: kind in self.kinds(order_id))
        return next(each for each in self.notifications if (each["orderId"], each["kind"]) == (order_id, kind))


@asynccontextmanager
async def sse(service: HttpService, query: str = "", **headers: str) -> AsyncIterator[Watch]:
    """Follow /stream while the block runs."""
    watch = Watch()
    async with service.session.get(f"{service.url}/stream{query}", headers=headers) as response:
        assert response.status == 200, await response.text()
        reader = asyncio.create_task(_read_sse(response, watch))
        async with _following(watch, reader):
            yield watch


@asynccontextmanager
async def websocket(service: HttpService, query: str = "") -> AsyncIterator[Watch]:
    """Follow /ws while the block runs."""
    watch = Watch()
    async with service.session.ws_connect(f"{service.url}/ws{query}") as socket:
        reader = asyncio.create_task(_read_websocket(socket, watch))
        async with _following(watch, reader):
            yield watch


@asynccontextmanager
async def _following(watch: Watch, reader: asyncio.Task[None]) -> AsyncIterator[None]:
    """Wait for the first position, then read until the block ends; a reader that failed fails the block."""
    async with asyncio.timeout(PATIENCE_S), watch._news:
        await watch._news.wait_for(lambda: bool(watch.last_id) or reader.done())
    try:
        yield
    finally:
        reader.cancel()
        (outcome,) = await asyncio.gather(reader, return_exceptions=True)
        if isinstance(outcome, Exception):
            raise outcome


async def _read_sse(response: aiohttp.ClientResponse, watch: Watch) -> None:
    block: dict[str, str] = {}
    async for raw in response.content:
        line = raw.decode().rstrip("\r\n")
        if line:
            name, _, value = line.partition(":")
            block[name] = value.removeprefix(" ")
            continue
        if "id" in block:
            await watch.take(
                block["id"], orjson.loads(block["data"]) if block.get("event") in {None, "reset"} else None
            )
        block = {}


async def _read_websocket(socket: aiohttp.ClientWebSocketResponse, watch: Watch) -> None:
    async for message in socket:
        frame = orjson.loads(message.data)
        await watch.take(frame.get("id", watch.last_id), frame.get("data"))


def as_pushed(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """Return a notification of the history as a push tells it: without the moment it was taken down."""
    return {name: value for name, value in recorded.items() if name != "recordedAt"}
