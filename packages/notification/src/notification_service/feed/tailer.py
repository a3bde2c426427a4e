"""Follows the table: what any replica appended reaches this process's hub, in order and without a gap."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from service_common.errors import TransientError

from ..notification import FeedState, Notification, Page
from .ports import Source

__all__ = ["Tail"]

logger = logging.getLogger(__name__)


class Tail:
    """Reads the feed from a place on, whenever it is woken and every *poll_s* in any case.

    Args:
        source: what is read.
        state: its head is where to begin.
        publish: gets notifications that follow those before, and the state of the feed.
        restart: gets the state of the feed when what was read before is not what went before it.
        poll_s: how long it sleeps at most; the wake-ups are only an acceleration.
        spacing_s: how long from one read to the next at least, so that under load several notifications share a read
            and a write.
        batch: the most notifications of a read.
    """

    def __init__(
        self,
        source: Source,
        state: FeedState,
        publish: Callable[[Sequence[Notification], FeedState], None],
        restart: Callable[[FeedState], None],
        *,
        poll_s: float = 1.0,
        spacing_s: float = 0.005,
        batch: int = 200,
    ) -> None:
        self._source = source
        self._publish = publish
        self._restart = restart
        self._poll_s = poll_s
        self._spacing_s = spacing_s
        self._batch = batch
        self._woken = asyncio.Event()
        self._state = state
        self._seq = state.head
        self._furthest = state.head
        self.lag = 0

    @property
    def seen(self) -> FeedState:
        """The furthest place of the present epoch that was handed on, even if the feed went back since."""
        return replace(self._state, head=max(self._furthest, self._seq))

    def wake(self, head: int | None = None) -> None:
        """Read soon, unless everything up to *head* was read already."""
        if head is None or head > self._seq:
            self._woken.set()

    def offer(self, appended: Sequence[Notification]) -> None:
        """Take what this process appended itself in one transaction; it need not be read if it comes next."""
        if appended[0].seq == self._seq + 1:
            self._seq = appended[-1].seq
            self._publish(appended, self._state)
        else:
            self.wake()

    async def run(self) -> None:
        """Follow the feed for ever."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await self._woken.wait()
            self._woken.clear()
            try:
                await self._read()
            except TransientError as error:
                logger.warning("feed not read", extra={"reason": str(error)})
            await asyncio.sleep(self._spacing_s)

    async def _read(self) -> None:
        after = self._seq
        page = await self._source.read(after, limit=self._batch)
        state = page.state
        if self._seq != after:  # something that was offered overtook the read
            self.wake(state.head)
            return
        if self._broken(page):
            logger.warning("feed starts anew", extra={"epoch": state.epoch, "head": state.head, "seen": self._seq})
            self._furthest = self.seen.head if state.epoch == self._state.epoch else state.head
            self._state, self._seq, self.lag = state, state.head, 0
            self._restart(state)
            return
        self._state, self._seq = state, page.through
        self.lag = state.head - self._seq
        if self.lag:
            self._woken.set()
        self._publish(page.notifications, state)

    def _broken(self, page: Page) -> bool:
        state = page.state
        gap = bool(page.notifications) and page.notifications[0].seq != self._seq + 1
        return state.epoch != self._state.epoch or not state.floor <= self._seq <= state.head or gap
