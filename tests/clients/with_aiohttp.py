"""Follows /stream with aiohttp, and reconnects with the last id it received."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import aiohttp

SILENCE_LIMIT_S = 45  # a heartbeat comes every 15 s


async def follow(url: str, last: str = "") -> AsyncIterator[dict[str, Any]]:
    """Yield what is pushed after the id *last*, or from now on; never ends."""
    retry_s = 1.0
    timeout = aiohttp.ClientTimeout(total=None, sock_read=SILENCE_LIMIT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        while True:
            with suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(url, headers={"Last-Event-ID": last} if last else {}) as response:
                    response.raise_for_status()
                    block: dict[str, str] = {}
                    async for line in response.content:
                        field, _, value = line.decode().rstrip("\n").partition(": ")
                        if field:
                            block[field] = value
                            continue
                        retry_s = int(block.get("retry", retry_s * 1000)) / 1000
                        last = block.get("id", last)
                        if block.get("event") in {None, "reset"}:
                            yield json.loads(block["data"])
                        block = {}
            await asyncio.sleep(retry_s)
