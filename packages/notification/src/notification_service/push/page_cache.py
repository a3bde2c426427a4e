"""Reads pages of the feed for replays; clients at the same position with the same selection share a page."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import TypeAlias

from ..notification import FeedReader, Selection
from .counters import PushCounters
from .encoding import encode
from .hub import EncodedPage, ReadPage
from .iteration_limit import IterationLimit
from .replay_buffer import Entry

__all__ = ["PageCache"]

# notifications of a page
PAGE_ENTRIES = 200
# so many notifications are encoded in a turn, a third of a millisecond; turns of their own: among those of thousands of
# clients, a page would wait eight times
ENCODED_PER_TURN = 25
TURNS_PER_ITERATION = 2
# bounded because the feed may expire or get a new epoch; clients that lost their server reconnect within a second
MAX_AGE_S = 1.0
MAX_PAGES = 16

_Key: TypeAlias = tuple[int, Selection]


class PageCache:
    """Reads each page once for all that ask for it while it is read or within a second, *max_reads* at a time.

    Clients that reconnect after a deploy ask for the same pages: 5,000 of them cost as much as one.
    """

    def __init__(self, reader: FeedReader, counters: PushCounters, max_reads: int) -> None:
        self._reader = reader
        self._counters = counters
        self._limit = IterationLimit(TURNS_PER_ITERATION)
        self._permits = asyncio.Semaphore(max_reads)
        self._pages: OrderedDict[_Key, tuple[float, asyncio.Task[EncodedPage]]] = OrderedDict()
        self._reading: set[asyncio.Task[EncodedPage]] = set()

    async def read(self, read: ReadPage) -> EncodedPage:
        """Return the page after *read.after*.

        Raises:
            UnavailableError: the feed can't be reached.
        """
        key = read.after, read.wanted
        task = self._cached(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._read(read))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)
            self._store(key, task)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Cancel the reads that are running."""
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)

    def _cached(self, key: _Key) -> asyncio.Task[EncodedPage] | None:
        read_at, task = self._pages.get(key, (0.0, None))
        if task is None or not task.done():
            return task
        fresh = time.monotonic() - read_at < MAX_AGE_S and not task.cancelled() and task.exception() is None
        return task if fresh else None

    def _store(self, key: _Key, task: asyncio.Task[EncodedPage]) -> None:
        self._pages[key] = time.monotonic(), task
        self._pages.move_to_end(key)
        while len(self._pages) > MAX_PAGES:
            self._pages.popitem(last=False)

    async def _read(self, read: ReadPage) -> EncodedPage:
        async with self._permits:
            page = await self._reader.read(read.after, up_to=read.up_to, wanted=read.wanted, limit=PAGE_ENTRIES)
        self._counters.page_read()
        entries: list[Entry] = []
        for start in range(0, len(page.notifications), ENCODED_PER_TURN):
            await self._limit.turn()
            some = page.notifications[start : start + ENCODED_PER_TURN]
            entries += [encode(each, page.state.epoch) for each in some]
        return EncodedPage(page.state, entries, page.through)
