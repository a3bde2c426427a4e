"""A role that may open fewer connections than the pool: statements queue for those it has."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import aclosing
from urllib.parse import urlsplit

import psycopg2
import pytest

from service_common.postgres import Database
from tests.support.waiting import PATIENCE_S

LIMIT = 3


@pytest.fixture
def limited_url(database_url: str, admin: psycopg2.extensions.cursor) -> Iterator[str]:
    """The database, as a role with ``CONNECTION LIMIT``, which holds for all but superusers."""
    role = f"limited{urlsplit(database_url).path[1:]}"
    admin.execute(f'CREATE ROLE "{role}" LOGIN CONNECTION LIMIT {LIMIT}')
    yield database_url.replace("postgres:@", f"{role}:@")
    admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (role,))
    admin.execute(f'DROP ROLE "{role}"')


async def test_statements_queue_for_the_connections_that_there_are(
    limited_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with asyncio.timeout(PATIENCE_S), Database.open(limited_url, size=8) as database:
        for _ in range(3):  # again when the pool has tried to grow
            outcomes = await asyncio.gather(*(database.fetch("SELECT 1 FROM pg_sleep(0.01)") for _ in range(100)))
            assert outcomes == [[(1,)]] * 100
        assert database.available
        assert len(database._pool._sessions) == LIMIT
    assert {record.message for record in caplog.records} == {"database connections limited"}


async def test_pool_grows_when_the_limit_is_lifted(
    limited_url: str, admin: psycopg2.extensions.cursor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service_common.postgres.pool.GROW_AGAIN_S", 0.05)
    role = urlsplit(limited_url).username
    async with asyncio.timeout(PATIENCE_S), Database.open(limited_url, size=8) as database:
        await asyncio.gather(*(database.fetch("SELECT pg_sleep(0.01)") for _ in range(20)))
        admin.execute(f'ALTER ROLE "{role}" CONNECTION LIMIT -1')
        while len(database._pool._sessions) < 8:
            await asyncio.gather(*(database.fetch("SELECT pg_sleep(0.01)") for _ in range(20)))


async def test_listener_without_a_connection_leaves_the_statements_alone(limited_url: str) -> None:
    async with asyncio.timeout(PATIENCE_S), Database.open(limited_url, size=LIMIT) as database:
        busy = [asyncio.create_task(database.fetch("SELECT pg_sleep(0.5)")) for _ in range(LIMIT)]
        while len(database._pool._sessions) < LIMIT:  # noqa: ASYNC110  # the pool sends no event
            await asyncio.sleep(0.01)
        async with aclosing(database.listen("feed")) as payloads:
            listening = asyncio.ensure_future(anext(payloads))
            outcomes = await asyncio.gather(*(database.fetch("SELECT 1") for _ in range(20)))
            assert outcomes == [[(1,)]] * 20
            assert database.available
            listening.cancel()
            await asyncio.gather(listening, *busy, return_exceptions=True)
