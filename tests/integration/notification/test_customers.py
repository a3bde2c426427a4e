"""Notifications get customers while replicas of the version without customers append."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count

from notification_service.feed import SqlFeed
from notification_service.notification import EVERYTHING, Selection
from order_contracts import EventType, OrderEvent
from service_common.postgres import Database, migrate
from service_common.scope import ANONYMOUS, OneCustomer
from tests.support.upgrades import apply_all_but, upgrade_under_load

PACKAGE = "notification_service.migrations"
NEW = ("0004_customers.sql", "0005_notifications_of_a_customer.sql", "0007_trace_context.sql")
EXISTING = 20_000
ALICE = OneCustomer("alice")
# as the former version does
APPEND = (
    "SELECT place, seq, type, version FROM append_notifications("
    "'{order-processed}', ARRAY[%s]::bigint[], '{1}', ARRAY[now()], '{}', '{}')"
)


def event(event_type: EventType, order: int, customer: str = ANONYMOUS) -> OrderEvent:
    return OrderEvent(event_type, "/test", order, 1, datetime.now(UTC), reason="none", customer_id=customer)


async def test_notifications_become_anonymous_while_others_are_appended(database_url: str) -> None:
    orders = count(1)
    async with Database.open(database_url, size=4) as database:
        await apply_all_but(database, (PACKAGE,), NEW)
        await database.execute(
            "SELECT append_notifications(array_fill('order-created'::text, ARRAY[%(n)s]),"
            " ARRAY(SELECT 1000000 + n FROM generate_series(1, %(n)s) AS n), array_fill(1, ARRAY[%(n)s]),"
            " array_fill(now(), ARRAY[%(n)s]), '{}', '{}')",
            {"n": EXISTING},
        )

        async def append() -> None:
            assert len(await database.fetch(APPEND, (next(orders),))) == 2

        await upgrade_under_load(database_url, (PACKAGE,), append)
        await append()

        assert await database.fetch("SELECT DISTINCT customer_id FROM notification") == [(ANONYMOUS,)]
        feed = SqlFeed(database)
        page = await feed.read(EXISTING, wanted=EVERYTHING, limit=1)
        assert [each.customer_id for each in page.notifications] == [ANONYMOUS]
        assert not (await feed.read(0, wanted=Selection(ALICE), limit=1)).notifications


async def test_former_version_ends_an_order_of_a_known_customer(database_url: str) -> None:
    await migrate(database_url, PACKAGE)
    async with Database.open(database_url) as database:
        feed = SqlFeed(database)
        await feed.append([event(EventType.ORDER_CREATED, 1, "alice")])
        await database.fetch(APPEND, (1,))
        page = await feed.read(0, wanted=Selection(ALICE), limit=10)
        assert [each.type for each in page.notifications] == [EventType.ORDER_CREATED, EventType.ORDER_PROCESSED]


async def test_page_of_a_customer_reads_own_notifications_alone(database_url: str) -> None:
    await migrate(database_url, PACKAGE)
    async with Database.open(database_url) as database:
        feed = SqlFeed(database)
        await feed.append(
            [event(EventType.ORDER_CREATED, n, f"customer-{n % 500}") for n in range(2, EXISTING)]
            + [event(EventType.ORDER_CREATED, EXISTING, "alice")]
        )
        await database.execute("ANALYZE notification")
        wanted = dict.fromkeys(("up_to", "orders", "types", "most"))
        parameters = {**wanted, "after": 0, "customer_id": "alice", "limit": 50}
        statement = feed._sql["read_notifications"]
        plan = "\n".join(line for (line,) in await database.fetch(f"EXPLAIN (ANALYZE) {statement}", parameters))
        assert "notifications_of_customer" in plan
        assert "Rows Removed by Filter" not in plan
        page = await feed.read(0, wanted=Selection(ALICE), limit=50)
        assert [each.order_id for each in page.notifications] == [EXISTING]
        assert page.through == page.state.head
