"""Serves one client that is not LIVE: from the table, then from the ring, at the pace that its transport takes."""

from __future__ import annotations

import asyncio
import logging
import random

from service_common.errors import TransientError

from . import encoding
from .connection import Peer
from .counters import PushMeter
from .hub import Await, Hub, Read, Reset, Settled, Write
from .page_cache import Excerpts

__all__ = ["Pump"]

logger = logging.getLogger(__name__)

# while the table is away
READ_AGAIN_S = 1.0


class Pump:
    """Runs for each client while it is CATCHING_UP.

    Args:
        hub: says what comes next.
        excerpts: the table.
        meter: counts.
    """

    def __init__(self, hub: Hub, excerpts: Excerpts, meter: PushMeter) -> None:
        self._hub = hub
        self._excerpts = excerpts
        self._meter = meter
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
                    case Read() as read:
                        await self._replay(peer, read)
                await asyncio.sleep(0)  # others are served in between
        finally:
            peer.pumped = False

    async def _replay(self, peer: Peer, read: Read) -> None:
        try:
            excerpt = await self._excerpts.read(read)
        except TransientError as error:
            logger.warning("replay interrupted", extra={"reason": str(error)})
            await asyncio.sleep(READ_AGAIN_S * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load
            return
        match self._hub.replay(peer.subscription, read, excerpt):
            case Write() as write:
                self._hand_over(peer, write)
            case Reset():
                framing = peer.subscription.framing
                peer.subscription.write(encoding.reset(framing, self._hub.position(peer.subscription)))
                self._meter.reset()
            case None:
                pass

    def _hand_over(self, peer: Peer, write: Write) -> None:
        peer.subscription.write(write.data)
        self._meter.delivered(write.events, len(write.data))
