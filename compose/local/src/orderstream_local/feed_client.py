"""Clients of the live feed over SSE and WebSocket that reconnect and resume after the last event id."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import aiohttp

from .sse import SseReader

__all__ = ["Authorize", "follow_sse", "follow_websocket"]

# returns the header that authorizes the next connection, if it needs one
Authorize: TypeAlias = Callable[[], Awaitable[Mapping[str, str]]]
_RETRY_S = 1.0
# the server sends a heartbeat every 15 s: three are missed
_STREAM_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=5, sock_read=45)


async def follow_sse(
    session: aiohttp.ClientSession, base_url: str, authorize: Authorize, ready: asyncio.Event
) -> AsyncIterator[dict[str, Any]]:
    """Yield each new notification of ``/stream``, endlessly; *ready* is set once connected."""
    reader = SseReader()
    while True:
        resume = {"Last-Event-ID": reader.last_id} if reader.last_id else {}
        try:
            headers = {**await authorize(), **resume}
            async with session.get(f"{base_url}/stream", headers=headers, timeout=_STREAM_TIMEOUT) as response:
                async for line in response.content:
                    event = reader.feed(line.decode().rstrip("\r\n"))
                    if reader.last_id:
                        ready.set()
                    if event is not None and event.name == "message":
                        yield json.loads(event.data)
        except (aiohttp.ClientError, TimeoutError):
            pass
        await asyncio.sleep(_RETRY_S if reader.retry_ms is None else reader.retry_ms / 1000)


async def follow_websocket(
    session: aiohttp.ClientSession, base_url: str, authorize: Authorize, ready: asyncio.Event
) -> AsyncIterator[dict[str, Any]]:
    """Yield each new notification of ``/ws``, endlessly; *ready* is set at the welcome frame."""
    last_id, retry_s = "", _RETRY_S
    while True:
        query = {"lastEventId": last_id} if last_id else {}
        try:
            async with session.ws_connect(
                f"{base_url}/ws",
                params=query,
                headers=await authorize(),
                timeout=aiohttp.ClientWSTimeout(ws_close=1),
            ) as socket:
                async for message in socket:
                    if message.type is not aiohttp.WSMsgType.TEXT:
                        continue
                    frame = message.json()
                    last_id = frame.get("id", last_id)
                    retry_s = frame.get("retryMs", 1000 * _RETRY_S) / 1000
                    ready.set()
                    if frame["type"] == "event":
                        yield frame["data"]
        except (aiohttp.ClientError, TimeoutError):
            pass
        await asyncio.sleep(retry_s)
