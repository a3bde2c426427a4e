"""Notifications of PostgreSQL on a connection that comes back by itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from service_common.postgres.availability import Availability
from service_common.postgres.errors import DatabaseUnavailableError
from service_common.postgres.session import SessionOptions, connect

__all__ = ["notifications"]


async def notifications(options: SessionOptions, availability: Availability, channel: str) -> AsyncGenerator[str, None]:
    """Yield an empty payload whenever listening has begun, then every payload sent to *channel*."""
    while True:
        await availability.wait()
        try:
            session = await connect(options)
            try:
                await session.listen(channel)
                yield ""
                while True:
                    yield await session.notification()
            finally:
                session.close()
        except DatabaseUnavailableError as error:
            availability.lost(error)
