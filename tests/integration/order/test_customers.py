"""Orders get customers while replicas of the version without customers place orders."""

from __future__ import annotations

from order_contracts import Item
from order_service.domain import PlaceOrder
from order_service.postgres import MIGRATIONS, SqlOrders
from service_common.postgres import Database, migrate
from service_common.scope import ANONYMOUS, OneCustomer
from tests.support.upgrades import apply_all_but, upgrade_under_load

NEW = ("0005_customers.sql", "0006_orders_of_a_customer.sql", "0007_customers_in_events.sql")
EXISTING = 20_000
PLACE = "SELECT made, order_id FROM place_order(ARRAY['123'], ARRAY[2], ARRAY['processing'], NULL, %s, %s)"
ITEMS = (Item("123", 2),)


async def test_existing_orders_become_anonymous_while_others_are_placed(database_url: str) -> None:
    async with Database.open(database_url, size=4) as database:
        await apply_all_but(database, MIGRATIONS, NEW)
        await database.execute("INSERT INTO orders (version) SELECT 1 FROM generate_series(1, %s)", (EXISTING,))
        command = PlaceOrder(ITEMS, "key")
        [(_, keyed)] = await database.fetch(PLACE, ("key", command.request_hash))
        await upgrade_under_load(database_url, MIGRATIONS, lambda: database.fetch(PLACE, (None, None)))

        assert await database.fetch("SELECT DISTINCT customer_id FROM orders") == [(ANONYMOUS,)]
        orders = SqlOrders(database, processing_queue="processing", notification_queue="notification")
        again = await orders.place(command)
        assert (again.made, again.order_id) == (False, keyed)
        assert await orders.page(scope=OneCustomer(ANONYMOUS), status=None, after=None, limit=1)


async def test_events_name_the_customer(database_url: str) -> None:
    await migrate(database_url, *MIGRATIONS)
    async with Database.open(database_url) as database:
        orders = SqlOrders(database, processing_queue="processing", notification_queue="notification")
        alice = OneCustomer("alice")
        order_id = (await orders.place(PlaceOrder(ITEMS, customer_id="alice"))).order_id
        await orders.amend(order_id, ITEMS, None, alice)
        await database.execute("DELETE FROM outbox_event WHERE destination = 'processing'")
        await database.execute("UPDATE orders SET updated_at = now() - interval '1 h'")
        assert await orders.announce_late(after_s=60, limit=10) == [order_id]
        await orders.cancel(order_id, None, alice)
        events = await database.fetch("SELECT type, data->>'customerId' FROM outbox_event ORDER BY id")
        assert events == [
            (name, "alice") for name in ("order-created", "order-updated", "order-updated", "order-cancelled")
        ]


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
