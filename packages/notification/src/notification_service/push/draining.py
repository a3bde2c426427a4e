"""The farewell: every client is told to come back, a few at a time, before the process goes."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress

from .broadcaster import Broadcaster
from .limits import retry_ms

__all__ = ["drain"]

STEPS = 20
# of the time there is: told within this, the rest is for them to go
TELLING = 0.6


async def drain(broadcaster: Broadcaster, within_s: float) -> None:
    """End all connections in order, those that do not go by force, all within *within_s* seconds."""
    broadcaster.admission.closed = True
    deadline = time.monotonic() + within_s
    peers = list(broadcaster.peers)
    random.shuffle(peers)
    for step in range(STEPS):
        batch = peers[step::STEPS]
        for peer in batch:
            broadcaster.end(peer, retry_ms())
        if batch:
            await asyncio.sleep(within_s * TELLING / STEPS if len(peers) > STEPS else 0)
    with suppress(TimeoutError):
        async with asyncio.timeout(deadline - time.monotonic()):
            await broadcaster.wait_empty()
    for peer in tuple(broadcaster.peers):
        broadcaster.cut(peer, "stuck")
