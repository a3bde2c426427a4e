"""One connection to PostgreSQL: everything that aiopg gets wrong is put right here."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiopg
import psycopg2
from psycopg2.extensions import parse_dsn, quote_ident

from service_common.errors import ServiceError
from service_common.postgres.errors import (
    DatabaseUnavailableError,
    DataError,
    StatementTimeoutError,
    is_connection_failure,
    translate,
)
from service_common.postgres.values import register

__all__ = ["Params", "Row", "Session", "SessionOptions", "connect"]

Params = Sequence[Any] | Mapping[str, Any]
Row = tuple[Any, ...]

# The server looks this often whether the client of a running statement is still there, so that an abandoned
# statement gives its row locks back.
_CLIENT_CHECK_MS = 500


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """Where to connect, as whom, and how long things may take.

    *statement_timeout_s* is kept by the server; *answer_timeout_s*, longer than that, ends the wait for a server that
    is frozen or cut off.
    """

    url: str
    name: str
    statement_timeout_s: float
    connect_timeout_s: float = 2.0

    @property
    def answer_timeout_s(self) -> float:
        """How long to wait for the answer to one statement, in seconds."""
        return self.statement_timeout_s + 1.0

    def parameters(self) -> dict[str, Any]:
        """Return the libpq parameters; what the URL says wins, except where correctness hangs on it."""
        given = parse_dsn(self.url)
        settings = (
            f"-c statement_timeout={int(self.statement_timeout_s * 1000)}"
            f" -c client_connection_check_interval={_CLIENT_CHECK_MS} -c timezone=UTC"
        )
        return {
            "application_name": self.name,
            "gssencmode": "disable",
            "keepalives_idle": 10,
            "keepalives_interval": 3,
            "keepalives_count": 3,
            **given,
            "options": f"{given.get('options', '')} {settings}".strip(),
        }


class _Connection(aiopg.Connection):
    """aiopg's connection, which forgets its descriptor the moment that libpq closed it.

    Its own ``_ready`` asks select() about the descriptor, which raises above 1023 and leaves the waiter waiting; its
    own ``_close`` takes the reader off a descriptor that may long belong to somebody else.
    """

    @staticmethod
    def _ready(weak_self: weakref.ref[_Connection]) -> None:
        with suppress(ValueError):
            aiopg.Connection._ready(weak_self)  # noqa: SLF001
        self = weak_self()
        if self is not None and self._conn.closed:
            self._close()

    def _close(self) -> None:
        if self._fileno is None and self._conn.closed:
            return
        super()._close()
        self._fileno = None


class Session:
    """One connection that runs one statement at a time."""

    __slots__ = ("_answer_timeout_s", "_connection", "_cursor")

    def __init__(self, connection: Any, cursor: Any, answer_timeout_s: float) -> None:
        self._connection = connection
        self._cursor = cursor
        self._answer_timeout_s = answer_timeout_s

    @property
    def usable(self) -> bool:
        """Whether the connection is still open, as far as is known without asking the server."""
        return not self._connection.raw.closed

    async def run(self, sql: str, params: Params) -> None:
        """Run one statement.

        Raises:
            ServiceError: one of those of :mod:`service_common.postgres.errors`; the session may have become unusable.
            asyncio.CancelledError: the task was cancelled; the session has become unusable.
        """
        try:
            async with asyncio.timeout(self._answer_timeout_s):
                await self._cursor.execute(sql, params or None)
        except psycopg2.Error as error:
            raise self._failure(error) from error
        except TimeoutError as error:
            self.close()
            raise DatabaseUnavailableError(f"PostgreSQL gave no answer in {self._answer_timeout_s} s") from error
        except asyncio.CancelledError as error:
            # aiopg raises this for the server's statement_timeout, too, but closes only when the task was cancelled
            if self.usable:
                raise StatementTimeoutError("PostgreSQL cancelled the statement") from error
            raise
        except (ValueError, TypeError) as error:
            raise DataError(str(error)) from error

    def _failure(self, error: psycopg2.Error) -> ServiceError:
        if is_connection_failure(error):
            self.close()
        return translate(error)

    def rows(self) -> list[Row]:
        """Return the rows of the last statement; none when it returns none."""
        raw = self._cursor.raw
        return raw.fetchall() if raw.description is not None else []

    def rowcount(self) -> int:
        """Return how many rows the last statement touched or returned."""
        return int(self._cursor.raw.rowcount)

    async def listen(self, channel: str) -> None:
        """Subscribe to the notifications of *channel*."""
        await self.run(f"LISTEN {quote_ident(channel, self._connection.raw)}", ())

    async def notification(self) -> str:
        """Wait for the next notification and return its payload.

        Raises:
            DatabaseUnavailableError: the connection broke.
        """
        try:
            return str((await self._connection.notifies.get()).payload)
        except psycopg2.Error as error:
            self.close()
            raise DatabaseUnavailableError(str(error).strip()) from error

    def close(self) -> None:
        """Close the connection; a statement that is running fails."""
        self._connection.close()


async def connect(options: SessionOptions) -> Session:
    """Open a connection.

    Raises:
        DatabaseUnavailableError: no address of the server took one in time.
    """
    parameters = options.parameters()
    failure: Exception | None = None
    try:
        async with asyncio.timeout(options.connect_timeout_s):
            for address in await _addresses(parameters):
                try:
                    return await _connect(options, parameters | address)
                except psycopg2.Error as error:
                    failure = error
    except (TimeoutError, OSError) as error:
        failure = failure or error
    detail = str(failure).strip() or f"no connection in {options.connect_timeout_s} s"
    raise DatabaseUnavailableError(detail) from failure


async def _connect(options: SessionOptions, parameters: Mapping[str, Any]) -> Session:
    # no time limit of aiopg's: before Python 3.12 its wait_for() may swallow a cancellation
    connection = _Connection(None, None, enable_json=False, enable_hstore=False, **parameters)  # type: ignore[arg-type]
    await connection
    register(connection.raw)
    return Session(connection, await connection.cursor(), options.answer_timeout_s)


async def _addresses(parameters: Mapping[str, Any]) -> list[dict[str, str]]:
    """Resolve the host: libpq would do it in the event loop's thread, and aiopg loses track from address to address."""
    host = str(parameters.get("host") or "")
    if not host or host.startswith(("/", "@")) or "," in host or "hostaddr" in parameters or _is_address(host):
        return [{}]
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [{"hostaddr": str(address[0])} for *_, address in found]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
