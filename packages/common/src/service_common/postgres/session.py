"""One statement at a time on one connection, with driver errors translated."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import aiopg
import orjson
from psycopg2 import extras
from psycopg2.extensions import quote_ident

from ..errors import ServiceError
from .connection import Connection, ConnectOptions, connect
from .errors import DatabaseUnavailableError, DatabaseUnwritableError, is_connection_failure, translate

__all__ = ["Json", "Params", "Row", "Session", "open_session", "rowcount", "rows"]

T = TypeVar("T")

Params = Sequence[Any] | Mapping[str, Any]
Row = tuple[Any, ...]


class Json(extras.Json):
    """Pass *adapted* as ``json`` or ``jsonb``."""

    def dumps(self, obj: Any) -> str:
        """Return *obj* as JSON text; orjson also takes datetimes, UUIDs and dataclasses."""
        return orjson.dumps(obj).decode()


class Session:
    """One connection that runs one statement at a time.

    Attributes:
        broken: why the connection failed, if it did; it is then no longer usable.
        unwritable: why the server could not write what the last statement needed, if it could not.
    """

    __slots__ = ("_answer_timeout_s", "_connection", "_cursor", "_loop", "broken", "unwritable")

    def __init__(self, connection: Connection, cursor: aiopg.Cursor, answer_timeout_s: float) -> None:
        self._connection = connection
        self._cursor = cursor
        self._answer_timeout_s = answer_timeout_s
        self._loop = asyncio.get_running_loop()
        self.broken: str | None = None
        self.unwritable: str | None = None

    @property
    def usable(self) -> bool:
        """Whether the connection is still open, as far as is known without asking the server."""
        return not self._connection.closed

    async def run(self, sql: str, params: Params, read: Callable[[Any], T]) -> T:
        """Run one statement and return what *read* makes of its answer, the cursor of psycopg2.

        Raises:
            ServiceError: one of those of :mod:`service_common.postgres.errors`; the session may have become unusable.
            asyncio.CancelledError: the task was cancelled; the session has become unusable.
        """
        # closes the connection instead of cancelling the task, as asyncio.timeout() would: aiopg confuses cancellations
        timer = self._loop.call_later(self._answer_timeout_s, self._give_up)
        self.unwritable = None
        try:
            await self._cursor.execute(sql, params or None)
            return read(self._cursor.raw)
        except Exception as error:
            raise self._failure(error) from error
        finally:
            timer.cancel()

    def _failure(self, error: Exception) -> ServiceError:
        if self.broken is not None:
            return DatabaseUnavailableError(self.broken)
        failure = translate(error)
        if is_connection_failure(error):
            self.broken = failure.detail
        elif isinstance(failure, DatabaseUnwritableError):
            self.unwritable = failure.detail
        if self.broken is not None or self._connection.isexecuting():
            self.close()
        return failure

    def _give_up(self) -> None:
        # after a pause of this process the timer may run before the task, or the socket, whose answer has come
        if not self._connection.answered():
            self.broken = f"PostgreSQL gave no answer in {self._answer_timeout_s} s"
            self.close()

    async def listen(self, channel: str) -> None:
        """Subscribe to the notifications of *channel*."""
        await self.run(f"LISTEN {quote_ident(channel, self._connection.raw)}", (), rowcount)

    async def notification(self) -> str:
        """Wait for the next notification and return its payload.

        Raises:
            DatabaseUnavailableError: the connection broke.
        """
        try:
            return str((await self._connection.notifies.get()).payload)
        except Exception as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Close the connection; a statement that is running fails."""
        self._connection.close()


def rows(answer: Any) -> list[Row]:
    """Return the rows of *answer*; none when the statement returns none."""
    return cast(list[Row], answer.fetchall()) if answer.description is not None else []


def rowcount(answer: Any) -> int:
    """Return how many rows the statement affected or returned."""
    return int(answer.rowcount)


async def open_session(options: ConnectOptions) -> Session:
    """Open a connection for statements.

    Raises:
        DatabaseUnavailableError: PostgreSQL is unavailable, has no connection left or refuses us.
    """
    connection = await connect(options)
    try:
        return Session(connection, await connection.cursor(), options.answer_timeout_s)
    except Exception as error:
        connection.close()
        raise DatabaseUnavailableError(str(error)) from error
