"""Follows the table: delivers what any replica appended to this process's hub, in order and without a gap."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from service_common.errors import TransientError
from service_common.gathering import GatheringPolicy, RecentRate

from ..notification import EVERYTHING, FeedReader, FeedState, Notification, Page

__all__ = ["FeedTailer"]

logger = logging.getLogger(__name__)


class FeedTailer:
    """Reads the feed from a position on, whenever it is woken and at least every *poll_s* seconds.

    Args:
        reader: what is read.
        state: its head is the position to begin at.
        publish: gets notifications that directly follow the previous ones, and the state of the feed.
        reset: gets the state of the feed when it does not continue what was published before.
        poll_s: the longest time between reads; wake-ups only shorten it.
        spacing_s: the time between reads under load, so that several notifications share a read and a write.
        batch: the most notifications of a read.
        wait_s: returns how long notifications should gather before the next read, in seconds; 0 unless under load.

    Attributes:
        lag: the number of notifications in the table that are not published yet, as of the last read.
    """

    def __init__(
        self,
        reader: FeedReader,
        state: FeedState,
        publish: Callable[[Sequence[Notification], FeedState], None],
        reset: Callable[[FeedState], None],
        *,
        poll_s: float = 1.0,
        spacing_s: float = 0.005,
        batch: int = 200,
        wait_s: Callable[[], float] = float,
    ) -> None:
        self._reader = reader
        self._publish = publish
        self._reset = reset
        self._poll_s = poll_s
        self._spacing = GatheringPolicy(spacing_s, full_at=2.0)
        self._rate = RecentRate()
        self._batch = batch
        self._wait_s = wait_s
        self._woken = asyncio.Event()
        self._state = state
        self._seq = state.head
        self._furthest = state.head
        self.lag = 0

    @property
    def seen(self) -> FeedState:
        """The state with the furthest position that was published in this epoch, even if the feed went back since."""
        return replace(self._state, head=max(self._furthest, self._seq))

    def wake(self, head: int | None = None) -> None:
        """Read now, unless everything up to *head* was read already."""
        if head is None or head > self._seq:
            self._woken.set()

    def offer(self, appended: Sequence[Notification]) -> None:
        """Publish what this process appended in one transaction if it comes next; otherwise read."""
        if appended[0].seq == self._seq + 1:
            self._publish(appended, self._state)
            self._seq = appended[-1].seq
        else:
            self.wake()

    async def run(self) -> None:
        """Follow the feed until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await self._woken.wait()
            self._woken.clear()
            try:
                await self._read()
            except TransientError as error:
                logger.warning("feed read failed", extra={"reason": str(error)})
            spacing_s = self._spacing.delay_s(self._rate.per_s(asyncio.get_running_loop().time()))
            await asyncio.sleep(max(spacing_s, self._wait_s()))

    async def _read(self) -> None:
        after = self._seq
        page = await self._reader.read(after, wanted=EVERYTHING, limit=self._batch)
        state = page.state
        if self._seq != after:  # an offer was published during the read
            self.wake(state.head)
            return
        if not self._continues(page):
            logger.warning("feed reset", extra={"epoch": state.epoch, "head": state.head, "seen": self._seq})
            self._furthest = self.seen.head if state.epoch == self._state.epoch else state.head
            self._state, self._seq, self.lag = state, state.head, 0
            self._reset(state)
            return
        self._rate.add(asyncio.get_running_loop().time(), len(page.notifications))
        self._publish(page.notifications, state)
        self._state, self._seq = state, page.through
        self.lag = state.head - self._seq
        if self.lag:
            self._woken.set()

    def _continues(self, page: Page) -> bool:
        state = page.state
        dense = not page.notifications or page.notifications[0].seq == self._seq + 1
        return state.epoch == self._state.epoch and state.floor <= self._seq <= state.head and dense
