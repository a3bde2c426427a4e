"""Hands numbered messages over to a server, each at its own time, and notes when."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence

from ..pace import paced
from ..servers import Publish
from .message import FIRST

__all__ = ["publishing"]


def publishing(send: Callable[[Sequence[int]], None]) -> Publish:
    """Publish by calling *send* with the numbers of each burst.

    Numbers go on from one publishing to the next, so that a late delivery is not taken for a new one.
    """
    numbers = itertools.count(FIRST)

    async def publish(count: int, rate_per_s: float, burst: int) -> dict[int, int]:
        sent: dict[int, int] = {}
        async for each in paced(list(itertools.islice(numbers, count)), rate_per_s, burst):
            now = time.time_ns()
            send(each)
            sent.update(dict.fromkeys(each, now))
        return sent

    return publish
