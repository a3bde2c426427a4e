"""Sagas get customers while replicas of the version without customers start and save them."""

from __future__ import annotations

from itertools import count

from order_contracts import Item
from processing_service.postgres import MIGRATIONS, SqlSagas
from processing_service.saga import Saga, Succeeded
from service_common.postgres import Database, Json, migrate
from service_common.scope import ANONYMOUS, OneCustomer
from tests.support.upgrades import apply_all_but, upgrade_under_load

NEW = (
    "0005_customers.sql",
    "0006_sagas_of_a_customer.sql",
    "0007_claimed_columns.sql",
    "0008_tracestate.sql",
    "0009_subscribers.sql",
    "0010_failed_attempts.sql",
)
EXISTING = 20_000
EXIST = "INSERT INTO saga (order_id, version, items) SELECT n, 1, '[]' FROM generate_series(1, %s) AS n"
# as the former version does
START = "SELECT order_id, version, fence, restarts FROM start_sagas(%s, make_interval(secs => 10))"
SAVE = "SELECT order_id, version FROM save_sagas(%s, make_interval(secs => 10), 'events')"
DONE = {"state": "DONE", "attempts": 2, "failures": 0, "ended": True, "event": "order-processed", "entered": {}}
ITEMS = (Item("a", 1),)


async def test_sagas_become_anonymous_while_others_are_processed(database_url: str) -> None:
    orders = count(EXISTING + 1)
    async with Database.open(database_url, size=4) as database:
        await apply_all_but(database, MIGRATIONS, NEW)
        await database.execute(EXIST, (EXISTING,))

        async def process() -> None:
            saga = {"order_id": next(orders), "version": 1}
            given: list[object] = [{**saga, "items": [], "traceparent": None, "claimed": True}]
            [(*_, fence, _)] = await database.fetch(START, (Json(given),))
            assert await database.fetch(SAVE, (Json([{**saga, **DONE, "fence": fence}]),))

        await upgrade_under_load(database_url, MIGRATIONS, process)
        await process()

        assert await database.fetch("SELECT DISTINCT customer_id FROM saga") == [(ANONYMOUS,)]
        sagas = SqlSagas(database, "events")
        own = Saga(next(orders), 1, ITEMS, customer_id="alice")
        claim = (await sagas.start(own, claimed=True)).claim
        assert claim is not None
        assert await sagas.save(claim, own.after(Succeeded()).after(Succeeded()), {})
        [(newest,)] = await database.fetch("SELECT data->>'customerId' FROM outbox_event ORDER BY id DESC LIMIT 1")
        assert newest == "alice"
        await sagas.close()


async def test_events_of_a_saga_go_to_each_destination_once(database_url: str) -> None:
    await migrate(database_url, *MIGRATIONS)
    async with Database.open(database_url) as database:
        sagas = SqlSagas(database, "events", "audit")
        saga = Saga(1, 1, ITEMS)
        claim = (await sagas.start(saga, claimed=True)).claim
        assert claim is not None
        assert await sagas.save(claim, saga.after(Succeeded()).after(Succeeded()), {})
        rows = await database.fetch("SELECT type, destination FROM outbox_event ORDER BY destination")
        assert rows == [("order-processed", "audit"), ("order-processed", "events")]
        await sagas.close()


async def test_search_by_customer_reads_own_sagas_alone(database_url: str) -> None:
    await migrate(database_url, *MIGRATIONS)
    async with Database.open(database_url) as database:
        sagas = SqlSagas(database, "events")
        await sagas.start(Saga(1, 1, ITEMS, customer_id="alice"), claimed=False)
        await database.execute(
            "INSERT INTO saga (order_id, version, items, customer_id)"
            " SELECT n, 1, '[]', 'customer-' || mod(n, 500) FROM generate_series(2, %s) AS n",
            (EXISTING,),
        )
        await database.execute("ANALYZE saga")
        wanted = dict.fromkeys(("order_id", "state", "open", "late"))
        parameters = {**wanted, "customer_id": "alice", "limit": 50, "late_after_s": 30}
        plan = "\n".join(
            line for (line,) in await database.fetch(f"EXPLAIN (ANALYZE) {sagas._sql['search_sagas']}", parameters)
        )
        assert "sagas_of_customer" in plan
        assert "Rows Removed by Filter" not in plan
        (found,) = await sagas.search(OneCustomer("alice"), state=None, late=None, limit=50)
        assert found.order_id == 1
        await sagas.close()
