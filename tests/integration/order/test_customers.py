"""Orders get customers while replicas of the version without customers place orders."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from order_contracts import Item
from order_service.domain import OrderFilter, OrderStatus, PlaceOrder
from order_service.postgres import IDS_PER_READ, MIGRATIONS, SqlOrders, page_parameters
from service_common.paging import PageRequest
from service_common.postgres import Database, load_statements, migrate
from service_common.scope import ALL_CUSTOMERS, ANONYMOUS, OneCustomer, Scope
from tests.support.upgrades import apply_all_but, upgrade_under_load

NEW = ("0005_customers.sql", "0006_orders_of_a_customer.sql", "0007_customers_in_events.sql", "0009_tracestate.sql")
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
        assert (await orders.page(OrderFilter(), PageRequest(None, 1), OneCustomer(ANONYMOUS))).items


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


async def test_each_search_reads_a_bounded_part_of_the_tables(database_url: str) -> None:
    await migrate(database_url, *MIGRATIONS)
    now = datetime.now(UTC)
    begin, end = now - timedelta(hours=2), now - timedelta(hours=1)
    alice, everybody = OneCustomer("customer-7"), ALL_CUSTOMERS
    searches: tuple[tuple[OrderFilter, Scope, str], ...] = (
        (OrderFilter(), everybody, "orders_pkey"),
        (OrderFilter(), alice, "orders_of_customer"),
        (OrderFilter(), OneCustomer(ANONYMOUS), "orders_pkey"),
        (OrderFilter(OrderStatus.CREATED), everybody, "orders_status"),
        (OrderFilter(product_id="7"), everybody, "order_items_of_product"),
        (OrderFilter(created_from=begin, created_to=end), everybody, "orders_pkey"),
        (OrderFilter(trace_id=32 * "0"), everybody, "outbox_event_trace"),
        (OrderFilter(number=12), everybody, "orders_pkey"),
        (OrderFilter(OrderStatus.CANCELLED, "7", begin, end, number=1), everybody, "order_items_of_product"),
        (OrderFilter(OrderStatus.CANCELLED, "7", begin, end, 32 * "0", 1), alice, "outbox_event_trace"),
        (OrderFilter(OrderStatus.CANCELLED, "7"), alice, "orders_of_customer"),
    )
    async with Database.open(database_url) as database:
        await database.execute(
            "INSERT INTO orders (customer_id, created_at)"
            " SELECT 'customer-' || mod(n, 50), now() - (%(rows)s - n) * interval '1 s'"
            " FROM generate_series(1, %(rows)s) AS n",
            {"rows": EXISTING},
        )
        await database.execute(
            "INSERT INTO order_items (order_id, product_id, quantity) SELECT id, mod(id, 50), 1 FROM orders"
        )
        await database.execute(
            "INSERT INTO outbox_event (destination, type, subject, event_key, data, traceparent, occurred_at)"
            " SELECT 'q', 'order-created', id, 'k' || id, '{}', '00-' || md5(id::text) || '-', now() FROM orders"
        )
        await database.execute("ANALYZE")
        for wanted, scope, index in searches:
            parameters = page_parameters(wanted, PageRequest(None, 50), scope)
            statement = load_statements("order_service")["page_of_orders"]
            plan = "\n".join(line for (line,) in await database.fetch(f"EXPLAIN (ANALYZE) {statement}", parameters))
            assert re.search(rf"(using|on) {index}\b", plan), (wanted, plan)
            assert "Seq Scan on order" not in plan, (wanted, plan)
            removed = sum(map(int, re.findall(r"Rows Removed by Filter: (\d+)", plan)))
            assert removed <= (0 if parameters["most"] == 51 else IDS_PER_READ), (wanted, plan)
