"""The notification service for real as a server under test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .backends import Backends
from .feeder import Feeder, feeder
from .servers import Target
from .service import Service, notification_service

__all__ = ["PATHS", "number_after", "ours"]

PATHS = {"sse": "/stream", "ws": "/ws"}


async def number_after(source: Feeder) -> bytes:
    """Return what stands before the place of a notification, once in each delivery of either protocol."""
    return b'{"id":"%s-' % (await source.feed.state()).epoch.encode()


@asynccontextmanager
async def ours(backends: Backends, protocol: str, *, over_table: bool = False) -> AsyncIterator[Target]:
    """Run it for the block; events come over the queue, or by another replica's append (*over_table*)."""
    async with notification_service(backends) as service, feeder(backends) as source:
        yield await _target(service, source, protocol, over_table=over_table)


async def _target(service: Service, source: Feeder, protocol: str, *, over_table: bool) -> Target:
    async def publish(how_many: int, rate_per_s: float, burst: int) -> dict[int, int]:
        way = source.over_table if over_table else source.over_queue
        return await way(source.created(how_many), rate_per_s, burst)

    after = await number_after(source)
    return Target(
        name="orderstream",
        protocol=protocol,
        port=service.port,
        path=PATHS[protocol],
        pids=(service.pid,),
        number_after=after,
        publish=publish,
        note="table, tail, push" if over_table else "queue, table, push",
    )
