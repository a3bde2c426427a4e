"""Whether the database is there: lost at the first sign, back when a probe says so."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context

from ..errors import ServiceError

__all__ = ["Availability"]

logger = logging.getLogger(__name__)


class Availability:
    """Up until told otherwise; then probes in the background until it is up again.

    Args:
        probe: returns when the database answers, raises ServiceError when it does not.
        first_s: longest pause after the first probe that failed, in seconds; it doubles from probe to probe.
        cap_s: the longest pause of all.
    """

    def __init__(self, probe: Callable[[], Awaitable[None]], *, first_s: float = 0.1, cap_s: float = 1.0) -> None:
        self._probe = probe
        self._first_s = first_s
        self._cap_s = cap_s
        self._up = asyncio.Event()
        self._up.set()
        self._probing: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def up(self) -> bool:
        """Whether the last thing known is that the database answers."""
        return self._up.is_set()

    def lost(self, reason: object) -> None:
        """Note a failure of the connection; the first one starts the probing."""
        if self._probing is None and not self._closed:
            self._up.clear()
            # in a context of its own: whoever noticed first must not lend its trace to the log lines
            self._probing = asyncio.get_running_loop().create_task(self._recover(str(reason)), context=Context())

    async def wait(self) -> None:
        """Return when the database is up."""
        await self._up.wait()

    async def close(self) -> None:
        """Stop probing; what was lost stays lost."""
        self._closed = True
        if self._probing is not None:
            self._probing.cancel()
            with suppress(asyncio.CancelledError):
                await self._probing

    async def _recover(self, reason: str) -> None:
        pause_s = self._first_s
        while not await self._answers():
            if pause_s == self._first_s:
                logger.warning("database away", extra={"reason": reason})
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311  # spreads load, guards nothing
            pause_s = min(2 * pause_s, self._cap_s)
        logger.info("database answers")
        self._probing = None
        self._up.set()

    async def _answers(self) -> bool:
        try:
            await self._probe()
        except ServiceError:
            return False
        return True
