from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from notification_service.feed import SqlFeed
from notification_service.feed.postgres import NOTIFY_CHANNEL
from service_common.postgres import Database, migrate
from tests.support.waiting import PATIENCE_S, eventually


@asynccontextmanager
async def listening(database: Database) -> AsyncIterator[None]:
    listened = asyncio.Event()

    async def listen() -> None:
        async for _ in database.listen(NOTIFY_CHANNEL):
            listened.set()

    task = asyncio.create_task(listen())
    try:
        async with asyncio.timeout(PATIENCE_S):
            await listened.wait()
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_notify_returns_the_number_of_listening_replicas(database_url: str) -> None:
    await migrate(database_url, "notification_service.migrations")
    async with Database.open(database_url, name="a") as database, Database.open(database_url, name="b") as other:
        feed = SqlFeed(database)
        assert await feed.notify_replicas(0) == 0
        async with listening(database), listening(other):
            assert await feed.notify_replicas(0) == 1  # the other one listens for another service
            async with listening(database):
                assert await feed.notify_replicas(0) == 2

            async def alone() -> bool | None:
                return await feed.notify_replicas(0) == 1 or None

            await eventually(alone, "the end of the listening connection")
