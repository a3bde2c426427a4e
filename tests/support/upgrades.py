"""A database with the schema of a former version, and the upgrade of it while that version writes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence

from service_common.postgres import Database, migrate
from service_common.postgres.migrations import _CREATE_RECORD, _read

__all__ = ["apply_all_but", "upgrade_under_load"]

WRITER_WAITS_S = 2.0


async def apply_all_but(database: Database, packages: Sequence[str], new: Collection[str]) -> None:
    """Apply the migrations of *packages* but those named *new*."""
    await database.execute(_CREATE_RECORD)
    for package in packages:
        for migration in _read(package):
            if migration.name not in new:
                await database.execute(migration.sql)
                await database.execute(
                    "INSERT INTO schema_migration (package, name, sha256) VALUES (%s, %s, %s)",
                    (migration.package, migration.name, migration.sha256),
                )


async def upgrade_under_load(url: str, packages: Sequence[str], write: Callable[[], Awaitable[object]]) -> None:
    """Apply what is missing while *write* is repeated; no call of it may wait for long."""
    over, slowest_s, writes = asyncio.Event(), 0.0, 0

    async def go_on_writing() -> None:
        nonlocal slowest_s, writes
        while not over.is_set():
            began_s = time.monotonic()
            await write()
            slowest_s, writes = max(slowest_s, time.monotonic() - began_s), writes + 1

    async with asyncio.TaskGroup() as replicas:
        replicas.create_task(go_on_writing())
        await migrate(url, *packages)
        over.set()
    assert writes
    assert slowest_s < WRITER_WAITS_S
