"""Availability of the database, or of its disk: lost at the first failure, recovered when a probe succeeds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context

from ..backoff import Backoff
from ..errors import ServiceError
from ..lifecycle import uncancelled

__all__ = ["Availability"]

logger = logging.getLogger(__name__)

_PROBE_BACKOFF = Backoff(base_s=0.1, cap_s=1.0)


class Availability:
    """Up until `lost` is called; then probes in the background until the database answers, or can write.

    Args:
        probe: returns when the database does, raises ServiceError when it does not.
        backoff: delays between probes.

    Attributes:
        reason: why it is lost; None while it is up.
    """

    def __init__(self, probe: Callable[[], Awaitable[None]], backoff: Backoff = _PROBE_BACKOFF) -> None:
        self._probe = probe
        self._backoff = backoff
        self._up = asyncio.Event()
        self._up.set()
        self._probing: asyncio.Task[None] | None = None
        self._closed = False
        self.reason: str | None = None

    @property
    def up(self) -> bool:
        """Whether the database answers, as far as is known."""
        return self._up.is_set()

    def lost(self, reason: object) -> None:
        """Record a failure of the connection; the first one starts the probes."""
        if self._probing is None and not self._closed:
            self._up.clear()
            self.reason = str(reason)
            # in a context of its own, without the trace of the statement that failed first
            self._probing = asyncio.get_running_loop().create_task(self._recover(self.reason), context=Context())

    async def wait(self) -> None:
        """Return when the database is up."""
        await self._up.wait()

    async def close(self) -> None:
        """Stop probing; a lost database stays lost."""
        self._closed = True
        if self._probing is not None:
            self._probing.cancel()
            with suppress(asyncio.CancelledError):
                await self._probing

    async def _recover(self, reason: str) -> None:
        failures = 0
        while not await self._answers():
            failures += 1
            if failures == 1:
                logger.warning("database lost", extra={"reason": reason})
            await asyncio.sleep(self._backoff.delay_s(failures))
        if failures:  # otherwise a connection was lost, not the database
            logger.info("database recovered", extra={"failures": failures})
        self._probing = None
        self.reason = None
        self._up.set()

    async def _answers(self) -> bool:
        try:
            await uncancelled(self._probe)
        except ServiceError:
            return False
        except Exception:  # a probe that dies would leave the database lost for good
            logger.exception("database probe crashed")
            return False
        return True
