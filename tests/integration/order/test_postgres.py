"""Concurrent changes and late orders on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial

import psycopg2
import pytest

from order_contracts import Item
from order_contracts.limits import MAX_ITEMS, MAX_QUANTITY
from order_service.domain import ChangePosition, OrderFilter, OrderStatus, PlaceOrder
from order_service.postgres import MIGRATIONS, SqlOrders
from order_service.schemas import MAX_REASON
from service_common.events import encode
from service_common.observability import tracing
from service_common.outbox.table import OutboxTable
from service_common.paging import PageRequest
from service_common.postgres import Database, Json, migrate
from service_common.scope import ALL_CUSTOMERS
from service_common.sqs import Outgoing
from service_common.sqs.limits import MAX_BATCH, MAX_BATCH_BYTES
from service_common.sqs.messages import size_bytes
from tests.support.insisting import insist

ONE = (Item("b", 2), Item("a", 1))
LATER_S = 300.0
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACESTATE = "vendor=a b,other=1"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrate(database_url, *MIGRATIONS)
    async with Database.open(database_url) as database:
        yield database


@pytest.fixture
def orders(database: Database) -> SqlOrders:
    return SqlOrders(database, processing_queue="processing-queue", notification_queue="notification-queue")


async def age(database: Database, *, sent: bool = True) -> None:
    """Make all stored orders late; with *sent* mark their events as sent."""
    past = timedelta(seconds=LATER_S + 1)
    await database.execute(
        "UPDATE orders SET created_at = created_at - %(p)s, updated_at = updated_at - %(p)s", {"p": past}
    )
    if sent:
        await database.execute("UPDATE outbox_event SET sent_at = now() - %s, available_at = now() + '1 hour'", (past,))


async def sendable(database: Database) -> list[tuple[object, ...]]:
    return await database.fetch(
        "SELECT destination, type, subject::bigint, (data->>'version')::int FROM outbox_event"
        " WHERE sent_at IS NULL AND available_at <= now()"
    )


async def test_subscribers_get_the_events_of_the_notification_queue(database: Database) -> None:
    orders = SqlOrders(database, processing_queue="work", notification_queue="feed", subscriber_queues=("audit", "b"))
    order_id = (await orders.place(PlaceOrder(ONE))).order_id
    await orders.amend(order_id, ONE[:1], None, ALL_CUSTOMERS)
    await orders.cancel(order_id, None, ALL_CUSTOMERS)
    to_all = {"feed", "audit", "b"}
    sent = await database.fetch("SELECT type, array_agg(destination) FROM outbox_event GROUP BY type ORDER BY min(id)")
    assert [(event, set(queues)) for event, queues in sent] == [
        ("order-created", {"work", *to_all}), ("order-updated", {"work", *to_all}), ("order-cancelled", to_all),
    ]  # fmt: skip


async def test_outbox_rows_carry_the_items_and_the_trace(database: Database, orders: SqlOrders) -> None:
    with tracing(TRACEPARENT, TRACESTATE) as trace:
        placement = await orders.place(PlaceOrder(ONE))
    rows = await database.fetch(
        "SELECT destination, data, traceparent, tracestate, occurred_at FROM outbox_event ORDER BY destination"
    )
    data = {
        "orderId": placement.order_id,
        "version": 1,
        "customerId": "anonymous",
        "orderItems": [{"productId": "b", "quantity": 2}, {"productId": "a", "quantity": 1}],
        "message": f"Notification CREATED for order {placement.order_id}",
    }
    assert rows == [
        ("notification-queue", data, trace.traceparent, TRACESTATE, placement.at),
        ("processing-queue", data, trace.traceparent, TRACESTATE, placement.at),
    ]


async def test_trace_of_a_change_need_not_have_a_state(database: Database, orders: SqlOrders) -> None:
    placement = await orders.place(PlaceOrder(ONE))
    with tracing(TRACEPARENT) as trace:
        await orders.cancel(placement.order_id, None, ALL_CUSTOMERS)
    rows = await database.fetch("SELECT type, traceparent, tracestate FROM outbox_event ORDER BY id")
    assert rows == [
        ("order-created", None, None),
        ("order-created", None, None),
        ("order-cancelled", trace.traceparent, None),
    ]


async def test_concurrent_requests_with_one_key_make_one_order(database: Database, orders: SqlOrders) -> None:
    placements = await asyncio.gather(*(insist(lambda: orders.place(PlaceOrder(ONE, "key"))) for _ in range(24)))
    assert Counter(placement.made for placement in placements) == {True: 1, False: 23}
    assert len({(each.order_id, each.item_ids, each.request_hash, each.at) for each in placements}) == 1
    assert await database.fetch("SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM outbox_event)") == [(1, 2)]


async def test_concurrent_changes_leave_the_items_of_one(database: Database, orders: SqlOrders) -> None:
    order_id = (await orders.place(PlaceOrder(ONE))).order_id
    sets = [tuple(Item(f"{n}-{m}", n) for m in range(3)) for n in range(1, 13)]
    changes = await asyncio.gather(
        *(insist(partial(orders.amend, order_id, lines, None, ALL_CUSTOMERS)) for lines in sets)
    )
    assert sorted(change.order.version for change in changes if change and change.applied) == list(range(2, 14))
    order = await orders.find(order_id, ALL_CUSTOMERS)
    assert order is not None
    assert order.version == 13
    assert tuple(Item(item.product_id, item.quantity) for item in order.items) in sets
    assert await database.fetch("SELECT count(*) FROM outbox_event WHERE type = 'order-updated'") == [(24,)]


async def test_one_of_many_changes_of_the_same_version_wins(orders: SqlOrders) -> None:
    order_id = (await orders.place(PlaceOrder(ONE))).order_id
    changes = await asyncio.gather(*(insist(lambda: orders.amend(order_id, ONE, 1, ALL_CUSTOMERS)) for _ in range(12)))
    assert Counter(change.applied for change in changes if change) == {True: 1, False: 11}


async def test_concurrent_close_and_cancel_have_one_winner(database: Database, orders: SqlOrders) -> None:
    for _ in range(8):
        order_id = (await orders.place(PlaceOrder(ONE))).order_id
        changes = await asyncio.gather(
            insist(partial(orders.settle, order_id, 1, OrderStatus.CLOSED, None)),
            insist(partial(orders.cancel, order_id, None, ALL_CUSTOMERS)),
            insist(partial(orders.settle, order_id, 1, OrderStatus.FAILED, "gone")),
        )
        assert Counter(change.applied for change in changes if change) == {True: 1, False: 2}
        assert len({change.order for change in changes if change}) == 1
    [(announced,)] = await database.fetch("SELECT count(*) FROM outbox_event WHERE type = 'order-cancelled'")
    cancelled = await orders.page(OrderFilter(OrderStatus.CANCELLED), PageRequest(None, 10), ALL_CUSTOMERS)
    assert announced == len(cancelled.items)


async def test_late_order_is_announced_to_the_processing_queue_again(database: Database, orders: SqlOrders) -> None:
    order_id = (await orders.place(PlaceOrder(ONE))).order_id
    await age(database)
    assert await orders.announce_late(after_s=LATER_S, limit=10) == [order_id]
    assert await sendable(database) == [("processing-queue", "order-created", order_id, 1)]


async def test_late_order_is_not_announced_again_too_soon(database: Database, orders: SqlOrders) -> None:
    await orders.place(PlaceOrder(ONE))
    await age(database)
    await orders.announce_late(after_s=LATER_S, limit=10)
    assert await orders.announce_late(after_s=LATER_S, limit=10) == []
    await database.execute("UPDATE outbox_event SET sent_at = now() WHERE sent_at IS NULL")
    assert await orders.announce_late(after_s=LATER_S, limit=10) == []
    await age(database)
    assert len(await orders.announce_late(after_s=LATER_S, limit=10)) == 1


async def test_order_whose_event_is_unsent_is_left_to_the_relay(database: Database, orders: SqlOrders) -> None:
    await orders.place(PlaceOrder(ONE))
    await age(database, sent=False)
    assert await orders.announce_late(after_s=LATER_S, limit=10) == []


async def test_new_order_is_not_late(orders: SqlOrders) -> None:
    await orders.place(PlaceOrder(ONE))
    assert await orders.announce_late(after_s=LATER_S, limit=10) == []


async def test_only_the_current_version_of_a_late_order_is_announced(database: Database, orders: SqlOrders) -> None:
    order_id = (await orders.place(PlaceOrder(ONE))).order_id
    await orders.amend(order_id, (Item("c", 3),), None, ALL_CUSTOMERS)
    await age(database)
    await orders.announce_late(after_s=LATER_S, limit=10)
    assert await sendable(database) == [("processing-queue", "order-updated", order_id, 2)]


async def test_ended_order_is_not_announced_again(database: Database, orders: SqlOrders) -> None:
    ids = [(await orders.place(PlaceOrder(ONE))).order_id for _ in range(3)]
    await orders.settle(ids[0], 1, OrderStatus.CLOSED, None)
    await orders.settle(ids[1], 1, OrderStatus.FAILED, "gone")
    await orders.cancel(ids[2], None, ALL_CUSTOMERS)
    await age(database)
    assert await orders.announce_late(after_s=LATER_S, limit=10) == []


@pytest.mark.parametrize(("amended", "kind"), [(False, "order-created"), (True, "order-updated")])
async def test_late_order_whose_outbox_row_was_deleted_is_announced_again(
    database: Database, orders: SqlOrders, kind: str, *, amended: bool
) -> None:
    order_id = (await orders.place(PlaceOrder(ONE))).order_id
    if amended:
        await orders.amend(order_id, ONE, None, ALL_CUSTOMERS)
    before = await database.fetch(
        "SELECT event_key, occurred_at, data FROM outbox_event WHERE type = %s LIMIT 1", (kind,)
    )
    await age(database)
    await database.execute("DELETE FROM outbox_event")
    assert await orders.announce_late(after_s=LATER_S, limit=10) == [order_id]
    [(key, occurred_at, data)] = await database.fetch("SELECT event_key, occurred_at, data FROM outbox_event")
    assert (key, data) == (before[0][0], before[0][2])
    assert occurred_at < before[0][1]
    assert await sendable(database) == [("processing-queue", kind, order_id, data["version"])]


async def test_batches_are_bounded_and_reach_every_late_order(database: Database, orders: SqlOrders) -> None:
    ids = [(await orders.place(PlaceOrder(ONE))).order_id for _ in range(5)]
    await age(database)
    batches = [sorted(await orders.announce_late(after_s=LATER_S, limit=2)) for _ in range(4)]
    assert batches == [ids[:2], ids[2:4], ids[4:], []]


async def test_replicas_announce_each_late_order_once(database: Database, orders: SqlOrders) -> None:
    ids = {(await orders.place(PlaceOrder(ONE))).order_id for _ in range(40)}
    await age(database)
    batches = await asyncio.gather(*(orders.announce_late(after_s=LATER_S, limit=10) for _ in range(12)))
    announced = Counter(order_id for batch in batches for order_id in batch)
    assert set(announced.values()) == {1}
    while batch := await orders.announce_late(after_s=LATER_S, limit=10):
        announced.update(batch)
    assert announced == Counter(ids)


async def test_order_that_commits_late_is_still_listed_after_the_position(database_url: str, orders: SqlOrders) -> None:
    position = ChangePosition(datetime(2000, 1, 1, tzinfo=UTC), 0)
    with closing(psycopg2.connect(database_url)) as session:
        with session, session.cursor() as cursor:
            cursor.execute("SELECT order_id FROM place_order('{a}', '{1}', '{q}', NULL, NULL, NULL)")
            [[late]] = cursor.fetchall()
            early = (await orders.place(PlaceOrder(ONE))).order_id
            settled = await orders.settled_before(0)
            assert await orders.changed(after=position, before=settled, limit=10) == []
        listed = await orders.changed(after=position, before=await orders.settled_before(0), limit=10)
    assert [each.id for each in listed] == [late, early]


async def test_greatest_order_fits_into_a_message(orders: SqlOrders, database: Database) -> None:
    with tracing(None):
        await orders.place(PlaceOrder(tuple(Item(f"{number:064}", MAX_QUANTITY) for number in range(MAX_ITEMS))))
    await database.execute("UPDATE outbox_event SET data = data || %s", (Json({"reason": "\U0001f4e6" * MAX_REASON}),))
    rows = await OutboxTable(database).claim(10, 60.0)
    assert len(rows) == 2
    for row in rows:
        assert size_bytes(Outgoing("", encode(row.event("/order-service")))) < MAX_BATCH_BYTES / MAX_BATCH
