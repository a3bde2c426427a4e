"""A bounded pool of sessions that replaces broken ones and closes idle ones."""

from __future__ import annotations

import asyncio

from ..errors import ServiceError
from .availability import Availability
from .connection import ConnectOptions
from .errors import DatabaseUnavailableError
from .session import Session, open_session

__all__ = ["Pool"]

# a backend of PostgreSQL holds some 13 MB; opening another takes a few milliseconds
MIN_SESSIONS = 1
IDLE_LIMIT_S = 60.0
RECOVERY_WAIT_S = 0.25


class Pool:
    """At most *size* sessions, opened when needed and closed when idle for one to two times *idle_limit_s*.

    aiopg's own pool does not wake its waiters when a broken connection is released. Here a semaphore bounds the
    sessions: after one breaks, the next holder of its permit opens another.

    Idle sessions are a stack; the ones at its bottom that were not used during *idle_limit_s* are closed.
    """

    def __init__(self, options: ConnectOptions, size: int, *, idle_limit_s: float = IDLE_LIMIT_S) -> None:
        self.availability = Availability(self._probe)
        self._options = options
        self._size = size
        self._permits = asyncio.Semaphore(size)
        self._idle: list[Session] = []
        self._idle_limit_s = idle_limit_s
        self._fewest_idle = 0
        self._trimming: asyncio.TimerHandle | None = None
        self._sessions: set[Session] = set()
        self._closed = False

    async def acquire(self) -> Session:
        """Return a session for one statement; the caller must :meth:`release` it.

        Raises:
            DatabaseUnavailableError: PostgreSQL is unavailable, or all sessions stay busy.
        """
        if not self.availability.up:
            await self._wait_for_recovery()
        if self._permits.locked():
            await self._queue()
        else:
            await self._permits.acquire()
        try:
            return self._reuse() or await self._open()
        except BaseException:
            self._permits.release()
            raise

    def release(self, session: Session) -> None:
        """Return *session* to the pool, or discard it when it broke."""
        self._keep(session)
        if session.broken is not None:
            self.availability.lost(session.broken)
        self._permits.release()

    async def close(self) -> None:
        """Close every session; statements that are running fail."""
        self._closed = True
        if self._trimming is not None:
            self._trimming.cancel()
        self._idle.clear()
        for session in tuple(self._sessions):
            self._discard(session)
        await self.availability.close()

    async def _wait_for_recovery(self) -> None:
        """Wait a moment for the first probe: one broken connection may be no outage."""
        try:
            async with asyncio.timeout(RECOVERY_WAIT_S):
                await self.availability.wait()
        except TimeoutError:
            raise DatabaseUnavailableError("PostgreSQL is unavailable") from None

    async def _queue(self) -> None:
        try:
            async with asyncio.timeout(self._options.answer_timeout_s):
                await self._permits.acquire()
        except TimeoutError:
            raise DatabaseUnavailableError("every connection to PostgreSQL is busy") from None
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
        try:
            session = await open_session(self._options)
        except ServiceError as error:
            self.availability.lost(error)
            raise
        self._sessions.add(session)
        if self._closed:
            self._discard(session)
            raise DatabaseUnavailableError("the pool is closed")
        if self._trimming is None and len(self._sessions) > MIN_SESSIONS:
            self._trim_later()
        return session

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
                await session.run("SELECT 1", ())
        except TimeoutError as error:
            raise DatabaseUnavailableError("PostgreSQL gave no answer") from error
        finally:
            self._keep(session)
