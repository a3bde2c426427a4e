"""Migrations on a real server."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import psycopg2
import pytest

from service_common.postgres import ChangedMigrationError, Database, DatabaseUnavailableError, StatementError, migrate
from tests.support.waiting import PATIENCE_S


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of migrations, named as its folder."""
    folder = tmp_path / f"migrations_{uuid.uuid4().hex}"
    folder.mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    return folder


async def rows(url: str, sql: str) -> list[tuple[object, ...]]:
    async with Database.open(url) as database:
        return await database.fetch(sql)


async def test_files_are_applied_in_order_and_once(database_url: str, package: Path) -> None:
    (package / "0001_table.sql").write_text("CREATE TABLE t (a int); INSERT INTO t VALUES (1); -- 100 %\n")
    (package / "0002_column.sql").write_text("ALTER TABLE t ADD COLUMN b text DEFAULT 'x';\n")
    await migrate(database_url, package.name)
    (package / "0003_row.sql").write_text("INSERT INTO t VALUES (2)")
    await migrate(database_url, package.name)
    await migrate(database_url, package.name)
    assert await rows(database_url, "SELECT a, b FROM t ORDER BY a") == [(1, "x"), (2, "x")]
    applied = await rows(database_url, "SELECT package, name FROM schema_migration ORDER BY name")
    assert applied == [(package.name, f"000{n}_{what}.sql") for n, what in ((1, "table"), (2, "column"), (3, "row"))]


async def test_packages_keep_their_own_numbers(database_url: str, package: Path) -> None:
    (package / "0003_outbox_event.sql").write_text("CREATE TABLE other (a int)")
    await migrate(database_url, package.name, "service_common.outbox.migrations")
    assert await rows(database_url, "SELECT count(*) FROM other, outbox_event") == [(0,)]


async def test_replicas_that_start_together_apply_once(database_url: str, package: Path) -> None:
    (package / "0001_slow.sql").write_text("CREATE TABLE t (a int); SELECT pg_sleep(0.2); INSERT INTO t VALUES (1)")
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(migrate(database_url, package.name) for _ in range(5)))
    assert await rows(database_url, "SELECT a FROM t") == [(1,)]


async def test_failed_file_is_rolled_back(database_url: str, package: Path) -> None:
    (package / "0001_good.sql").write_text("CREATE TABLE good (a int)")
    (package / "0002_bad.sql").write_text("CREATE TABLE bad (a int); SELECT nonsense")
    with pytest.raises(StatementError, match="nonsense"):
        await migrate(database_url, package.name)
    assert await rows(database_url, "SELECT to_regclass('good') IS NULL, to_regclass('bad') IS NULL") == [(False, True)]
    (package / "0002_bad.sql").write_text("CREATE TABLE bad (a int)")
    await migrate(database_url, package.name)


async def test_changed_file_is_an_error(database_url: str, package: Path) -> None:
    file = package / "0001_table.sql"
    file.write_text("CREATE TABLE t (a int)")
    await migrate(database_url, package.name)
    file.write_text("CREATE TABLE t (a bigint)")
    with pytest.raises(ChangedMigrationError, match="0001_table"):
        await migrate(database_url, package.name)


@pytest.mark.parametrize("name", ["1_table.sql", "0001-table.sql"])
async def test_name_without_a_number_is_an_error(database_url: str, package: Path, name: str) -> None:
    (package / name).write_text("SELECT 1")
    with pytest.raises(ValueError, match="NNNN_name"):
        await migrate(database_url, package.name)


async def test_same_number_twice_is_an_error(database_url: str, package: Path) -> None:
    for name in ("0001_a.sql", "0001_b.sql"):
        (package / name).write_text("SELECT 1")
    with pytest.raises(ValueError, match="0001"):
        await migrate(database_url, package.name)


async def test_migration_fails_in_time_without_a_server(tmp_path: Path) -> None:
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(DatabaseUnavailableError):
            await migrate(f"postgresql:///x?host={tmp_path}", "service_common.outbox.migrations", timeout_s=0.3)


async def test_migration_waits_for_the_database(postgres_dsn: str, database_url: str, package: Path) -> None:
    (package / "0001_table.sql").write_text("CREATE TABLE t (a int)")
    late = f"late_{package.name}"
    url = postgres_dsn.replace("/postgres?", f"/{late}?")
    migrating = asyncio.create_task(migrate(url, package.name))
    await rows(database_url, "SELECT 1")
    administer(postgres_dsn, f"CREATE DATABASE {late}")
    try:
        async with asyncio.timeout(PATIENCE_S):
            await migrating
        assert await rows(url, "SELECT count(*) FROM t") == [(0,)]
    finally:
        administer(postgres_dsn, f"DROP DATABASE {late} WITH (FORCE)")


def administer(url: str, statement: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


async def test_migration_that_waits_for_a_table_does_not_hold_up_its_readers(database_url: str, package: Path) -> None:
    (package / "0001_table.sql").write_text("CREATE TABLE t (a int)")
    await migrate(database_url, package.name)
    (package / "0002_column.sql").write_text("ALTER TABLE t ADD COLUMN b int")
    with psycopg2.connect(database_url) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT FROM t")
        migrating = asyncio.create_task(migrate(database_url, package.name))
        await until_waiting(database_url)
        assert await rows(database_url, "SELECT count(*) FROM t") == [(0,)]
    reader.close()
    async with asyncio.timeout(PATIENCE_S):
        await migrating
    assert await rows(database_url, "SELECT b FROM t") == []


async def until_waiting(url: str) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 't'::regclass"
    async with asyncio.timeout(PATIENCE_S):
        while await rows(url, waiting) == [(0,)]:  # noqa: ASYNC110  # the lock sends no event
            await asyncio.sleep(0.01)
