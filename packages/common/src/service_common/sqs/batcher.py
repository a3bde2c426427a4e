"""Batches single items into requests of up to ten."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from ..gathering import GatheringPolicy, RecentRate
from ..lifecycle import uncancelled
from .limits import MAX_BATCH

__all__ = ["Batcher"]

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Batcher(Generic[T]):
    """Passes items to *flush* when there are ten, or the first has waited as *gathering* says; flushes may overlap.

    *in_flight* returns how many items are under way and will be added: while there are any, a batch waits for them
    within the bound of *gathering*.

    *flush* handles its own failures: after an exception, which is a defect, *abandon* gets the items.
    """

    def __init__(
        self,
        flush: Callable[[Sequence[T]], Awaitable[None]],
        gathering: GatheringPolicy,
        abandon: Callable[[Sequence[T]], None],
        in_flight: Callable[[], int] = lambda: 0,
    ) -> None:
        self._flush = flush
        self._abandon = abandon
        self._gathering = gathering
        self._in_flight = in_flight
        self._rate = RecentRate()
        self._first_s = 0.0
        self._items: list[T] = []
        self._timer: asyncio.TimerHandle | None = None
        self._flushes: set[asyncio.Task[None]] = set()

    def add(self, item: T) -> None:
        """Add *item* to the next batch."""
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        self._rate.add(now_s)
        if not self._items:
            self._first_s = now_s
        self._items.append(item)
        due_s = self._first_s + self._gathering.delay_s(self._rate.per_s(now_s), self._in_flight())
        if len(self._items) >= MAX_BATCH or due_s <= now_s:
            self.flush_now()
        else:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = loop.call_at(due_s, self.flush_now)

    def flush_now(self) -> None:
        """Flush what is there without waiting for more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._items:
            items, self._items = self._items, []
            task = asyncio.ensure_future(self._flush_or_abandon(items))
            self._flushes.add(task)
            task.add_done_callback(self._flushes.discard)

    async def drain(self) -> None:
        """Flush everything, including what is added meanwhile; when cancelled, cancel the flushes."""
        try:
            while self._items or self._flushes:
                self.flush_now()
                # not gather(): from Python 3.12 on it returns at once when all have ended, so that the callbacks which
                # remove them from the set would never run
                await asyncio.wait(self._flushes)
        except asyncio.CancelledError:
            for task in self._flushes:
                task.cancel()
            raise

    async def _flush_or_abandon(self, items: Sequence[T]) -> None:
        try:
            await uncancelled(self._flush, items)
        except Exception:
            logger.critical("acknowledgement crashed", exc_info=True, extra={"messages": len(items)})
            self._abandon(items)
