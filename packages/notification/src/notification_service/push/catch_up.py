"""Serves a client that is not LIVE: from the feed, then from the replay buffer, as fast as its transport accepts."""

from __future__ import annotations

import asyncio
import logging
import random

from service_common.errors import TransientError

from .connection import PushConnection
from .counters import PushCounters
from .encoding import reset_frame
from .hub import AwaitHead, Hub, ReadPage, SendReset, UpToDate, Write
from .iteration_limit import IterationLimit
from .page_cache import PageCache

__all__ = ["CatchUp"]

logger = logging.getLogger(__name__)

READ_RETRY_S = 1.0
# writes of up to 64 KiB, of all connections together: LIVE ones wait no longer than for these
TURNS_PER_ITERATION = 8


class CatchUp:
    """Runs once for each connection while its subscription is CATCHING_UP.

    Args:
        hub: decides what comes next.
        pages: reads the feed.
        counters: counts deliveries and resets.
    """

    def __init__(self, hub: Hub, pages: PageCache, counters: PushCounters) -> None:
        self._hub = hub
        self._pages = pages
        self._counters = counters
        self._moved: asyncio.Event = asyncio.Event()
        self._limit = IterationLimit(TURNS_PER_ITERATION)

    def head_moved(self) -> None:
        """Resume the connections that wait for the head."""
        self._moved.set()
        self._moved = asyncio.Event()

    async def run(self, connection: PushConnection) -> None:
        """Serve *connection* until its subscription is LIVE or GONE."""
        subscription = connection.subscription
        try:
            while True:
                await connection.writable()
                if self._hub.is_up_to_date(subscription):
                    return
                await self._limit.turn()
                if connection.paused_at is not None:  # since
                    continue
                match self._hub.next_action(subscription):
                    case UpToDate():
                        return
                    case AwaitHead():
                        await self._moved.wait()
                    case Write() as write:
                        self._write(connection, write)
                    case ReadPage() as read:
                        await self._replay(connection, read)
        finally:
            connection.catching_up = False

    async def _replay(self, connection: PushConnection, read: ReadPage) -> None:
        try:
            page = await self._pages.read(read)
        except TransientError as error:
            logger.warning("replay read failed", extra={"reason": str(error)})
            await asyncio.sleep(READ_RETRY_S * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load
            return
        await self._limit.turn()  # many may have waited for the same page
        subscription = connection.subscription
        match self._hub.replay(subscription, read, page):
            case Write() as write:
                self._write(connection, write)
            case SendReset():
                subscription.write(reset_frame(subscription.framing, self._hub.position(subscription)))
                self._counters.reset()
            case None:
                pass

    def _write(self, connection: PushConnection, write: Write) -> None:
        connection.subscription.write(write.data)
        self._counters.delivered(write.events, len(write.data))
