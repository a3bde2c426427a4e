"""An open loop: each thing has its own time, whether or not the one before is done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

__all__ = ["paced"]

T = TypeVar("T")


async def paced(things: Sequence[T], rate_per_s: float, burst: int = 1) -> AsyncIterator[Sequence[T]]:
    """Yield *things* in bursts, at their times; *rate_per_s* counts things, not bursts."""
    start = time.perf_counter()
    for first in range(0, len(things), burst):
        wait_s = start + first / rate_per_s - time.perf_counter()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        yield things[first : first + burst]
