"""The upgrade from the former outbox, whose rows were orders, while replicas of the former version run.

What they execute is here as they have it: the files in ``former/``, and the statements below.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from order_contracts import EventType, Item, OrderEvent, decode
from order_service.domain import PlaceOrder
from order_service.postgres import MIGRATIONS, SqlOrders
from service_common.outbox import OutboxRelay
from service_common.postgres import Database, Json, migrate
from service_common.postgres.migrations import _CREATE_RECORD, _read
from service_common.sqs import Outgoing, SendOutcome

LIMIT_S = 30.0
WRITER_WAITS_S = 2.0  # as long as the migration may wait for its lock
QUEUES = ["processing-queue", "notification-queue"]
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:orderstream:event")

FORMER_PLACE = """
SELECT order_id FROM place_order(ARRAY['123'], ARRAY[2], %s::text[], %s, NULL, NULL)
"""
FORMER_INSERT = """
INSERT INTO outbox (destination, type, order_id, version, occurred_at, traceparent, data)
SELECT destination, 'order-cancelled', %s, 1, now(), %s, '{}' FROM unnest(%s::text[]) AS destination
"""
FORMER_CLAIM = """
SELECT id, destination, type, order_id, version, occurred_at, traceparent, data
FROM claim_outbox(%s::bigint[], '{}'::text[], 50, make_interval(secs => 30))
"""
FORMER_ANNOUNCE_LATE = """
WITH late AS (
    SELECT o.id, o.version, o.updated_at
    FROM orders AS o
    LEFT JOIN outbox AS sent
        ON sent.destination = %(destination)s AND sent.order_id = o.id AND sent.version = o.version
       AND sent.type = CASE o.version WHEN 1 THEN 'order-created' ELSE 'order-updated' END
    WHERE o.status = 'CREATED'
      AND o.updated_at < now() - make_interval(secs => %(after_s)s)
      AND (sent.id IS NULL OR sent.sent_at < now() - make_interval(secs => %(after_s)s))
    ORDER BY o.id
    LIMIT %(limit)s
    FOR UPDATE OF o SKIP LOCKED
)
INSERT INTO outbox (destination, type, order_id, version, occurred_at, data)
SELECT %(destination)s, CASE late.version WHEN 1 THEN 'order-created' ELSE 'order-updated' END, late.id, late.version,
       late.updated_at, event_data(whole.product_ids, whole.quantities)
FROM late
JOIN whole_order AS whole ON whole.id = late.id
ON CONFLICT (destination, type, order_id, version) DO UPDATE
    SET sent_at = NULL, available_at = now()
    WHERE outbox.sent_at < now() - make_interval(secs => %(after_s)s)
RETURNING order_id
"""


def id_of(event_type: str, order_id: int, version: int = 1) -> str:
    return str(uuid.uuid5(NAMESPACE, f"{event_type}:{order_id}:{version}"))


@pytest.fixture
async def former(database_url: str) -> AsyncIterator[Database]:
    """The database of the former version."""
    async with Database.open(database_url, size=8) as database:
        [orders, *_] = _read("order_service.migrations")
        formers = [script.read_text("utf-8") for script in sorted((Path(__file__).parent / "former").iterdir())]
        for script in (_CREATE_RECORD, orders.sql, *formers):
            await database.execute(script)
        await database.execute(
            "INSERT INTO schema_migration (package, name, sha256) VALUES (%s, %s, %s)",
            (orders.package, orders.name, orders.sha256),
        )
        yield database


@dataclass
class Sent:
    """Records the sent events: *ids* are (destination, event id) in the order of sending, *events* are whole."""

    ids: list[tuple[str, str]] = field(default_factory=list)
    events: list[OrderEvent] = field(default_factory=list)

    async def send(self, queue: str, messages: Sequence[Outgoing]) -> SendOutcome:
        for each in messages:
            event = decode(each.body)
            self.ids.append((queue, event.id))
            self.events.append(event)
        return SendOutcome(frozenset(each.key for each in messages), {})


class FormerReplica:
    """Places, cancels, announces and relays orders as the former version does."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.written: set[tuple[str, str]] = set()
        self.sent: list[tuple[str, str]] = []
        self.slowest_s = 0.0

    async def write(self, going_on: Callable[[], bool]) -> None:
        while going_on():
            began = time.monotonic()
            [(order_id,)] = await self._database.fetch(FORMER_PLACE, (QUEUES, TRACEPARENT))
            await self._database.execute(FORMER_INSERT, (order_id, TRACEPARENT, QUEUES[1:]))
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            self.written |= {(queue, id_of("order-created", order_id)) for queue in QUEUES}
            self.written.add((QUEUES[1], id_of("order-cancelled", order_id)))

    async def relay(self, going_on: Callable[[], bool]) -> None:
        marked: list[int] = []
        while going_on() or marked:
            rows = await self._database.fetch(FORMER_CLAIM, (marked,))
            marked = [row[0] for row in rows]
            self.sent += [(row[1], id_of(*row[2:5])) for row in rows]
            await asyncio.sleep(0.02)

    async def announce_late(self, going_on: Callable[[], bool]) -> None:
        while going_on():
            await self._database.fetch(FORMER_ANNOUNCE_LATE, {"destination": QUEUES[0], "after_s": 0.1, "limit": 20})
            await asyncio.sleep(0.05)


async def send_all(database: Database, sent: Sent) -> None:
    relay = OutboxRelay(database, sent, "/order-service")
    running = asyncio.create_task(relay.run())
    await relay.stop()
    await running


async def test_every_event_is_sent_while_both_versions_run(former: Database, database_url: str) -> None:
    replica, sent = FormerReplica(former), Sent()
    going_on = True

    def still() -> bool:
        return going_on

    async with asyncio.timeout(LIMIT_S), AsyncExitStack() as stack, asyncio.TaskGroup() as replicas:
        for _ in range(2):
            replicas.create_task(replica.write(still))
        replicas.create_task(replica.relay(still))
        replicas.create_task(replica.announce_late(still))
        while len(replica.written) < 100:  # noqa: ASYNC110  # the replica tells nobody
            await asyncio.sleep(0.01)
        await migrate(database_url, *MIGRATIONS)
        relay = OutboxRelay(former, sent, "/order-service", poll_s=0.02, spacing_s=0.01)
        running = asyncio.create_task(relay.run())
        stack.push_async_callback(asyncio.wait, [running])
        stack.callback(running.cancel)
        reached = len(replica.written)
        while len(replica.written) < reached + 200:  # noqa: ASYNC110  # the replica tells nobody
            await asyncio.sleep(0.01)
        going_on = False
    # a moved row that a former relay had claimed is sent after the lease
    await former.execute("UPDATE outbox_event SET available_at = now() WHERE sent_at IS NULL")
    await send_all(former, sent)
    for unsent in (
        "SELECT count(*) FROM outbox WHERE sent_at IS NULL",
        "SELECT count(*) FROM outbox_event WHERE sent_at IS NULL",
    ):
        assert await former.fetch(unsent) == [(0,)]
    assert set(replica.sent) | set(sent.ids) == replica.written
    assert sent.ids
    assert replica.slowest_s < WRITER_WAITS_S


async def test_unsent_rows_of_the_former_version_are_sent_in_order(former: Database, database_url: str) -> None:
    [(order_id,)] = await former.fetch(FORMER_PLACE, (QUEUES, TRACEPARENT))
    await migrate(database_url, *MIGRATIONS)
    await former.execute(FORMER_INSERT, (order_id, TRACEPARENT, QUEUES[1:]))
    sent = Sent()
    await send_all(former, sent)
    assert [event for queue, event in sent.ids if queue == QUEUES[1]] == [
        id_of("order-created", order_id),
        id_of("order-cancelled", order_id),
    ]
    [created, *_] = sent.events
    assert (created.items, created.version, created.traceparent) == ((Item("123", 2),), 1, TRACEPARENT)


async def test_order_that_the_former_version_announced_is_announced_again(former: Database, database_url: str) -> None:
    [(order_id,)] = await former.fetch(FORMER_PLACE, (QUEUES, TRACEPARENT))
    await former.execute("UPDATE outbox SET sent_at = now() - interval '2 hours'")
    await former.execute("UPDATE orders SET updated_at = now() - interval '2 hours'")
    await migrate(database_url, *MIGRATIONS)
    orders = SqlOrders(former, processing_queue=QUEUES[0], notification_queue=QUEUES[1])
    assert await orders.announce_late(after_s=300, limit=10) == [order_id]
    assert await orders.announce_late(after_s=300, limit=10) == []
    assert await former.fetch("SELECT event_key FROM outbox_event") == [(f"order-created:{order_id}:1",)]


async def test_present_version_writes_beside_the_former_table(former: Database, database_url: str) -> None:
    await migrate(database_url, *MIGRATIONS)
    orders = SqlOrders(former, processing_queue=QUEUES[0], notification_queue=QUEUES[1])
    placement = await orders.place(PlaceOrder((Item("123", 1),)))
    assert await former.fetch(FORMER_CLAIM, ([],)) == []
    rows = await former.fetch("SELECT destination, subject FROM outbox_event ORDER BY id")
    assert rows == [(queue, str(placement.order_id)) for queue in QUEUES]


@pytest.mark.parametrize("event_type", EventType)
async def test_sql_and_python_build_the_same_event(database_url: str, event_type: EventType) -> None:
    items = (Item("a", 1), Item("b", 2)) if event_type in {EventType.ORDER_CREATED, EventType.ORDER_UPDATED} else ()
    reason = "sold out" if event_type is EventType.ORDER_FAILED else None
    event = OrderEvent(event_type, "/test", 7, 3, datetime.now(UTC), items=items, reason=reason)
    facts = {name: value for name, value in event.data.items() if name in {"orderItems", "reason", "customerId"}}
    await migrate(database_url, *MIGRATIONS)
    async with Database.open(database_url) as database:
        said = await database.fetch_one(
            "SELECT order_event_key(%(type)s, 7, 3), order_event_data(%(type)s, 7, 3, %(facts)s)",
            {"type": event_type.value, "facts": Json(facts)},
        )
    assert said == (event.key, event.data)
