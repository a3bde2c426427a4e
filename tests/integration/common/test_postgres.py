from __future__ import annotations

from service_common.postgres import Database


async def test_rows_come_back(database_url: str) -> None:
    async with Database.open(database_url) as database:
        assert await database.fetch("SELECT 1, %s::text", ("a",)) == [(1, "a")]
        assert database.available
