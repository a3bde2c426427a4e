"""Follows the feed: delivers what any replica appended to this process's hub, in order and without a gap."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from service_common.errors import TransientError
from service_common.gathering import GatheringPolicy, RecentRate

from ..notification import EVERYTHING, FeedReader, FeedState, Notification
from .sequencer import Sequenced, Sequencer

__all__ = ["FeedTailer"]

logger = logging.getLogger(__name__)

E = TypeVar("E", bound=Sequenced)


class FeedTailer(Generic[E]):
    """Reads the feed from a position on, whenever it is woken and at least every *poll_s* seconds.

    Args:
        reader: what is read.
        state: its head is the position to begin at.
        encode: turns a notification, with the epoch of its id, into what is published.
        publish: gets what directly follows what it got before, and the state of the feed.
        reset: gets the state of the feed when it does not continue what was published before.
        poll_s: the longest time between reads; wake-ups only shorten it.
        read_limit_s: how long a read takes at most: the limit of a statement, and a second for its answer.
        spacing_s: the time between reads under load, so that several notifications share a read and a write.
        batch: the most notifications of a read.
        wait_s: returns how long notifications should gather before the next read, in seconds; 0 unless under load.

    Attributes:
        lag: the number of notifications in the table that are not published yet, as of the last read.
        patience_s: the time for which a gap may be filled from elsewhere before the table is read; 0 without a bus.
    """

    def __init__(
        self,
        reader: FeedReader,
        state: FeedState,
        encode: Callable[[Notification, str], E],
        publish: Callable[[Sequence[E], FeedState], None],
        reset: Callable[[FeedState], None],
        *,
        poll_s: float = 1.0,
        read_limit_s: float = 6.0,
        spacing_s: float = 0.005,
        batch: int = 200,
        wait_s: Callable[[], float] = float,
    ) -> None:
        self._reader = reader
        self._encode = encode
        self._publish = publish
        self._reset = reset
        self._poll_s = poll_s
        self._late_s = poll_s + read_limit_s
        self._spacing = GatheringPolicy(spacing_s, full_at=2.0)
        self._rate = RecentRate()
        self._batch = batch
        self._wait_s = wait_s
        self._woken = asyncio.Event()
        self._sequencer = Sequencer[E](state)
        self._gap_timer: asyncio.TimerHandle | None = None
        self._read_at = asyncio.get_running_loop().time()
        self.lag = 0
        self.patience_s = 0.0

    @property
    def seen(self) -> FeedState:
        """The state with the furthest position that was published in this epoch, even if the feed went back since."""
        return self._sequencer.seen

    def delayed_ms(self) -> int | None:
        """Return how long ago the table was read; None within the time of a poll and a read.

        What a bus brings does not count: without the table, a gap in it is not filled.
        """
        age_s = asyncio.get_running_loop().time() - self._read_at
        return round(age_s * 1000) if age_s > self._late_s else None

    def wake(self, head: int | None = None) -> None:
        """Read now, unless everything up to *head* was read already."""
        if head is None or head > self._sequencer.seq:
            self._woken.set()

    def offer(self, appended: Sequence[Notification]) -> tuple[str, Sequence[E]]:
        """Publish what this process appended in one transaction when it is next; return it encoded, with its epoch."""
        epoch = self._sequencer.state.epoch
        items = [self._encode(each, epoch) for each in appended]
        self.take(epoch, items)
        return epoch, items

    def take(self, epoch: str, items: Sequence[E]) -> None:
        """Publish what of *items* is next; when something before is missing, read it after *patience_s*."""
        if following := self._sequencer.take(epoch, items):
            self._publish(following, self._sequencer.state)
        self._fill_gap()

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

    def _fill_gap(self) -> None:
        if not self._sequencer.has_gap:
            return
        if not self.patience_s:
            self.wake()
        elif self._gap_timer is None:
            loop = asyncio.get_running_loop()
            self._gap_timer = loop.call_later(self.patience_s, self._stop_waiting, self._sequencer.seq)

    def _stop_waiting(self, seq: int) -> None:
        self._gap_timer = None
        if self._sequencer.seq > seq:  # what is missing now has been missing for less long
            self._fill_gap()
        elif self._sequencer.has_gap:
            self.wake()

    async def _read(self) -> None:
        sequencer = self._sequencer
        read = sequencer.begin_read()
        page = await self._reader.read(read.after, wanted=EVERYTHING, limit=self._batch)
        self._read_at = asyncio.get_running_loop().time()
        state = page.state
        lacking = [self._encode(each, state.epoch) for each in page.notifications if sequencer.lacks(each.seq)]
        following = sequencer.finish_read(read, page, lacking)
        if following is None:
            logger.warning("feed reset", extra={"epoch": state.epoch, "head": state.head, "seen": read.after})
            self.lag = 0
            self._reset(state)
            return
        self._rate.add(asyncio.get_running_loop().time(), len(page.notifications))
        self._publish(following, state)
        self.lag = max(0, state.head - sequencer.seq)
        if self.lag:
            self._woken.set()
        self._fill_gap()
