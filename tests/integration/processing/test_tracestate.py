"""Sagas get a tracestate while engines of the version without one claim."""

from __future__ import annotations

from itertools import count

from order_contracts import Item
from processing_service.postgres import MIGRATIONS, SqlSagas
from processing_service.saga import Saga
from service_common.postgres import Database, Json
from tests.support.upgrades import apply_all_but, upgrade_under_load

NEW = ("0007_claimed_columns.sql", "0008_tracestate.sql")
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
# as the former version does
START = "SELECT order_id, version, fence, restarts FROM start_sagas(%s, make_interval(secs => 10))"
CLAIM = """
    SELECT order_id, version, items, traceparent, state, reason, attempts, failures, last_error, restarts, fence,
           customer_id, extract(epoch FROM now() - started_at)::float8
    FROM claim_sagas(1, make_interval(secs => 3600))
"""


async def test_former_engines_claim_during_and_after_the_upgrade(database_url: str) -> None:
    orders = count(1)
    async with Database.open(database_url, size=1) as database:  # one session, which keeps its plans
        await apply_all_but(database, MIGRATIONS, NEW)

        async def engine() -> None:
            saga = {"order_id": next(orders), "version": 1, "customer_id": "alice", "items": []}
            given: list[object] = [{**saga, "traceparent": TRACEPARENT, "claimed": False}]
            assert await database.fetch(START, (Json(given),))
            [(_, _, _, traceparent, *_)] = await database.fetch(CLAIM)
            assert traceparent == TRACEPARENT

        await engine()
        await upgrade_under_load(database_url, MIGRATIONS, engine)
        await engine()
        sagas = SqlSagas(database, "events")
        own = Saga(next(orders), 1, (Item("a", 1),), TRACEPARENT, tracestate="a=1")
        assert (await sagas.start(own, claimed=False)).new
        assert [claim.saga for claim in await sagas.claim(9)] == [own]
        await sagas.close()
