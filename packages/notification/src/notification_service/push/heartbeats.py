"""What time does to connections: heartbeats, and the end of those that are stuck, too far behind or old."""

from __future__ import annotations

import asyncio
import time

from ..notification import EventId
from . import encoding
from .broadcaster import SLICES, Broadcaster
from .connection import Peer
from .encoding import Framing
from .hub import State
from .limits import retry_ms

__all__ = ["Sweep"]


class Sweep:
    """Visits every connection once in each heartbeat interval, and those in trouble at each slice of it."""

    def __init__(self, broadcaster: Broadcaster) -> None:
        self._broadcaster = broadcaster
        self._limits = broadcaster.limits
        self._slice = 0

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            await asyncio.sleep(self._limits.heartbeat_s / SLICES)
            self.tick(time.monotonic())

    def tick(self, now: float) -> None:
        """Sweep one slice."""
        self._slice = (self._slice + 1) % SLICES
        hub = self._broadcaster.hub
        hub.ring.trim(now)
        beats = {framing: encoding.heartbeat(framing, EventId(hub.epoch, hub.head)) for framing in Framing}
        for peer in tuple(self._broadcaster.peers):
            if reason := self._trouble(peer, now):
                self._broadcaster.cut(peer, reason)
            elif peer.slice == self._slice and peer.ending_at is None:
                self._visit(peer, now, beats)

    def _visit(self, peer: Peer, now: float, beats: dict[Framing, bytes]) -> None:
        subscription = peer.subscription
        if now > peer.expires_at:
            self._broadcaster.end(peer, retry_ms())
        elif subscription.state is State.LIVE:
            subscription.write(beats[subscription.framing])
        elif peer.paused_at is None:
            position = self._broadcaster.hub.position(subscription)
            subscription.write(encoding.heartbeat(subscription.framing, position))

    def _trouble(self, peer: Peer, now: float) -> str | None:
        if peer.ending_at is not None:
            return "stuck" if now - peer.ending_at > self._limits.ending_s else None
        if peer.paused_at is None:
            return None
        if now - peer.paused_at > self._limits.pause_limit_s:
            return "stalled"
        behind = self._broadcaster.hub.head - peer.subscription.cursor
        return "behind" if behind > self._limits.behind_limit else None
