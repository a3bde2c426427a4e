"""The table as the pumps read it: clients behind the same place share what was read and encoded."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import TypeAlias

from ..feed import Source
from .counters import PushMeter
from .hub import Excerpt, Read

__all__ = ["Excerpts"]

# notifications of one read
READ_ENTRIES = 200
# after that the feed may have been cut off or begun anew, and a crowd that lost its server at once has come by
KEPT_S = 1.0
KEPT = 16

_Place: TypeAlias = tuple[int, frozenset[int] | None]


class Excerpts:
    """Reads pages, at most *at_most* at the same time; one that somebody read or is reading now is not read again.

    A crowd that comes back after a deploy is behind the same place: 5,000 clients are one reader then.
    """

    def __init__(self, source: Source, meter: PushMeter, at_most: int) -> None:
        self._source = source
        self._meter = meter
        self._permits = asyncio.Semaphore(at_most)
        self._recent: OrderedDict[_Place, tuple[float, asyncio.Task[Excerpt]]] = OrderedDict()
        self._reading: set[asyncio.Task[Excerpt]] = set()

    async def read(self, read: Read) -> Excerpt:
        """Return what follows *read.after*.

        Raises:
            UnavailableError: the table can't be reached.
        """
        place = read.after, read.orders
        task = self._shared(place)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._read(read))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
            self._keep(place, task)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """End what is being read."""
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)

    def _shared(self, place: _Place) -> asyncio.Task[Excerpt] | None:
        read_at, task = self._recent.get(place, (0.0, None))
        if task is None or not task.done():
            return task
        fresh = time.monotonic() - read_at < KEPT_S and not task.cancelled() and task.exception() is None
        return task if fresh else None

    def _keep(self, place: _Place, task: asyncio.Task[Excerpt]) -> None:
        self._recent[place] = time.monotonic(), task
        self._recent.move_to_end(place)
        while len(self._recent) > KEPT:
            self._recent.popitem(last=False)

    async def _read(self, read: Read) -> Excerpt:
        async with self._permits:
            page = await self._source.read(read.after, up_to=read.up_to, orders=read.orders, limit=READ_ENTRIES)
        self._meter.replayed()
        return Excerpt.of(page)
