"""Heartbeats and connection timeouts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from ..notification import EventId
from .broadcaster import SLICES, Broadcaster
from .connection import PushConnection
from .encoding import ByeReason, Framing, heartbeat_frame
from .hub import SubscriptionState

__all__ = ["CHECKED_AT_ONCE", "Heartbeats"]

# connections checked before other tasks have their turn
CHECKED_AT_ONCE = 250


class Heartbeats:
    """Sends each connection a heartbeat once an interval, and closes or aborts those over a limit.

    An interval has `SLICES` ticks. Each connection gets its heartbeat in the tick of its slice, and more of them if it
    wants to; the limits on slow clients are checked for all connections in every tick.
    """

    def __init__(self, broadcaster: Broadcaster) -> None:
        self._broadcaster = broadcaster
        self._limits = broadcaster.limits
        self._tick = 0

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            await asyncio.sleep(self._limits.heartbeat_s / SLICES)
            await self.tick(time.monotonic())

    async def tick(self, now: float) -> None:
        """Serve one slice; *now* is on the monotonic clock."""
        self._tick += 1
        self._broadcaster.hub.buffer.trim(now)
        connections = tuple(self._broadcaster.connections)
        for start in range(0, len(connections), CHECKED_AT_ONCE):
            self._check(connections[start : start + CHECKED_AT_ONCE], now)
            await asyncio.sleep(0)  # a notification that is due is written first

    def _check(self, connections: Sequence[PushConnection], now: float) -> None:
        hub = self._broadcaster.hub
        position, delayed_ms = EventId(hub.epoch, hub.head), self._broadcaster.delayed_ms()
        at_head = {framing: heartbeat_frame(framing, position, delayed_ms) for framing in Framing}
        for connection in connections:
            if connection not in self._broadcaster.connections:  # lost since the tick began
                continue
            if reason := self._abort_reason(connection, now):
                self._broadcaster.abort(connection, reason)
            elif (self._tick - connection.slice) % connection.heartbeat_ticks == 0 and connection.closing_at is None:
                self._serve(connection, now, at_head)

    def _serve(self, connection: PushConnection, now: float, at_head: dict[Framing, bytes]) -> None:
        subscription = connection.subscription
        if now > connection.expires_at:
            self._broadcaster.close_connection(connection, ByeReason.AGE)
        elif subscription.state is SubscriptionState.LIVE:
            subscription.write(at_head[subscription.framing])
        elif connection.paused_at is None:
            subscription.write(self._broadcaster.heartbeat(subscription))

    def _abort_reason(self, connection: PushConnection, now: float) -> str | None:
        if connection.closing_at is not None:
            return "stuck" if now - connection.closing_at > self._limits.close_timeout_s else None
        if connection.paused_at is None:
            return None
        if now - connection.paused_at > self._limits.pause_limit_s:
            return "stalled"
        behind = self._broadcaster.hub.head - connection.subscription.cursor
        return "behind" if behind > self._limits.behind_limit else None
