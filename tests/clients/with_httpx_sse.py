"""Follows /stream with httpx-sse, and reconnects with the last id it received."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx
from httpx_sse import aconnect_sse

SILENCE_LIMIT_S = 45  # a heartbeat comes every 15 s


async def follow(url: str, last: str = "") -> AsyncIterator[dict[str, Any]]:
    """Yield what is pushed after the id *last*, or from now on; never ends."""
    retry_s = 1.0
    async with httpx.AsyncClient(timeout=httpx.Timeout(10, read=SILENCE_LIMIT_S)) as client:
        while True:
            headers = {"Last-Event-ID": last} if last else {}
            with suppress(httpx.TransportError):
                async with aconnect_sse(client, "GET", url, headers=headers) as source:
                    async for event in source.aiter_sse():
                        last = event.id or last
                        retry_s = retry_s if event.retry is None else event.retry / 1000
                        if event.event in {"message", "reset"}:
                            yield event.json()
            await asyncio.sleep(retry_s)
