"""A relay as a part of an application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from service_common.background import background
from service_common.outbox.relay import OutboxRelay
from service_common.readiness import Readiness

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
