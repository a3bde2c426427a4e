"""A bounded pool of sessions that replaces broken ones and closes idle ones."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from ..backoff import Backoff
from ..errors import ServiceError
from .availability import Availability
from .connection import ConnectOptions
from .errors import DatabaseUnavailableError
from .session import Session, open_session, rowcount, rows

__all__ = ["Pool"]

# a backend of PostgreSQL holds some 13 MB; opening another takes a few milliseconds
MIN_SESSIONS = 1
IDLE_LIMIT_S = 60.0
RECOVERY_WAIT_S = 0.25
GROW_AGAIN_S = 2.0
_WRITE_PROBE_BACKOFF = Backoff(base_s=1.0, cap_s=5.0)
# a megabyte that is read twice does not stay within 64 KB: it goes to a temporary file beside the tables
_LITTLE_MEMORY = "SET work_mem = '64kB'"
_WRITE_PROBE = """
WITH megabyte AS MATERIALIZED (SELECT repeat('x', 1000) FROM generate_series(1, 1000))
SELECT (SELECT count(*) FROM megabyte), (SELECT count(*) FROM megabyte)
"""
logger = logging.getLogger(__name__)


class Pool:
    """At most *size* sessions, opened when needed and closed when idle for one to two times *idle_limit_s*.

    aiopg's own pool does not wake its waiters when a broken connection is released. Here a semaphore bounds the
    sessions: after one breaks, the next holder of its permit opens another.

    Idle sessions are a stack; the ones at its bottom that were not used during *idle_limit_s* are closed.

    When another session cannot be opened although some work, as at a role's ``CONNECTION LIMIT``, its permit is
    withheld for a while, so that statements queue for the sessions that there are.
    """

    def __init__(self, options: ConnectOptions, size: int, *, idle_limit_s: float = IDLE_LIMIT_S) -> None:
        self.availability = Availability(self._probe)
        self.writes = Availability(self._probe_write, _WRITE_PROBE_BACKOFF)
        self._options = options
        self._size = size
        self._permits = asyncio.Semaphore(size)
        self._idle: list[Session] = []
        self._idle_limit_s = idle_limit_s
        self._withheld = 0
        self._fewest_idle = 0
        self._trimming: asyncio.TimerHandle | None = None
        self._sessions: set[Session] = set()
        self._closed = False
        self._waiting = 0

    @property
    def load(self) -> Mapping[str, int]:
        """How many sessions are busy and idle, how many there may be at most, and how many statements wait for one."""
        idle, opened = len(self._idle), len(self._sessions)
        return {"busy": opened - idle, "idle": idle, "limit": self._size - self._withheld, "waiting": self._waiting}

    async def acquire(self) -> Session:
        """Return a session for one statement; the caller must :meth:`release` it.

        Raises:
            DatabaseUnavailableError: PostgreSQL is unavailable, or all sessions stay busy.
        """
        if not self.availability.up:
            await self._wait_for_recovery()
        while True:
            if self._permits.locked():
                await self._queue()
            else:
                await self._permits.acquire()
            try:
                return self._reuse() or await self._open()
            except ServiceError as error:
                if not self.open_failed(error):
                    self._permits.release()
                    raise
                self._withhold_permit(error)
            except BaseException:
                self._permits.release()
                raise

    def release(self, session: Session) -> None:
        """Return *session* to the pool, or discard it when it broke."""
        try:
            self._keep(session)
            if session.broken is not None:
                self.availability.lost(session.broken)
            if session.unwritable is not None:
                self.writes.lost(session.unwritable)
        finally:
            self._permits.release()

    def open_failed(self, error: ServiceError) -> bool:
        """Return whether sessions work although another could not be opened; otherwise the database is lost."""
        works = not self._closed and any(session.usable for session in self._sessions)
        if not works:
            self.availability.lost(error)
        return works

    async def close(self) -> None:
        """Close every session; statements that are running fail."""
        self._closed = True
        if self._trimming is not None:
            self._trimming.cancel()
        self._idle.clear()
        for session in tuple(self._sessions):
            self._discard(session)
        await self.availability.close()
        await self.writes.close()

    async def _wait_for_recovery(self) -> None:
        """Wait a moment for the first probe: one broken connection may be no outage."""
        try:
            async with asyncio.timeout(RECOVERY_WAIT_S):
                await self.availability.wait()
        except TimeoutError:
            raise DatabaseUnavailableError("PostgreSQL is unavailable") from None

    async def _queue(self) -> None:
        self._waiting += 1
        try:
            async with asyncio.timeout(self._options.answer_timeout_s):
                await self._permits.acquire()
        except TimeoutError:
            raise DatabaseUnavailableError("every connection to PostgreSQL is busy") from None
        finally:
            self._waiting -= 1
        if not self.availability.up:
            self._permits.release()
            raise DatabaseUnavailableError("PostgreSQL is unavailable")

    def _reuse(self) -> Session | None:
        while self._idle:
            session = self._idle.pop()
            self._fewest_idle = min(self._fewest_idle, len(self._idle))
            if session.usable:
                return session
            self._discard(session)
        return None

    async def _open(self) -> Session:
        session = await open_session(self._options)
        self._sessions.add(session)
        if self._closed:
            self._discard(session)
            raise DatabaseUnavailableError("the pool is closed")
        if self._trimming is None and len(self._sessions) > MIN_SESSIONS:
            self._trim_later()
        return session

    def _withhold_permit(self, error: ServiceError) -> None:
        if not self._withheld:
            logger.warning("database connections limited", extra={"open": len(self._sessions), "reason": error.detail})
        self._withheld += 1
        asyncio.get_running_loop().call_later(GROW_AGAIN_S, self._return_permit)

    def _return_permit(self) -> None:
        self._withheld -= 1
        self._permits.release()

    def _trim_later(self) -> None:
        self._fewest_idle = len(self._idle)
        self._trimming = asyncio.get_running_loop().call_later(self._idle_limit_s, self._trim)

    def _trim(self) -> None:
        """Close the sessions that were idle since the last call; schedule the next while any are left to close."""
        unneeded = max(0, min(self._fewest_idle, len(self._sessions) - MIN_SESSIONS))
        for session in self._idle[:unneeded]:
            self._discard(session)
        del self._idle[:unneeded]
        self._trimming = None
        if len(self._sessions) > MIN_SESSIONS:
            self._trim_later()

    def _keep(self, session: Session) -> None:
        if session.usable and len(self._sessions) <= self._size and not self._closed:
            self._idle.append(session)
        else:
            self._discard(session)

    def _discard(self, session: Session) -> None:
        self._sessions.discard(session)
        session.close()

    async def _probe(self) -> None:
        """Run a statement, bypassing the pool limit: all permits may be held by waiting statements."""
        session = self._reuse()
        if session is None:
            session = await open_session(self._options)
            self._sessions.add(session)
        try:
            async with asyncio.timeout(self._options.connect_timeout_s):
                [(read_only,)] = await session.run("SELECT current_setting('transaction_read_only')", (), rows)
            if read_only == "on":  # it was open over a failover
                session.close()
                raise DatabaseUnavailableError("PostgreSQL is read-only")
        except TimeoutError as error:
            raise DatabaseUnavailableError("PostgreSQL gave no answer") from error
        finally:
            self._keep(session)

    async def _probe_write(self) -> None:
        """Have the server write to its disk, in a session of its own."""
        await self.availability.wait()
        session = await open_session(self._options)
        try:
            await session.run(_LITTLE_MEMORY, (), rowcount)
            await session.run(_WRITE_PROBE, (), rows)
        except DatabaseUnavailableError:
            raise
        except ServiceError as error:  # the probe itself is refused: only the statements of others can tell
            logger.warning("database probe refused", extra={"reason": error.detail})
        finally:
            session.close()
