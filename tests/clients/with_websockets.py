"""Follows /ws with websockets, and reconnects with the last id it received."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException


async def follow(url: str, last: str = "") -> AsyncIterator[dict[str, Any]]:
    """Yield what is pushed after the id *last*, or from now on; never ends."""
    retry_s = 1.0
    joint = "&" if "?" in url else "?"
    while True:
        with suppress(OSError, WebSocketException):
            async with connect(f"{url}{joint}lastEventId={last}" if last else url) as socket:
                async for message in socket:
                    frame = json.loads(message)
                    last = frame.get("id", last)
                    if frame["type"] == "bye":
                        retry_s = frame["retryMs"] / 1000
                    elif frame["type"] == "event":
                        yield frame["data"]
                    elif frame["type"] == "reset":
                        yield frame
        await asyncio.sleep(retry_s)
