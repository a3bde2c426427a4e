"""What a client may take of the HTTP edge: a number of connections, and time for each part of a request."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from ..observability import Metrics

__all__ = ["Edge", "EdgeLimits", "ServerConnection"]

logger = logging.getLogger(__name__)

# looked at before others have their turn: to cut so many takes some milliseconds
AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeLimits:
    """Limits of the connections of a process.

    Attributes:
        files: a connection is not taken when the process has so many open files (the system gives the lowest number
            that is free, so this is a look at the number). Streams and everything else count.
        head_s: for the head of a request, from connecting or from its first byte.
        body_s: for the body, from the end of the head.
        unread_s: a client that takes no byte of its answer for so long is cut.
        keepalive_s: from an answer to the first byte of the next request. nginx ends an idle connection to a service
            after 60 s, load balancers too: the side that asks has to be first, or a request meets the end.
        sweep_s: a limit strikes up to so much late.
    """

    files: int
    head_s: float = 10.0
    body_s: float = 30.0
    unread_s: float = 30.0
    keepalive_s: float = 75.0
    sweep_s: float = 1.0


class ServerConnection(Protocol):
    """What the edge asks of a connection."""

    def is_stream(self) -> bool:
        """Say whether it is no connection of requests and answers any more."""

    def overdue(self, now: float, limits: EdgeLimits) -> str | None:
        """Return what it has taken too long for at *now*: head, body, unread."""

    def cut(self, reason: str) -> None:
        """End it, with an answer where one can still be given."""


class Edge:
    """The connections of a process. One sweep looks at all: a timer for each would be paid for by every request."""

    def __init__(self, limits: EdgeLimits, metrics: Metrics) -> None:
        self.limits = limits
        self._watched: set[ServerConnection] = set()
        self._cuts = metrics.counter("http_connections_cut_total", "Connections ended, by the reason.", ("reason",))
        self._untold: Counter[str] = Counter()
        metrics.gauge("http_connections", "Open connections that are no streams.").set_function(lambda: self.open)

    @property
    def open(self) -> int:
        """How many connections are open, without streams."""
        return len(self._watched)

    async def run(self) -> None:
        """Sweep for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.limits.sweep_s)
            await self.sweep(loop.time())

    async def sweep(self, now: float) -> None:
        """End what is overdue at *now*; a stream has limits of its own."""
        for number, connection in enumerate(tuple(self._watched), 1):
            if connection in self._watched:
                self._look_at(connection, now)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        if self._untold:
            logger.warning("connections cut", extra={"reasons": dict(self._untold), "open": self.open})
            self._untold.clear()

    def enter(self, connection: ServerConnection, file: int) -> bool:
        """Take in a connection that is the open file number *file*; false when there is no room for it."""
        if file >= self.limits.files:
            self._count_cut("full")
            return False
        self._watched.add(connection)
        return True

    def leave(self, connection: ServerConnection) -> None:
        """Let go of it."""
        self._watched.discard(connection)

    def malformed(self) -> None:
        """Count a connection that ends because what came over it is no HTTP."""
        self._cuts.labels("malformed").inc()

    def _look_at(self, connection: ServerConnection, now: float) -> None:
        if connection.is_stream():
            self._watched.discard(connection)
        elif reason := connection.overdue(now, self.limits):
            self._count_cut(reason)
            connection.cut(reason)

    def _count_cut(self, reason: str) -> None:
        self._cuts.labels(reason).inc()
        self._untold[reason] += 1
