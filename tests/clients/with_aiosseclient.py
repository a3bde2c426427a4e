"""Follows /stream with aiosseclient, and reconnects with the last id it received."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Any

import aiohttp
from aiosseclient import aiosseclient

SILENCE_LIMIT_S = 45  # a heartbeat comes every 15 s


async def follow(url: str, last: str = "") -> AsyncIterator[dict[str, Any]]:
    """Yield what is pushed after the id *last*, or from now on; never ends."""
    retry_s = 1.0
    while True:
        with suppress(aiohttp.ClientError, TimeoutError):
            async with aclosing(aiosseclient(url, last_id=last or None, raise_for_status=True)) as events:
                while event := await asyncio.wait_for(anext(events, None), SILENCE_LIMIT_S):
                    data = json.loads(event.data)
                    last = event.id or last
                    if event.event == "bye":
                        retry_s = data["retryMs"] / 1000
                    elif event.event in {"message", "reset"}:
                        yield data
        await asyncio.sleep(retry_s)
