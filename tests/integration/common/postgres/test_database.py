"""The database access on a real server that stays up."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from decimal import Decimal

import psycopg2
import pytest

from service_common.errors import BusyError
from service_common.postgres import (
    Database,
    DatabaseUnavailableError,
    DataError,
    IntegrityError,
    Json,
    StatementError,
    StatementTimeoutError,
)
from tests.support.waiting import PATIENCE_S

PID = "SELECT pg_backend_pid()"
BUSY_S = 0.5


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database.open(database_url, size=3, name="tested", statement_timeout_s=2.0) as database:
        await database.execute("CREATE TABLE thing (id int CONSTRAINT thing_once PRIMARY KEY, facts jsonb)")
        yield database


def terminate_all(admin: psycopg2.extensions.cursor) -> None:
    admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'tested%'")


async def test_values_are_encoded_and_decoded(database: Database) -> None:
    facts = {"orderItems": [{"productId": "123", "quantity": 2}], "text": "Grüße 100 %"}
    at = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    row = await database.fetch_one(
        "SELECT %(facts)s::jsonb, %(facts)s::json, %(ids)s::bigint[], %(at)s::timestamptz, %(share)s, NULL",
        {"facts": Json(facts), "ids": [3, 1], "at": at, "share": Decimal("0.10")},
    )
    assert row == (facts, facts, [3, 1], at, Decimal("0.10"), None)
    assert row[3].tzinfo is UTC


async def test_number_of_affected_rows_is_returned(database: Database) -> None:
    assert await database.execute("INSERT INTO thing SELECT generate_series(1, 5)") == 5
    assert await database.execute("DELETE FROM thing WHERE id > %s", (2,)) == 3
    assert await database.fetch("UPDATE thing SET facts = NULL") == []
    assert await database.fetch_one("SELECT id FROM thing WHERE id = %s", (9,)) is None


async def test_each_connection_has_its_settings(database: Database) -> None:
    shown = [
        await database.fetch_one(f"SHOW {name}")
        for name in ("statement_timeout", "client_connection_check_interval", "timezone", "application_name")
    ]
    assert shown == [("2s",), ("500ms",), ("UTC",), ("tested",)]


async def test_options_of_the_url_are_kept(database_url: str) -> None:
    async with Database.open(f"{database_url}&options=-c%20work_mem%3D5MB") as database:
        assert await database.fetch_one("SHOW work_mem") == ("5MB",)
        assert await database.fetch_one("SHOW timezone") == ("UTC",)


async def test_broken_constraint_is_named(database: Database) -> None:
    await database.execute("INSERT INTO thing VALUES (1)")
    with pytest.raises(IntegrityError) as caught:
        await database.execute("INSERT INTO thing VALUES (1)")
    assert caught.value.constraint == "thing_once"


@pytest.mark.parametrize("text", ["nul\x00", "lone \ud800"])
async def test_text_that_postgresql_cannot_hold_is_a_data_error(database: Database, text: str) -> None:
    with pytest.raises(DataError):
        await database.fetch("SELECT %s", (text,))
    with pytest.raises(DataError):
        await database.fetch("SELECT %s::jsonb", (Json({"text": text}),))


async def test_value_out_of_range_is_a_data_error(database: Database) -> None:
    with pytest.raises(DataError):
        await database.fetch("SELECT %s::int", (2**40,))


async def test_statement_error_has_its_sqlstate_and_leaves_the_connection_usable(database: Database) -> None:
    before = await database.fetch_one(PID)
    with pytest.raises(StatementError) as caught:
        await database.fetch("SELECT nothing FROM nowhere")
    assert caught.value.sqlstate == "42P01"
    assert await database.fetch_one(PID) == before
    assert database.available


async def test_statement_timeout_is_an_error_instead_of_a_cancellation(database: Database) -> None:
    before = await database.fetch_one(PID)
    with pytest.raises(StatementTimeoutError):
        await database.fetch("SELECT pg_sleep(60)")
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    assert await database.fetch_one(PID) == before
    assert database.available


async def test_cancelled_statement_releases_its_locks_and_its_session(
    database: Database, admin: psycopg2.extensions.cursor
) -> None:
    await database.execute("INSERT INTO thing VALUES (1)")
    holder = asyncio.create_task(database.fetch("SELECT pg_sleep(60) FROM thing WHERE id = 1 FOR UPDATE"))
    await _until_sleeping(admin, "SELECT pg_sleep(60) FROM thing WHERE id = 1 FOR UPDATE")
    holder.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holder
    async with asyncio.timeout(PATIENCE_S):
        assert await database.execute("UPDATE thing SET facts = '{}'") == 1
    assert await asyncio.gather(*(database.fetch("SELECT 1") for _ in range(9))) == [[(1,)]] * 9
    assert database.available


async def test_time_limit_around_a_statement_ends_in_time(database: Database) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await database.fetch("SELECT pg_sleep(60)")
    assert await database.fetch_one("SELECT 1") == (1,)


async def test_concurrent_statements_share_the_pool(database: Database) -> None:
    pids = await asyncio.gather(*(database.fetch_one(f"{PID} FROM pg_sleep(0.01)") for _ in range(50)))
    assert 1 < len(set(pids)) <= 3


async def test_lease_is_awaited_from_when_its_statement_has_a_connection(database_url: str) -> None:
    async with Database.open(database_url, size=1, statement_timeout_s=2.0) as database:
        busy = database.fetch("SELECT extract(epoch FROM clock_timestamp())::float8 FROM pg_sleep(%s)", (BUSY_S,))
        claim = database.fetch_leased("SELECT %(awaited_until)s, %(lease_s)s, %(limit)s", {"limit": 10}, lease_s=30.0)
        [(free_s,)], [(awaited_until, *others)] = await asyncio.gather(busy, claim)
        # the ways of the answers are not known
        assert free_s + 3.0 - BUSY_S / 2 < awaited_until
        assert others == [30, 10]


async def test_waiters_get_a_session_after_a_connection_broke(
    database_url: str, admin: psycopg2.extensions.cursor
) -> None:
    async with Database.open(database_url, size=1, name="tested") as database:
        first = asyncio.create_task(database.fetch("SELECT pg_sleep(60)"))
        await _until_sleeping(admin, "SELECT pg_sleep(60)")
        others = [asyncio.create_task(database.fetch("SELECT 1")) for _ in range(20)]
        await asyncio.sleep(0)
        terminate_all(admin)
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(DatabaseUnavailableError):
                await first
            outcomes = await asyncio.gather(*others, return_exceptions=True)
            await database.wait_available()
            assert await database.fetch("SELECT 1") == [(1,)]
    assert all(isinstance(each, list | DatabaseUnavailableError) for each in outcomes)


async def test_connections_that_broke_while_idle_are_replaced(
    database: Database, admin: psycopg2.extensions.cursor
) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while len(idle := [session for session in database._pool._idle if session.usable]) < 3:
            await asyncio.gather(*(database.fetch("SELECT pg_sleep(0.01)") for _ in range(3)))
    terminate_all(admin)
    async with asyncio.timeout(PATIENCE_S):
        while any(session.usable for session in idle):  # noqa: ASYNC110  # a closed descriptor sends no event
            await asyncio.sleep(0.001)
    assert await asyncio.gather(*(database.fetch("SELECT 1") for _ in range(9))) == [[(1,)]] * 9


async def test_broken_connection_is_detected_above_descriptor_1023(
    database_url: str, admin: psycopg2.extensions.cursor
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    descriptors = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        async with Database.open(database_url, size=1, name="tested") as database:
            running = asyncio.create_task(database.fetch("SELECT pg_sleep(60)"))
            await _until_sleeping(admin, "SELECT pg_sleep(60)")
            terminate_all(admin)
            async with asyncio.timeout(PATIENCE_S):
                with pytest.raises(DatabaseUnavailableError):
                    await running
                await database.wait_available()
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_closing_ends_running_statements(database_url: str, admin: psycopg2.extensions.cursor) -> None:
    async with Database.open(database_url, name="tested") as database:
        running = asyncio.create_task(database.fetch("SELECT pg_sleep(60)"))
        await _until_sleeping(admin, "SELECT pg_sleep(60)")
    with pytest.raises(DatabaseUnavailableError):
        await running
    with pytest.raises(DatabaseUnavailableError):
        await database.fetch("SELECT 1")


async def test_listening_starts_with_an_empty_payload_and_survives_a_broken_connection(
    database: Database, admin: psycopg2.extensions.cursor
) -> None:
    async with asyncio.timeout(PATIENCE_S), aclosing(database.listen("some feed")) as payloads:
        assert await anext(payloads) == ""
        await database.execute("SELECT pg_notify('some feed', '42')")
        assert await anext(payloads) == "42"
        terminate_all(admin)
        assert await anext(payloads) == ""
        with suppress(DatabaseUnavailableError):
            await database.ping()
        await database.wait_available()
        await database.execute("SELECT pg_notify('some feed', '43')")
        assert await anext(payloads) == "43"


async def _until_sleeping(admin: psycopg2.extensions.cursor, statement: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            admin.execute("SELECT 1 FROM pg_stat_activity WHERE query = %s AND wait_event = 'PgSleep'", (statement,))
            if admin.fetchone():
                return
            await asyncio.sleep(0.001)


async def test_wait_for_a_lock_ends_and_the_session_goes_on(database: Database, database_url: str) -> None:
    await database.execute("INSERT INTO thing VALUES (1)")
    pids = {await database.fetch_one(PID)}
    with psycopg2.connect(database_url) as other, other.cursor() as cursor:
        cursor.execute("SELECT FROM thing FOR UPDATE")
        with pytest.raises(BusyError) as caught:
            await database.execute("UPDATE thing SET facts = '{}'")
        assert "relation" not in caught.value.detail
    other.close()
    assert await database.execute("UPDATE thing SET facts = '{}'") == 1
    assert database.available
    assert await database.fetch_one(PID) in pids


@pytest.mark.parametrize("sqlstate", ["40P01", "40001", "55P03"])
async def test_conflict_with_another_transaction_may_be_tried_again(database: Database, sqlstate: str) -> None:
    with pytest.raises(BusyError):
        await database.execute(f"DO $$ BEGIN RAISE SQLSTATE '{sqlstate}'; END $$")
    assert database.available


async def test_full_disk_is_told_without_the_statement(database: Database) -> None:
    full = "RAISE disk_full USING MESSAGE = 'could not extend file', HINT = 'Check free disk space.'"
    with pytest.raises(DatabaseUnavailableError) as caught:
        await database.execute(f"DO $$ BEGIN {full}; END $$")
    assert caught.value.detail == "could not extend file\nHINT:  Check free disk space."
