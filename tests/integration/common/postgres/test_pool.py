"""The pool grows with the statements and closes idle sessions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from service_common.observability import Metrics
from service_common.postgres import Database
from service_common.postgres.connection import ConnectOptions
from service_common.postgres.pool import MIN_SESSIONS, Pool
from service_common.postgres.session import Session, rows
from tests.support.waiting import eventually

SIZE = 6
COUNT = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pool of the test'"


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    pool = Pool(ConnectOptions(database_url, "pool of the test", 5.0), SIZE, idle_limit_s=0.3)
    yield pool
    await pool.close()


async def taken(pool: Pool, count: int) -> list[Session]:
    return [await pool.acquire() for _ in range(count)]


async def backends(pool: Pool) -> int:
    session = await pool.acquire()
    try:
        [(count,)] = await session.run(COUNT, (), rows)
        return int(count)
    finally:
        pool.release(session)


async def test_idle_sessions_are_closed_but_for_the_minimum(pool: Pool) -> None:
    for session in await taken(pool, SIZE):
        pool.release(session)
    assert await backends(pool) == SIZE

    async def trimmed() -> bool | None:
        return await backends(pool) == MIN_SESSIONS or None

    await eventually(trimmed, "idle sessions closed")
    sessions = await taken(pool, SIZE)  # it grows again
    for session in sessions:
        pool.release(session)
    await eventually(trimmed, "idle sessions closed again")


async def test_sessions_in_use_are_not_closed(pool: Pool) -> None:
    for session in await taken(pool, SIZE):
        pool.release(session)

    async def trimmed_to_four() -> bool | None:
        together = await taken(pool, 4)
        for session in reversed(together):
            pool.release(session)
        return (set(together) == used and len(pool._sessions) == 4) or None

    used = set(await taken(pool, 4))
    for session in used:
        pool.release(session)
    await eventually(trimmed_to_four, "two of six closed")
    assert all(session.usable for session in used)


async def test_closed_pool_does_not_trim(database_url: str) -> None:
    pool = Pool(ConnectOptions(database_url, "pool of the test", 5.0), SIZE, idle_limit_s=0.01)
    for session in await taken(pool, SIZE):
        pool.release(session)
    await pool.close()
    assert pool._trimming is not None
    assert pool._trimming.cancelled()


async def test_load_of_the_pool_is_in_the_metrics(database_url: str) -> None:
    metrics = Metrics()
    async with Database.open(database_url, size=1) as database:
        database.expose(metrics)

        def load() -> list[float | None]:
            name = "orderstream_database_connections"
            states = ("busy", "idle", "limit", "waiting")
            return [metrics.registry.get_sample_value(name, {"state": state}) for state in states]

        async def queued() -> bool | None:
            return load() == [1, 0, 1, 2] or None

        assert load() == [0, 1, 1, 0]
        async with asyncio.TaskGroup() as statements:
            for _ in range(3):
                statements.create_task(database.execute("SELECT pg_sleep(0.5)"))
            await eventually(queued, "two statements wait for the one connection")
        assert load() == [0, 1, 1, 0]
