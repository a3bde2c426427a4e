"""A relay as a part of an application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from ..lifecycle import Readiness, background
from .relay import OutboxRelay

__all__ = ["relaying"]


@asynccontextmanager
async def relaying(relay: OutboxRelay, readiness: Readiness, *, stop_within_s: float) -> AsyncIterator[None]:
    """Relay while the block runs, and what it left behind as well as can be done within *stop_within_s* seconds."""
    async with background(readiness, "relay", relay.run):
        try:
            yield
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(stop_within_s):
                    await relay.stop()
