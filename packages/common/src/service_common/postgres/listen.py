"""LISTEN on a connection that is reopened when it breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

from ..backoff import Backoff
from ..errors import UnavailableError
from .connection import ConnectOptions
from .pool import Pool
from .session import open_session

__all__ = ["notifications"]

_RECONNECT_BACKOFF = Backoff(base_s=0.05, cap_s=1.0)


async def notifications(options: ConnectOptions, pool: Pool, channel: str) -> AsyncGenerator[str, None]:
    """Yield an empty payload whenever listening has begun, then every payload sent to *channel*.

    The connection's ``application_name`` is ``NAME listen``, so that listeners can be counted.
    """
    options = replace(options, name=f"{options.name} listen")
    failures = 0
    while True:
        await pool.availability.wait()
        try:
            session = await open_session(options)
            try:
                await session.listen(channel)
                failures = 0
                yield ""
                while True:
                    yield await session.notification()
            finally:
                session.close()
        except UnavailableError as error:
            pool.open_failed(error)
        failures += 1  # the database may be up and have only no connection left for this one
        await asyncio.sleep(_RECONNECT_BACKOFF.delay_s(failures))
