"""Notifications of PostgreSQL on a connection that comes back by itself."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from dataclasses import replace

from ..errors import UnavailableError
from .availability import Availability
from .connection import ConnectOptions
from .session import open_session

__all__ = ["notifications"]

_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0


async def notifications(options: ConnectOptions, availability: Availability, channel: str) -> AsyncGenerator[str, None]:
    """Yield an empty payload whenever listening has begun, then every payload sent to *channel*.

    The server shows the connection as ``NAME listen``, so that who listens can be counted.
    """
    options = replace(options, name=f"{options.name} listen")
    pause_s = _FIRST_PAUSE_S
    while True:
        await availability.wait()
        try:
            session = await open_session(options)
            try:
                await session.listen(channel)
                pause_s = _FIRST_PAUSE_S
                yield ""
                while True:
                    yield await session.notification()
            finally:
                session.close()
        except UnavailableError as error:
            availability.lost(error)
        # the database may well be up and only have no connection to spare for this
        await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311  # spreads load, guards nothing
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
