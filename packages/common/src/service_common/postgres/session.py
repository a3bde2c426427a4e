"""One statement at a time on one connection, with driver errors translated."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

import aiopg
import orjson
import psycopg2
from psycopg2 import extras
from psycopg2.extensions import quote_ident

from ..errors import ServiceError
from .connection import ConnectOptions, connect
from .errors import DatabaseUnavailableError, DataError, is_connection_failure, translate

__all__ = ["Json", "Params", "Row", "Session", "open_session"]

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
    """

    __slots__ = ("_answer_timeout_s", "_connection", "_cursor", "_loop", "broken")

    def __init__(self, connection: aiopg.Connection, cursor: aiopg.Cursor, answer_timeout_s: float) -> None:
        self._connection = connection
        self._cursor = cursor
        self._answer_timeout_s = answer_timeout_s
        self._loop = asyncio.get_running_loop()
        self.broken: str | None = None

    @property
    def usable(self) -> bool:
        """Whether the connection is still open, as far as is known without asking the server."""
        return not self._connection.closed

    async def run(self, sql: str, params: Params) -> None:
        """Run one statement.

        Raises:
            ServiceError: one of those of :mod:`service_common.postgres.errors`; the session may have become unusable.
            asyncio.CancelledError: the task was cancelled; the session has become unusable.
        """
        # closes the connection instead of cancelling the task, as asyncio.timeout() would: aiopg confuses cancellations
        timer = self._loop.call_later(self._answer_timeout_s, self._give_up)
        try:
            await self._cursor.execute(sql, params or None)
        except psycopg2.Error as error:
            raise self._failure(error) from error
        except (ValueError, orjson.JSONEncodeError) as error:  # text that PostgreSQL cannot hold: NUL, lone surrogates
            raise DataError(str(error)) from error
        finally:
            timer.cancel()

    def _failure(self, error: psycopg2.Error) -> ServiceError:
        if self.broken is not None:
            return DatabaseUnavailableError(self.broken)
        failure = translate(error)
        if is_connection_failure(error):
            self.broken = failure.detail
            self.close()
        return failure

    def _give_up(self) -> None:
        self.broken = f"PostgreSQL gave no answer in {self._answer_timeout_s} s"
        self.close()

    def rows(self) -> list[Row]:
        """Return the rows of the last statement; none when it returns none."""
        raw = self._cursor.raw
        return cast(list[Row], raw.fetchall()) if raw.description is not None else []

    def rowcount(self) -> int:
        """Return how many rows the last statement affected or returned."""
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
            raise self._failure(error) from error

    def close(self) -> None:
        """Close the connection; a statement that is running fails."""
        self._connection.close()


async def open_session(options: ConnectOptions) -> Session:
    """Open a connection for statements.

    Raises:
        DatabaseUnavailableError: PostgreSQL is unavailable, has no connection left or refuses us.
    """
    connection = await connect(options)
    return Session(connection, await connection.cursor(), options.answer_timeout_s)
