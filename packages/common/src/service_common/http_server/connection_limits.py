"""Limits on connections and slow requests."""

from __future__ import annotations

import asyncio
import logging
import resource
import sys
from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from ..observability import Metrics

__all__ = [
    "ConnectionLimiter",
    "ConnectionLimits",
    "LimitedConnection",
    "max_connections",
    "raise_file_limit",
    "without_reserve",
]

logger = logging.getLogger(__name__)

# files kept for the database, the queues, calls to other services, the log
RESERVED_FILES = 256
# RLIM_INFINITY as a number: Linux allows no more (fs.nr_open), macOS refuses to set more (OPEN_MAX)
_UNLIMITED = 10_240 if sys.platform == "darwin" else 1 << 20
# connections checked before other tasks have their turn: closing so many takes some milliseconds
CHECKED_AT_ONCE = 100


def raise_file_limit() -> None:
    """Raise the soft limit of open files, usually 1,024, to the hard limit."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_finite(hard), hard))


def max_connections() -> int:
    """Return how many connections the limit of open files allows, without the files reserved for other purposes."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return without_reserve(_finite(soft), RESERVED_FILES)


def without_reserve(limit: int, reserve: int) -> int:
    """Return *limit* without *reserve*, or without a quarter of it when that is less."""
    return limit - min(reserve, limit // 4)


def _finite(limit: int) -> int:
    return _UNLIMITED if limit == resource.RLIM_INFINITY else limit


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Limits on the connections of a process.

    Attributes:
        files: a new connection whose file descriptor is this or higher is refused. The system assigns the lowest free
            number, so that streams and all other open files count too.
        head_s: time limit of the head of a request, from connecting or from its first byte.
        body_s: time limit of the body, from the end of the head.
        bodies_bytes: bytes that incomplete bodies may hold together; beyond it, those that began first are cut.
        unread_s: a client that reads no byte of its answer for this long is cut.
        keepalive_s: idle time between requests. nginx and load balancers close idle connections to a service after
            60 s; the client has to be first, or a request meets the close.
        sweep_s: interval of the checks, by which a limit may be exceeded.
    """

    files: int
    head_s: float = 10.0
    body_s: float = 30.0
    bodies_bytes: int = 32 << 20
    unread_s: float = 30.0
    keepalive_s: float = 75.0
    sweep_s: float = 1.0


class LimitedConnection(Protocol):
    """A connection that the limiter checks."""

    def is_stream(self) -> bool:
        """Return whether it was upgraded to a stream."""

    def overdue(self, now: float, limits: ConnectionLimits) -> str | None:
        """Return which time limit is exceeded at *now*: head, body or unread; None if none is."""

    def cut(self, reason: str) -> None:
        """Close it, after an answer where one can still be sent."""


class ConnectionLimiter:
    """Applies *limits* to all connections in one periodic sweep: a timer for each would cost every request.

    Attributes:
        bodies_bytes: what has arrived of incomplete bodies.
    """

    def __init__(self, limits: ConnectionLimits, metrics: Metrics) -> None:
        self.limits = limits
        self._connections: set[LimitedConnection] = set()
        self._bodies: dict[LimitedConnection, int] = {}
        self.bodies_bytes = 0
        self._cuts = metrics.counter(
            "http_connections_cut_total", "Connections that were refused or closed, by reason.", ("reason",)
        )
        self._unlogged: Counter[str] = Counter()
        metrics.gauge("http_connections", "Open connections without streams.").set_function(lambda: self.open)

    @property
    def open(self) -> int:
        """Number of open connections, without streams."""
        return len(self._connections)

    async def run(self) -> None:
        """Sweep until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.limits.sweep_s)
            await self.sweep(loop.time())

    async def sweep(self, now: float) -> None:
        """Cut the connections that are overdue at *now*; streams have limits of their own."""
        for number, connection in enumerate(tuple(self._connections), 1):
            if connection in self._connections:
                self._check(connection, now)
            if number % CHECKED_AT_ONCE == 0:
                await asyncio.sleep(0)
        if self._unlogged:
            logger.warning("connections cut", extra={"reasons": dict(self._unlogged), "open": self.open})
            self._unlogged.clear()

    def admit(self, connection: LimitedConnection, file: int) -> bool:
        """Add a connection with the file descriptor *file*; return False when it has to be refused."""
        if file >= self.limits.files:
            self._count_cut("full")
            return False
        self._connections.add(connection)
        return True

    def remove(self, connection: LimitedConnection) -> None:
        """Remove a closed connection."""
        self._connections.discard(connection)
        self.release(connection)

    def hold(self, connection: LimitedConnection, size_bytes: int) -> None:
        """Count *size_bytes* more of the incomplete body of *connection*; over the limit, cut the oldest bodies."""
        self._bodies[connection] = self._bodies.get(connection, 0) + size_bytes
        self.bodies_bytes += size_bytes
        while self.bodies_bytes > self.limits.bodies_bytes:
            oldest = next(iter(self._bodies))
            self.release(oldest)
            self._count_cut("bodies")
            oldest.cut("bodies")

    def release(self, connection: LimitedConnection) -> None:
        """Count the body of *connection* no more: it is complete or dropped."""
        self.bodies_bytes -= self._bodies.pop(connection, 0)

    def count_malformed(self) -> None:
        """Count a connection that is closed because its bytes are not HTTP."""
        self._cuts.labels("malformed").inc()

    def _check(self, connection: LimitedConnection, now: float) -> None:
        if connection.is_stream():
            self._connections.discard(connection)
        elif reason := connection.overdue(now, self.limits):
            self._count_cut(reason)
            connection.cut(reason)

    def _count_cut(self, reason: str) -> None:
        self._cuts.labels(reason).inc()
        self._unlogged[reason] += 1
