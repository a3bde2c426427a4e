"""Push clients that live through everything: they come back with the last id that they saw, to another replica."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import aiohttp
import orjson

from tests.support.system import System
from tests.support.waiting import PATIENCE_S, eventually

__all__ = ["Protocol", "Watcher", "following", "head_of_feed", "watching"]

Protocol: TypeAlias = Literal["sse", "ws"]

COME_BACK_AFTER_S = 0.1
CONNECTED_WITHIN_S = 5.0
# heartbeats come every 15 s
SILENCE_LIMIT_S = 40.0


@dataclass(slots=True)
class Watcher:
    """What one client saw.

    Attributes:
        last_id: what it resumes with.
        begun: the place in the feed before the first that it is to see.
        protocol: how it watches.
        orders: those it wants to hear of; None for all.
        replica: the one it comes to next; after each connection it is the one after that.
        silence_limit_s: it goes elsewhere when it hears nothing for so long, not even a heartbeat.
        cut_every_s: it cuts its own connection at random times, so long apart on average.
        seen: the places of what it was told, in the order of arrival.
        told: what it was told, by place.
        connections: how often it had to connect.
        replicas: those that it heard something from.
        resets: how often it was told that it has missed something.
    """

    last_id: str
    begun: int
    protocol: Protocol
    orders: frozenset[int] | None = None
    replica: int = 0
    silence_limit_s: float = SILENCE_LIMIT_S
    cut_every_s: float = math.inf
    seen: list[int] = field(default_factory=list)
    told: dict[int, dict[str, Any]] = field(default_factory=dict)
    connections: int = 0
    replicas: set[int] = field(default_factory=set)
    resets: int = 0

    def take(self, event_id: str, notification: dict[str, Any] | None) -> None:
        """Note an id, and the notification that came with it, if one did."""
        self.last_id = event_id
        if notification is not None:
            self.seen.append(_place(event_id))
            self.told[_place(event_id)] = notification

    async def caught_up(self, system: System, within_s: float = PATIENCE_S) -> None:
        """Wait until everything was seen that is in the feed now; then it must have been seen once, in order."""
        head = _place(await head_of_feed(system))

        async def look() -> bool | None:
            return _place(self.last_id) >= head or None

        await eventually(look, f"the push of {head}, after {self.last_id}, over {self.protocol}", within_s)
        assert self.resets == 0
        expected = self._wanted(system, head)
        assert self.seen[: len(expected)] == expected, self
        assert all(place > head for place in self.seen[len(expected) :]), self

    def _wanted(self, system: System, head: int) -> list[int]:
        if self.orders is None:
            return list(range(self.begun + 1, head + 1))
        sql = "SELECT seq FROM notification WHERE seq > %s AND seq <= %s AND order_id = ANY (%s) ORDER BY seq"
        return [seq for (seq,) in system.rows("notifications", sql, (self.begun, head, list(self.orders)))]

    async def watch(self, system: System) -> None:
        """Stay with the feed for ever, on one replica after another."""
        read = _READERS[self.protocol]
        while True:
            self.connections += 1
            limit_s = None if math.isinf(self.cut_every_s) else random.expovariate(1 / self.cut_every_s)
            with suppress(aiohttp.ClientError, TimeoutError):
                async with asyncio.timeout(limit_s):
                    await read(self, system)
            self.replica = (self.replica + 1) % system.stack.replicas("notification")
            await asyncio.sleep(COME_BACK_AFTER_S)


@asynccontextmanager
async def watching(system: System) -> AsyncIterator[tuple[Watcher, Watcher]]:
    """Follow everything over SSE and over WebSocket while the block runs."""
    head = await head_of_feed(system)
    sse, socket = Watcher(head, _place(head), "sse"), Watcher(head, _place(head), "ws")
    async with following(system, (sse, socket)):
        yield sse, socket


@asynccontextmanager
async def following(system: System, watchers: Iterable[Watcher]) -> AsyncIterator[None]:
    """Have all *watchers* watch while the block runs; one that fails, fails the block."""
    tasks = [asyncio.create_task(watcher.watch(system)) for watcher in watchers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome


async def head_of_feed(system: System) -> str:
    """Return the newest id."""
    return str((await system.call("notification", "GET", "/notifications?limit=1")).json["head"])


def _place(event_id: str) -> int:
    return int(event_id.rpartition("-")[2])


def _query(watcher: Watcher) -> list[tuple[str, str]]:
    return [("orderId", str(order)) for order in sorted(watcher.orders or ())]


async def _read_sse(watcher: Watcher, system: System) -> None:
    replica = watcher.replica
    url = f"{system.stack.url('notification', replica)}/stream"
    headers = {"Last-Event-ID": watcher.last_id}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECTED_WITHIN_S, sock_read=watcher.silence_limit_s)
    async with system.session.get(url, params=_query(watcher), headers=headers, timeout=timeout) as response:
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
                told = orjson.loads(block["data"]) if "data" in block and "event" not in block else None
                watcher.take(block["id"], told)
                watcher.replicas.add(replica)
            block = {}


async def _read_socket(watcher: Watcher, system: System) -> None:
    replica = watcher.replica
    url = f"{system.stack.url('notification', replica)}/ws"
    query = [("lastEventId", watcher.last_id), *_query(watcher)]
    timeout = aiohttp.ClientWSTimeout(ws_close=2)
    async with (
        asyncio.timeout(CONNECTED_WITHIN_S) as limit,
        system.session.ws_connect(url, params=query, timeout=timeout) as connection,
    ):
        limit.reschedule(None)
        while True:
            message = await connection.receive(timeout=watcher.silence_limit_s)
            if message.type is not aiohttp.WSMsgType.TEXT:
                return
            frame = orjson.loads(message.data)
            if frame["type"] == "reset":
                watcher.resets += 1
            if "id" in frame:
                watcher.take(frame["id"], frame.get("data"))
                watcher.replicas.add(replica)


_READERS: dict[Protocol, Callable[[Watcher, System], Awaitable[None]]] = {"sse": _read_sse, "ws": _read_socket}
