"""Wakes the tailers of all replicas after an append: the own one directly, the others by PostgreSQL's NOTIFY."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Generic, TypeVar

from service_common.errors import TransientError
from service_common.gathering import GatheringPolicy, RecentRate
from service_common.postgres import Database

from ..notification import Notification
from .postgres import NOTIFY_CHANNEL, SqlFeed
from .sequencer import Sequenced
from .tailer import FeedTailer

__all__ = ["ListenNotify"]

logger = logging.getLogger(__name__)

E = TypeVar("E", bound=Sequenced)

OPEN_RETRY_S = 1.0


class ListenNotify(Generic[E]):
    """Sends and receives wake-ups; a lost one delays the replica until its next poll.

    NOTIFY is a statement of its own after the commit: as part of the append, every commit would wake every replica.
    Under load one serves all appends within *spacing_s* seconds. A single replica sends one only every *alone_s*
    seconds, to find out whether another has started. The channel also has notifications for others, with words as
    payloads: *wake_others* is called for each, and whenever some may have been lost.
    """

    def __init__(
        self,
        feed: SqlFeed,
        tailer: FeedTailer[E],
        *,
        spacing_s: float = 0.02,
        alone_s: float = 1.0,
        wake_others: Callable[[], None] = lambda: None,
    ) -> None:
        self._feed = feed
        self._tailer = tailer
        self._spacing = GatheringPolicy(spacing_s, full_at=2.0)
        self._rate = RecentRate()
        self._alone_s = alone_s
        self._wake_others = wake_others
        self._pending = asyncio.Event()
        self._head = 0

    def appended(self, notifications: Sequence[Notification]) -> None:
        """Publish what this process appended in one transaction, here and to the other replicas."""
        self._tailer.offer(notifications)
        self.announce(notifications[-1].seq)

    def announce(self, head: int) -> None:
        """Wake the other replicas: the table has everything up to *head*."""
        self._head = head
        self._rate.add(asyncio.get_running_loop().time())
        self._pending.set()

    async def notify(self) -> None:
        """Send wake-ups until cancelled."""
        while True:
            await self._pending.wait()
            self._pending.clear()
            listening = 0
            try:
                listening = await self._feed.notify_replicas(self._head)
            except TransientError as error:
                logger.warning("feed notify failed", extra={"reason": str(error)})
            spacing_s = self._spacing.delay_s(self._rate.per_s(asyncio.get_running_loop().time()))
            await asyncio.sleep(self._alone_s if listening == 1 else spacing_s)

    async def listen(self, database: Database) -> None:
        """Wake the tailer for each wake-up of another replica until cancelled."""
        async with aclosing(database.listen(NOTIFY_CHANNEL)) as payloads:  # a listener that died keeps no connection
            async for payload in payloads:
                if payload.isdecimal():
                    self._tailer.wake(int(payload))
                    continue
                self._wake_others()
                if not payload:
                    await self._reopen()
                    self._tailer.wake()

    async def _reopen(self) -> None:
        """Check the epoch on a new connection: the server may be a copy or a backup that lacks what clients saw."""
        while True:
            try:
                await self._feed.open()
                await self._feed.renew_epoch(self._tailer.seen)
            except TransientError as error:
                logger.warning("feed open failed", extra={"reason": str(error)})
                await asyncio.sleep(OPEN_RETRY_S)
            else:
                return
