"""Orders get customers while replicas of the version without customers place orders."""

from __future__ import annotations

import asyncio
import time

from order_contracts import Item
from order_service.domain import PlaceOrder
from order_service.postgres import MIGRATIONS, SqlOrders
from service_common.postgres import Database, migrate
from service_common.postgres.migrations import _CREATE_RECORD, _read
from service_common.scope import OneCustomer

NEW = ("0005_customers.sql", "0006_orders_of_a_customer.sql")
EXISTING = 20_000
WRITER_WAITS_S = 2.0
PLACE = "SELECT made, order_id FROM place_order(ARRAY['123'], ARRAY[2], ARRAY['processing'], NULL, %s, %s)"
ITEMS = (Item("123", 2),)


async def without_customers(database: Database) -> None:
    """Bring the database to the schema before there were customers, with many orders."""
    await database.execute(_CREATE_RECORD)
    for package in MIGRATIONS:
        for migration in _read(package):
            if migration.name not in NEW:
                await database.execute(migration.sql)
                await database.execute(
                    "INSERT INTO schema_migration (package, name, sha256) VALUES (%s, %s, %s)",
                    (migration.package, migration.name, migration.sha256),
                )
    await database.execute("INSERT INTO orders (version) SELECT 1 FROM generate_series(1, %s)", (EXISTING,))


async def test_existing_orders_become_anonymous_while_others_are_placed(database_url: str) -> None:
    async with Database.open(database_url, size=4) as database:
        await without_customers(database)
        command = PlaceOrder(ITEMS, "key")
        [(_, keyed)] = await database.fetch(PLACE, ("key", command.request_hash))
        over, slowest_s, placed = asyncio.Event(), 0.0, 0

        async def go_on_placing() -> None:
            nonlocal slowest_s, placed
            while not over.is_set():
                began_s = time.monotonic()
                await database.fetch(PLACE, (None, None))
                slowest_s, placed = max(slowest_s, time.monotonic() - began_s), placed + 1

        async with asyncio.TaskGroup() as replicas:
            replicas.create_task(go_on_placing())
            await migrate(database_url, *MIGRATIONS)
            over.set()

        assert placed
        assert slowest_s < WRITER_WAITS_S
        assert await database.fetch("SELECT DISTINCT customer_id FROM orders") == [("anonymous",)]
        orders = SqlOrders(database, processing_queue="processing", notification_queue="notification")
        again = await orders.place(command)
        assert (again.made, again.order_id) == (False, keyed)
        assert [each.id for each in await orders.page(scope=OneCustomer("anonymous"), status=None, after=None, limit=1)]


async def test_page_of_a_customer_reads_own_orders_alone(database_url: str) -> None:
    await migrate(database_url, *MIGRATIONS)
    async with Database.open(database_url) as database:
        orders = SqlOrders(database, processing_queue="processing", notification_queue="notification")
        mine = (await orders.place(PlaceOrder(ITEMS, customer_id="alice"))).order_id
        await database.execute(
            "INSERT INTO orders (customer_id) SELECT 'customer-' || mod(n, 500) FROM generate_series(1, %s) AS n",
            (EXISTING,),
        )
        await database.execute("ANALYZE orders")
        statement = orders._sql["page_of_orders"]
        parameters = {"status": None, "after": None, "limit": 50, "customer_id": "alice"}
        plan = "\n".join(line for (line,) in await database.fetch(f"EXPLAIN (ANALYZE) {statement}", parameters))
        assert "orders_of_customer" in plan
        assert "Rows Removed by Filter" not in plan
        assert [
            order.id for order in await orders.page(scope=OneCustomer("alice"), status=None, after=None, limit=50)
        ] == [mine]
