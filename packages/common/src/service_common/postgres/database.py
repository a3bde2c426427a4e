"""Database access: one statement, one round trip, one transaction."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final, TypedDict

from ..errors import ServiceError
from ..observability import Attributes, Metrics, SpanKind
from .connection import ConnectOptions
from .errors import DatabaseUnwritableError
from .listen import notifications
from .pool import Pool
from .session import Params, Row, rowcount, rows

__all__ = ["STATEMENT_SPAN", "Database", "Params", "Row"]


class _SpanOptions(TypedDict):
    kind: SpanKind
    attributes: Attributes


# of the span of a statement, whose name is that of its file:
# https://opentelemetry.io/docs/specs/semconv/database/postgresql/
STATEMENT_SPAN: Final[_SpanOptions] = {"kind": SpanKind.CLIENT, "attributes": {"db.system.name": "postgresql"}}


_CLOCK = "SELECT extract(epoch FROM clock_timestamp())::float8"
_CLOCK_LIMIT_S = 60.0


class Database:
    """Runs single statements, each its own transaction, on a bounded pool of connections.

    Placeholders are ``%s`` or ``%(name)s``; in a statement with parameters a literal per cent sign is doubled. Lists
    become arrays, ``Json`` wraps what goes into ``json`` and ``jsonb``, timestamps come back aware and in UTC.

    Every method raises one of the errors of :mod:`service_common.postgres.errors`:
    DatabaseUnavailableError, StatementTimeoutError and BusyError (try again), IntegrityError and DataError (never
    again), StatementError (a fault in the statement). A cancelled statement is abandoned; the server ends it within
    0.5 s.
    """

    def __init__(self, pool: Pool, options: ConnectOptions) -> None:
        self._pool = pool
        self._options = options
        self._clock_ahead_s = 0.0
        self._clock_read_s = -math.inf

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, *, size: int = 8, name: str = "orderstream", statement_timeout_s: float = 5.0
    ) -> AsyncIterator[Database]:
        """Open the database at *url*; does not fail in an outage, but :attr:`available` is false.

        Args:
            url: a libpq connection URI or string.
            size: maximum connections, beside those of :meth:`listen`.
            name: ``application_name`` of the connections.
            statement_timeout_s: time limit of one statement at the server, in seconds.
        """
        options = ConnectOptions(url, name, statement_timeout_s)
        pool = Pool(options, size)
        database = cls(pool, options)
        try:
            with suppress(ServiceError):
                await database.ping()  # opens the first connection
            yield database
        finally:
            await pool.close()

    @property
    def available(self) -> bool:
        """Whether the database answers, as far as is known; false from a broken connection until a probe succeeds."""
        return self._pool.availability.up

    def expose(self, metrics: Metrics) -> None:
        """Show in *metrics* how busy the connections are."""
        gauge = metrics.gauge("database_connections", "Connections of the pool, and statements that wait.", ("state",))
        for state in self._pool.load:
            gauge.labels(state).set_function(partial(self._load, state))

    def _load(self, state: str) -> int:
        return self._pool.load[state]

    async def wait_available(self) -> None:
        """Return when the database answers and can write; consumers wait for it before they receive messages."""
        await self._pool.availability.wait()
        await self._pool.writes.wait()

    async def fetch(self, sql: str, params: Params = ()) -> list[Row]:
        """Run *sql* and return its rows."""
        session = await self._pool.acquire()
        try:
            return await session.run(sql, params, rows)
        finally:
            self._pool.release(session)

    async def fetch_one(self, sql: str, params: Params = ()) -> Row | None:
        """Run *sql* and return its first row, or None when there is none."""
        rows = await self.fetch(sql, params)
        return rows[0] if rows else None

    async def execute(self, sql: str, params: Params = ()) -> int:
        """Run *sql* and return the number of rows that it affected."""
        session = await self._pool.acquire()
        try:
            return await session.run(sql, params, rowcount)
        finally:
            self._pool.release(session)

    async def fetch_leased(self, sql: str, params: Mapping[str, object], lease_s: float) -> list[Row]:
        """Run *sql*, which takes a lease of *lease_s* seconds, and return its rows.

        It has the parameters ``lease_s`` and ``awaited_until`` beside *params*. A server that hung may begin with it
        when nobody waits for its answer any more. What it takes then is nobody's, so the lease has to be 0 s: after
        ``awaited_until``, in seconds since 1970 by the server's clock.
        """
        if asyncio.get_running_loop().time() > self._clock_read_s + _CLOCK_LIMIT_S:
            await self.ping()
        session = await self._pool.acquire()
        try:
            lease = {"lease_s": lease_s, "awaited_until": self._awaited_until()}
            return await session.run(sql, {**params, **lease}, rows)
        finally:
            self._pool.release(session)

    def _awaited_until(self) -> float:
        return self._clock_ahead_s + asyncio.get_running_loop().time() + self._options.answer_timeout_s

    async def check(self) -> None:
        """Check for readiness that the database answers, and that it can write as far as is known.

        Raises:
            DatabaseUnwritableError: its disk is full, or fails.
            DatabaseUnavailableError: it does not answer.
        """
        if (reason := self._pool.writes.reason) is not None:
            raise DatabaseUnwritableError(reason)
        await self.ping()

    async def ping(self) -> None:
        """Return when the database answers a trivial statement, which tells its clock for :meth:`fetch_leased`."""
        [(server_s,)] = await self.fetch(_CLOCK)
        self._clock_read_s = asyncio.get_running_loop().time()
        self._clock_ahead_s = server_s - self._clock_read_s

    def listen(self, channel: str) -> AsyncGenerator[str, None]:
        """Yield the payload of each notification on *channel*, for as long as it is iterated.

        Uses a connection of its own and opens a new one when it breaks. Notifications sent meanwhile are lost, so an
        empty payload is yielded each time that listening has begun: the caller reads the table then.
        """
        return notifications(self._options, self._pool, channel)
