"""Wakes the tails of all replicas after an append: at once in this process, by NOTIFY in the others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from service_common.errors import TransientError
from service_common.postgres import Database

from ..notification import Notification
from .postgres import WAKE_UP_CHANNEL, SqlFeed
from .tailer import Tail

__all__ = ["Wakeup"]

logger = logging.getLogger(__name__)

# while the database can't be asked whether it is the same
OPEN_AGAIN_S = 1.0


class Wakeup:
    """Tells of appends, and hears of those of other replicas; losing one costs only the wait for the next poll.

    NOTIFY is a statement of its own after the commit, and one for all appends within *spacing_s*: inside the append
    every commit would wake every replica. Who is alone tells nobody, but looks every *alone_s* whether it still is.
    """

    def __init__(self, feed: SqlFeed, tail: Tail, *, spacing_s: float = 0.02, alone_s: float = 1.0) -> None:
        self._feed = feed
        self._tail = tail
        self._spacing_s = spacing_s
        self._alone_s = alone_s
        self._appended = asyncio.Event()
        self._head = 0

    def appended(self, notifications: Sequence[Notification]) -> None:
        """Tell everyone of what this process appended in one transaction."""
        self._head = notifications[-1].seq
        self._tail.offer(notifications)
        self._appended.set()

    async def tell(self) -> None:
        """Pass wake-ups on to the other replicas, for ever."""
        while True:
            await self._appended.wait()
            self._appended.clear()
            listening = 0
            try:
                listening = await self._feed.wake_replicas(self._head)
            except TransientError as error:
                logger.warning("replicas not woken", extra={"reason": str(error)})
            await asyncio.sleep(self._alone_s if listening == 1 else self._spacing_s)

    async def hear(self, database: Database) -> None:
        """Wake the tail when another replica tells of an append, for ever."""
        async for payload in database.listen(WAKE_UP_CHANNEL):
            if not payload:
                await self._open_again()
            self._tail.wake(int(payload) if payload.isdecimal() else None)

    async def _open_again(self) -> None:
        """The connection is a new one: who answers now may be a copy or a backup, without what clients have seen."""
        while True:
            try:
                await self._feed.open()
                await self._feed.disown(self._tail.seen)
            except TransientError as error:
                logger.warning("feed not opened", extra={"reason": str(error)})
                await asyncio.sleep(OPEN_AGAIN_S)
            else:
                return
