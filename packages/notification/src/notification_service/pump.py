"""Serves one client that is not LIVE: from the table, then from the ring, at the pace that its transport takes."""

from __future__ import annotations

import asyncio
import logging
import random

from service_common.errors import TransientError

from . import encode
from .hub import Await, Hub, Read, Reset, Settled, Write
from .meter import PushMeter
from .peer import Peer
from .ports import Source

__all__ = ["Pump"]

logger = logging.getLogger(__name__)

# notifications of one read of the table
READ_ENTRIES = 200
# while the table is away
READ_AGAIN_S = 1.0


class Pump:
    """Runs for each client while it is CATCHING_UP.

    Args:
        hub: says what comes next.
        source: the table.
        meter: counts.
        replays: reads of the table at the same time.
    """

    def __init__(self, hub: Hub, source: Source, meter: PushMeter, replays: int) -> None:
        self._hub = hub
        self._source = source
        self._meter = meter
        self._permits = asyncio.Semaphore(replays)
        self._moved: asyncio.Event = asyncio.Event()

    def head_moved(self) -> None:
        """Go on with those that wait for the head."""
        self._moved.set()
        self._moved = asyncio.Event()

    async def run(self, peer: Peer) -> None:
        """Serve *peer* until it is LIVE or gone."""
        subscription = peer.subscription
        try:
            while True:
                await peer.writable()
                match self._hub.step(subscription):
                    case Settled():
                        return
                    case Await():
                        await self._moved.wait()
                    case Write() as write:
                        self._hand_over(peer, write)
                        await asyncio.sleep(0)  # others are served in between
                    case Read() as read:
                        await self._replay(peer, read)
        finally:
            peer.pumped = False

    async def _replay(self, peer: Peer, read: Read) -> None:
        async with self._permits:
            try:
                page = await self._source.read(read.after, up_to=read.up_to, orders=read.orders, limit=READ_ENTRIES)
            except TransientError as error:
                logger.warning("replay interrupted", extra={"reason": str(error)})
                await asyncio.sleep(READ_AGAIN_S * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load
                return
        self._meter.replayed()
        match self._hub.replay(peer.subscription, read, page):
            case Write() as write:
                self._hand_over(peer, write)
            case Reset():
                framing = peer.subscription.framing
                peer.subscription.write(encode.reset(framing, self._hub.position(peer.subscription)))
                self._meter.reset()
            case None:
                pass

    def _hand_over(self, peer: Peer, write: Write) -> None:
        peer.subscription.write(write.data)
        self._meter.delivered(write.events, len(write.data))
