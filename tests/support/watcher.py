"""Push clients that live through everything: they come back with the last id that they saw."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import aiohttp
import orjson

from tests.support.system import System
from tests.support.waiting import PATIENCE_S, eventually

__all__ = ["Watcher", "watching"]

COME_BACK_AFTER_S = 0.1
# heartbeats come every 15 s
SILENCE_LIMIT_S = 40.0


@dataclass(slots=True)
class Watcher:
    """What one client saw.

    Attributes:
        last_id: what it resumes with.
        begun: the place in the feed before the first that it is to see.
        seen: the places of what it was told, in the order of arrival.
        connections: how often it had to connect.
        resets: how often it was told that it has missed something.
    """

    last_id: str
    begun: int
    seen: list[int] = field(default_factory=list)
    connections: int = 0
    resets: int = 0

    def take(self, event_id: str, *, told: bool) -> None:
        """Note an id; *told* when a notification came with it."""
        self.last_id = event_id
        if told:
            self.seen.append(_place(event_id))

    async def caught_up(self, system: System, within_s: float = PATIENCE_S) -> None:
        """Wait until everything was seen that is in the feed now; then it must have been seen once, in order."""
        head = await _head(system)

        async def look() -> bool | None:
            return _place(self.last_id) >= _place(head) or None

        await eventually(look, f"the push of {head}, after {self.last_id}", within_s)
        assert self.resets == 0
        assert self.seen == list(range(self.begun + 1, self.begun + 1 + len(self.seen)))
        assert self.begun + len(self.seen) >= _place(head)


@asynccontextmanager
async def watching(system: System) -> AsyncIterator[tuple[Watcher, Watcher]]:
    """Follow everything over SSE and over WebSocket while the block runs."""
    head = await _head(system)
    sse, socket = Watcher(head, _place(head)), Watcher(head, _place(head))
    tasks = [
        asyncio.create_task(_persist(lambda: _read_sse(system, sse), sse)),
        asyncio.create_task(_persist(lambda: _read_socket(system, socket), socket)),
    ]
    try:
        yield sse, socket
    finally:
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome


async def _head(system: System) -> str:
    return str((await system.call("notification", "GET", "/notifications?limit=1")).json["head"])


def _place(event_id: str) -> int:
    return int(event_id.rpartition("-")[2])


async def _persist(read: Callable[[], object], watcher: Watcher) -> None:
    while True:
        watcher.connections += 1
        with suppress(aiohttp.ClientError, TimeoutError):
            await read()  # type: ignore[misc]
        await asyncio.sleep(COME_BACK_AFTER_S)


async def _read_sse(system: System, watcher: Watcher) -> None:
    url = f"{system.stack.url('notification')}/stream"
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=SILENCE_LIMIT_S)
    async with system.session.get(url, headers={"Last-Event-ID": watcher.last_id}, timeout=timeout) as response:
        if response.status != 200:
            return
        block: dict[str, str] = {}
        async for raw in response.content:
            line = raw.decode().rstrip("\n")
            if line:
                name, _, value = line.partition(":")
                block[name] = value.removeprefix(" ")
                continue
            if block.get("event") == "reset":
                watcher.resets += 1
            if "id" in block:
                watcher.take(block["id"], told="data" in block and "event" not in block)
            block = {}


async def _read_socket(system: System, watcher: Watcher) -> None:
    url = f"{system.stack.url('notification')}/ws?lastEventId={watcher.last_id}"
    async with system.session.ws_connect(url, timeout=aiohttp.ClientWSTimeout(ws_close=2)) as connection:
        while (message := await connection.receive(timeout=SILENCE_LIMIT_S)).type is aiohttp.WSMsgType.TEXT:
            frame = orjson.loads(message.data)
            if frame["type"] == "reset":
                watcher.resets += 1
            if "id" in frame:
                watcher.take(frame["id"], told=frame["type"] == "event")
