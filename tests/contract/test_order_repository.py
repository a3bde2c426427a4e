"""What every repository of orders does: one suite over the fake and the adapter on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from order_contracts import Item
from order_service.domain import Order, OrderStatus, PlaceOrder
from order_service.ports import Change, OrderRepository
from order_service.postgres import MIGRATIONS, SqlOrders
from service_common.postgres import Database, migrate
from tests.support.in_memory.order import InMemoryOrders

ONE = (Item("b", 2), Item("a", 1))
OTHER = (Item("c", 3),)
BOTH = {"processing", "notification"}

Event = tuple[set[str], str, int, int]


@dataclass(frozen=True, slots=True)
class Kept:
    """A repository, and the events (queues, type, order, version) that it has announced so far."""

    orders: OrderRepository
    events: Callable[[], Awaitable[list[Event]]]


@pytest.fixture(params=["in memory", "postgres"])
async def kept(request: pytest.FixtureRequest) -> AsyncIterator[Kept]:
    if request.param == "in memory":
        yield _in_memory()
        return
    url: str = request.getfixturevalue("database_url")
    await migrate(url, *MIGRATIONS)
    async with Database.open(url) as database:
        yield _on_postgres(database)


def _in_memory() -> Kept:
    orders = InMemoryOrders()

    async def events() -> list[Event]:
        return [(set(each.queues), each.type, each.order_id, each.version) for each in orders.announced]

    return Kept(orders, events)


def _on_postgres(database: Database) -> Kept:
    async def events() -> list[Event]:
        rows = await database.fetch(
            "SELECT array_agg(destination), type, subject::bigint, (data->>'version')::int FROM outbox_event"
            " GROUP BY type, subject, data ORDER BY min(id)"
        )
        return [(set(queues), *event) for queues, *event in rows]

    return Kept(SqlOrders(database, processing_queue="processing", notification_queue="notification"), events)


async def placed(kept: Kept) -> Order:
    order = await kept.orders.find((await kept.orders.place(PlaceOrder(ONE))).order_id)
    assert order is not None
    return order


def applied(change: Change | None) -> Order:
    assert change is not None
    assert change.applied
    return change.order


def refused(change: Change | None) -> Order:
    assert change is not None
    assert not change.applied
    return change.order


async def test_placed_order_is_found_with_its_items_in_order(kept: Kept) -> None:
    placement = await kept.orders.place(PlaceOrder(ONE))
    order = await kept.orders.find(placement.order_id)
    assert placement.made
    assert placement.request_hash is None
    assert order is not None
    assert (order.version, order.status, order.failure_reason) == (1, OrderStatus.CREATED, None)
    assert [Item(item.product_id, item.quantity) for item in order.items] == list(ONE)
    assert tuple(item.id for item in order.items) == placement.item_ids
    assert order.created_at == order.updated_at == placement.at
    assert abs(placement.at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_placed_order_is_announced_to_both_queues(kept: Kept) -> None:
    order = await placed(kept)
    assert await kept.events() == [(BOTH, "order-created", order.id, 1)]


async def test_same_key_makes_one_order(kept: Kept) -> None:
    command = PlaceOrder(ONE, "key")
    first = await kept.orders.place(command)
    await kept.orders.amend(first.order_id, OTHER, None)
    again = await kept.orders.place(PlaceOrder(OTHER, "key"))
    assert first.made
    assert first.request_hash == command.request_hash
    assert again == await kept.orders.find_placement("key")
    assert (again.made, again.request_hash, again.order_id) == (False, first.request_hash, first.order_id)
    assert (again.item_ids, again.at) == (first.item_ids, first.at)
    assert len(await kept.orders.page(status=None, after=None, limit=10)) == 1


async def test_other_keys_make_other_orders(kept: Kept) -> None:
    ids = [(await kept.orders.place(PlaceOrder(ONE, key))).order_id for key in ("a", "A", None, None)]
    assert len(set(ids)) == 4


async def test_unknown_key_has_no_placement(kept: Kept) -> None:
    await kept.orders.place(PlaceOrder(ONE, "key"))
    assert await kept.orders.find_placement("another") is None


async def test_what_is_not_there_is_none(kept: Kept) -> None:
    beyond = 2**63 - 1
    assert await kept.orders.find(beyond) is None
    assert await kept.orders.amend(beyond, ONE, None) is None
    assert await kept.orders.cancel(beyond, None) is None
    assert await kept.orders.settle(beyond, 1, OrderStatus.CLOSED, None) is None
    assert await kept.events() == []


async def test_amended_order_has_only_its_new_items(kept: Kept) -> None:
    before = await placed(kept)
    order = applied(await kept.orders.amend(before.id, OTHER, None))
    assert (order.version, order.status) == (2, OrderStatus.CREATED)
    assert [Item(item.product_id, item.quantity) for item in order.items] == list(OTHER)
    assert order.created_at == before.created_at
    assert order.updated_at > before.updated_at
    assert await kept.orders.find(before.id) == order
    assert (await kept.events())[1:] == [(BOTH, "order-updated", before.id, 2)]


async def test_another_version_than_expected_is_neither_amended_nor_cancelled(kept: Kept) -> None:
    order = await placed(kept)
    assert refused(await kept.orders.amend(order.id, OTHER, 2)) == order
    assert refused(await kept.orders.cancel(order.id, 10**18 - 1)) == order
    assert len(await kept.events()) == 1


async def test_expected_version_is_amended_and_cancelled(kept: Kept) -> None:
    order = await placed(kept)
    applied(await kept.orders.amend(order.id, OTHER, 1))
    assert applied(await kept.orders.cancel(order.id, 2)).status is OrderStatus.CANCELLED


async def test_cancelled_order_is_announced_once_and_only_to_those_who_tell(kept: Kept) -> None:
    order = await placed(kept)
    cancelled = applied(await kept.orders.cancel(order.id, None))
    assert (cancelled.status, cancelled.version, cancelled.items) == (OrderStatus.CANCELLED, 1, order.items)
    assert refused(await kept.orders.cancel(order.id, None)) == cancelled
    assert (await kept.events())[1:] == [({"notification"}, "order-cancelled", order.id, 1)]


@pytest.mark.parametrize(("status", "reason"), [(OrderStatus.CLOSED, None), (OrderStatus.FAILED, "out of stock")])
async def test_order_is_settled_once_for_ever(kept: Kept, status: OrderStatus, reason: str | None) -> None:
    order = await placed(kept)
    settled = applied(await kept.orders.settle(order.id, 1, status, reason))
    assert (settled.status, settled.failure_reason, settled.items) == (status, reason, order.items)
    assert refused(await kept.orders.settle(order.id, 1, OrderStatus.CLOSED, None)) == settled
    assert refused(await kept.orders.settle(order.id, 1, OrderStatus.FAILED, "again")) == settled
    assert refused(await kept.orders.cancel(order.id, None)) == settled
    assert refused(await kept.orders.amend(order.id, OTHER, None)) == settled
    assert await kept.orders.find(order.id) == settled
    assert len(await kept.events()) == 1


async def test_another_version_is_not_settled(kept: Kept) -> None:
    order = await placed(kept)
    amended = applied(await kept.orders.amend(order.id, OTHER, None))
    assert refused(await kept.orders.settle(order.id, 1, OrderStatus.CLOSED, None)) == amended
    assert refused(await kept.orders.settle(order.id, 3, OrderStatus.CLOSED, None)) == amended


async def test_page_is_newest_first_and_goes_on_after_an_id(kept: Kept) -> None:
    orders = [await placed(kept) for _ in range(4)]
    assert await kept.orders.page(status=None, after=None, limit=3) == orders[:0:-1]
    assert await kept.orders.page(status=None, after=orders[1].id, limit=3) == orders[:1]


async def test_page_has_only_the_status_asked_for(kept: Kept) -> None:
    first, second = await placed(kept), await placed(kept)
    cancelled = applied(await kept.orders.cancel(first.id, None))
    assert await kept.orders.page(status=OrderStatus.CANCELLED, after=None, limit=5) == [cancelled]
    assert await kept.orders.page(status=OrderStatus.CREATED, after=None, limit=5) == [second]
    assert await kept.orders.page(status=OrderStatus.FAILED, after=None, limit=5) == []
