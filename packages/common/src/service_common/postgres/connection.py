"""Connections to PostgreSQL, with corrections of how aiopg closes them."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiopg
import orjson
import psycopg2
from psycopg2 import extras
from psycopg2.extensions import parse_dsn

from .errors import DatabaseUnavailableError

__all__ = ["ConnectOptions", "Connection", "connect"]

# The server looks this often whether the client of a running statement is still there, so that an abandoned
# statement gives its row locks back.
_CLIENT_CHECK_MS = 500
# Ends each wait for a lock, so that one held for long neither occupies the pool nor outlasts the callers' patience: an
# attempt of a call takes 2 s.
_LOCK_TIMEOUT_MS = 1_000


@dataclass(frozen=True, slots=True)
class ConnectOptions:
    """Where to connect, as whom, and the time limits.

    The server enforces *statement_timeout_s*; *answer_timeout_s*, longer than that, ends the wait for a server that is
    frozen or cut off.
    """

    url: str
    name: str
    statement_timeout_s: float
    connect_timeout_s: float = 2.0

    @property
    def answer_timeout_s(self) -> float:
        """Time limit of the answer to one statement, in seconds."""
        return self.statement_timeout_s + 1.0

    def parameters(self) -> dict[str, Any]:
        """Return the libpq parameters; those of the URL take precedence, except where correctness depends on ours."""
        given = parse_dsn(self.url)
        settings = (
            f"-c statement_timeout={int(self.statement_timeout_s * 1000)} -c lock_timeout={_LOCK_TIMEOUT_MS}"
            f" -c client_connection_check_interval={_CLIENT_CHECK_MS} -c timezone=UTC"
        )
        return {
            "application_name": self.name,
            "gssencmode": "disable",
            "target_session_attrs": "read-write",  # a server in recovery is of no use
            "keepalives_idle": 10,
            "keepalives_interval": 3,
            "keepalives_count": 3,
            **given,
            "options": f"{given.get('options', '')} {settings}".strip(),
        }


class Connection(aiopg.Connection):
    """aiopg's connection, corrected where it is closed.

    - It releases its descriptor as soon as libpq has closed it. aiopg detects that with select(), which raises above
      descriptor 1023 so that the waiter never wakes; it then removes the reader but not the writer, so that uvloop
      refuses the next connection with this descriptor; and a second close removes the reader of that connection.
    - Whatever libpq's poll raises ends the wait. aiopg leaves what is no error of psycopg2 to the event loop, and the
      statement waiting.
    - The server's statement_timeout is an error. aiopg turns it into a CancelledError, which ends loops that were not
      cancelled.
    - It sets no time limit: before Python 3.12 aiopg's wait_for() may swallow a cancellation.
    """

    @staticmethod
    def _ready(weak_self: weakref.ref[aiopg.Connection]) -> None:
        self = weak_self()
        if self is None:
            return
        descriptor = self._fileno
        failure: Exception | None = None
        try:
            aiopg.Connection._ready(weak_self)  # noqa: SLF001
        except Exception as error:  # whatever it is, the statement that waits has to get it
            failure = error
        if descriptor is not None and (self._fileno is None or self._conn.closed):
            self._loop.remove_reader(descriptor)
            self._loop.remove_writer(descriptor)
            self._fileno = None
            aiopg.Connection._close(self)  # noqa: SLF001
        elif failure is not None:
            self._notifies_proxy.close(failure)
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_exception(failure)

    async def _poll(self, waiter: asyncio.Future[None], timeout: float) -> None:  # noqa: ARG002, ASYNC109  # aiopg's
        self._ready(self._weakref)
        try:
            await waiter
        except asyncio.CancelledError:
            self._close()
            raise
        finally:
            self._waiter = None

    def answered(self) -> bool:
        """Return whether the answer of the running statement has come, complete."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            self._ready(self._weakref)
        return waiter is None or waiter.done()

    def _close(self) -> None:
        if self._fileno is not None or not self._conn.closed:
            super()._close()
            self._fileno = None


async def connect(options: ConnectOptions) -> Connection:
    """Open a connection.

    Raises:
        DatabaseUnavailableError: no address of the server accepted it in time.
    """
    failure: Exception | None = None
    try:
        async with asyncio.timeout(options.connect_timeout_s):
            parameters = options.parameters()
            for address in await _addresses(parameters):
                try:
                    return await _connect(parameters | address)
                except psycopg2.Error as error:
                    failure = error
    except Exception as error:
        failure = failure or error
    detail = str(failure or "").strip() or f"no connection in {options.connect_timeout_s} s"
    raise DatabaseUnavailableError(detail) from failure


async def _connect(parameters: Mapping[str, Any]) -> Connection:
    connection = Connection(None, 0.0, enable_json=False, enable_hstore=False, **parameters)
    await connection
    extras.register_default_json(connection.raw, loads=orjson.loads)
    extras.register_default_jsonb(connection.raw, loads=orjson.loads)
    return connection


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
