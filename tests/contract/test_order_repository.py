"""The contract of `OrderRepository`, on the in-memory and the PostgreSQL adapter."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any, cast

import pytest

from order_contracts import Item
from order_service.domain import ChangePosition, Order, OrderFilter, OrderStatus, PlaceOrder
from order_service.ports import Change, LateOrders, OrderRepository
from order_service.postgres import MIGRATIONS, SqlOrders
from service_common.observability import tracing
from service_common.outbox.table import OutboxRow, OutboxTable
from service_common.paging import PageRequest
from service_common.postgres import Database, migrate
from service_common.scope import ALL_CUSTOMERS, OneCustomer, Scope
from tests.support.in_memory.database import InMemoryDatabase, order_statements
from tests.support.in_memory.order import InMemoryOrders

ONE = (Item("b", 2), Item("a", 1))
OTHER = (Item("c", 3),)
BOTH = {"processing", "notification"}

Event = tuple[set[str], str, int, int]


@dataclass(frozen=True, slots=True)
class Store:
    """A repository and the events in its outbox: queues, type, order and version."""

    orders: OrderRepository
    late: LateOrders
    events: Callable[[], Awaitable[list[Event]]]
    outbox: OutboxTable

    async def claim(self, sent: Sequence[int] = ()) -> list[int]:
        return [row.id for row in await self.claim_rows(sent)]

    async def claim_rows(self, sent: Sequence[int] = ()) -> list[OutboxRow]:
        return await self.outbox.claim(100, 3600.0, sent=sent)


@pytest.fixture(params=["in memory", "statements in memory", "postgres"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param != "postgres":
        yield _in_memory(statements=request.param != "in memory")
        return
    url: str = request.getfixturevalue("database_url")
    await migrate(url, *MIGRATIONS)
    async with Database.open(url) as database:
        yield _on_postgres(database)


def _in_memory(*, statements: bool) -> Store:
    orders = InMemoryOrders()
    database = cast(Database, InMemoryDatabase(order_statements(orders)))
    repository: InMemoryOrders | SqlOrders = orders
    if statements:
        repository = SqlOrders(database, processing_queue="processing", notification_queue="notification")

    async def events() -> list[Event]:
        facts: dict[str, Event] = {}
        for row in orders.outbox.rows.values():
            event: Event = (set(), row.type, row.data["orderId"], row.data["version"])
            facts.setdefault(row.event_key, event)[0].add(row.destination)
        return list(facts.values())

    return Store(repository, repository, events, OutboxTable(database))


def _on_postgres(database: Database) -> Store:
    async def events() -> list[Event]:
        rows = await database.fetch(
            "SELECT array_agg(destination), type, subject::bigint, (data->>'version')::int FROM outbox_event"
            " GROUP BY type, subject, data ORDER BY min(id)"
        )
        return [(set(queues), *event) for queues, *event in rows]

    orders = SqlOrders(database, processing_queue="processing", notification_queue="notification")
    return Store(orders, orders, events, OutboxTable(database))


async def placed(store: Store) -> Order:
    order = await store.orders.find((await store.orders.place(PlaceOrder(ONE))).order_id, ALL_CUSTOMERS)
    assert order is not None
    return order


async def found(store: Store, scope: Scope = ALL_CUSTOMERS, *, limit: int = 50, **wanted: Any) -> list[int]:
    """The ids of what is wanted, of all pages."""
    ids: list[int] = []
    after = None
    while True:
        page = await store.orders.page(OrderFilter(**wanted), PageRequest(after, limit), scope)
        assert len(page.items) <= limit
        ids += [order.id for order in page.items]
        if page.next is None:
            return ids
        assert after is None or page.next < after
        after = page.next


def applied(change: Change | None) -> Order:
    assert change is not None
    assert change.applied
    return change.order


def refused(change: Change | None) -> Order:
    assert change is not None
    assert not change.applied
    return change.order


async def test_placed_order_is_found_with_its_items_in_order(store: Store) -> None:
    placement = await store.orders.place(PlaceOrder(ONE))
    order = await store.orders.find(placement.order_id, ALL_CUSTOMERS)
    assert placement.made
    assert placement.request_hash is None
    assert order is not None
    assert (order.version, order.status, order.failure_reason) == (1, OrderStatus.CREATED, None)
    assert [Item(item.product_id, item.quantity) for item in order.items] == list(ONE)
    assert tuple(item.id for item in order.items) == placement.item_ids
    assert order.created_at == order.updated_at == placement.at
    assert abs(placement.at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_placed_order_is_announced_to_both_queues(store: Store) -> None:
    order = await placed(store)
    assert await store.events() == [(BOTH, "order-created", order.id, 1)]


async def test_same_key_makes_one_order(store: Store) -> None:
    command = PlaceOrder(ONE, "key")
    first = await store.orders.place(command)
    await store.orders.amend(first.order_id, OTHER, None, ALL_CUSTOMERS)
    again = await store.orders.place(PlaceOrder(OTHER, "key"))
    assert first.made
    assert first.request_hash == command.request_hash
    assert again == await store.orders.find_placement("key")
    assert (again.made, again.request_hash, again.order_id) == (False, first.request_hash, first.order_id)
    assert (again.item_ids, again.at) == (first.item_ids, first.at)
    assert await found(store) == [first.order_id]


async def test_other_keys_make_other_orders(store: Store) -> None:
    ids = [(await store.orders.place(PlaceOrder(ONE, key))).order_id for key in ("a", "A", None, None)]
    assert len(set(ids)) == 4


async def test_key_of_another_customer_is_another_key(store: Store) -> None:
    commands = [PlaceOrder(ONE, "key", customer) for customer in ("alice", "bob", "anonymous")]
    made = [await store.orders.place(command) for command in commands]
    again = [await store.orders.place(command) for command in commands]
    assert len({placement.order_id for placement in made}) == 3
    assert [placement.order_id for placement in again] == [placement.order_id for placement in made]
    assert not any(placement.made for placement in again)


async def test_order_of_another_customer_does_not_exist(store: Store) -> None:
    order_id = (await store.orders.place(PlaceOrder(ONE, customer_id="alice"))).order_id
    before = await store.orders.find(order_id, OneCustomer("alice"))
    for other in ("bob", "Alice", "", "anonymous"):
        assert await store.orders.find(order_id, OneCustomer(other)) is None
        assert await store.orders.amend(order_id, OTHER, None, OneCustomer(other)) is None
        assert await store.orders.cancel(order_id, None, OneCustomer(other)) is None
    assert before is not None
    assert await store.orders.find(order_id, ALL_CUSTOMERS) == before
    assert len(await store.events()) == 1


async def test_own_order_is_amended_and_cancelled(store: Store) -> None:
    order_id = (await store.orders.place(PlaceOrder(ONE, customer_id="alice"))).order_id
    assert applied(await store.orders.amend(order_id, OTHER, None, OneCustomer("alice"))).version == 2
    assert applied(await store.orders.cancel(order_id, None, OneCustomer("alice"))).status is OrderStatus.CANCELLED


async def test_page_of_a_customer_has_own_orders_alone(store: Store) -> None:
    mine, other, nobodys = [
        (await store.orders.place(command)).order_id
        for command in (PlaceOrder(ONE, customer_id="alice"), PlaceOrder(ONE, customer_id="bob"), PlaceOrder(ONE))
    ]

    alice = OneCustomer("alice")
    assert await found(store, alice) == await found(store, alice, status=OrderStatus.CREATED) == [mine]
    for scope, number in ((alice, other), (OneCustomer("bob"), mine), (OneCustomer("carol"), mine)):
        for wanted in ({"number": number}, {"status": OrderStatus.CLOSED}, {"product_id": "z"}):
            assert await found(store, scope, **wanted) == []
    assert (await store.orders.page(OrderFilter(), PageRequest(mine, 10), alice)).items == []
    assert await found(store, OneCustomer("anonymous")) == [nobodys]
    assert await found(store) == [nobodys, other, mine]


async def test_unknown_key_has_no_placement(store: Store) -> None:
    await store.orders.place(PlaceOrder(ONE, "key"))
    assert await store.orders.find_placement("another") is None


async def test_unknown_order_is_none(store: Store) -> None:
    beyond = 2**63 - 1
    assert await store.orders.find(beyond, ALL_CUSTOMERS) is None
    assert await store.orders.amend(beyond, ONE, None, ALL_CUSTOMERS) is None
    assert await store.orders.cancel(beyond, None, ALL_CUSTOMERS) is None
    assert await store.orders.settle(beyond, 1, OrderStatus.CLOSED, None) is None
    assert await store.events() == []


async def test_amended_order_has_only_its_new_items(store: Store) -> None:
    before = await placed(store)
    order = applied(await store.orders.amend(before.id, OTHER, None, ALL_CUSTOMERS))
    assert (order.version, order.status) == (2, OrderStatus.CREATED)
    assert [Item(item.product_id, item.quantity) for item in order.items] == list(OTHER)
    assert order.created_at == before.created_at
    assert order.updated_at > before.updated_at
    assert await store.orders.find(before.id, ALL_CUSTOMERS) == order
    assert (await store.events())[1:] == [(BOTH, "order-updated", before.id, 2)]


async def test_another_version_than_expected_is_neither_amended_nor_cancelled(store: Store) -> None:
    order = await placed(store)
    assert refused(await store.orders.amend(order.id, OTHER, 2, ALL_CUSTOMERS)) == order
    assert refused(await store.orders.cancel(order.id, 10**18 - 1, ALL_CUSTOMERS)) == order
    assert len(await store.events()) == 1


async def test_expected_version_is_amended_and_cancelled(store: Store) -> None:
    order = await placed(store)
    applied(await store.orders.amend(order.id, OTHER, 1, ALL_CUSTOMERS))
    assert applied(await store.orders.cancel(order.id, 2, ALL_CUSTOMERS)).status is OrderStatus.CANCELLED


async def test_cancelled_order_is_announced_once_to_the_notification_queue(store: Store) -> None:
    order = await placed(store)
    cancelled = applied(await store.orders.cancel(order.id, None, ALL_CUSTOMERS))
    assert (cancelled.status, cancelled.version, cancelled.items) == (OrderStatus.CANCELLED, 1, order.items)
    assert refused(await store.orders.cancel(order.id, None, ALL_CUSTOMERS)) == cancelled
    assert (await store.events())[1:] == [({"notification"}, "order-cancelled", order.id, 1)]


@pytest.mark.parametrize(("status", "reason"), [(OrderStatus.CLOSED, None), (OrderStatus.FAILED, "out of stock")])
async def test_order_is_settled_once(store: Store, status: OrderStatus, reason: str | None) -> None:
    order = await placed(store)
    settled = applied(await store.orders.settle(order.id, 1, status, reason))
    assert (settled.status, settled.failure_reason, settled.items) == (status, reason, order.items)
    assert refused(await store.orders.settle(order.id, 1, OrderStatus.CLOSED, None)) == settled
    assert refused(await store.orders.settle(order.id, 1, OrderStatus.FAILED, "again")) == settled
    assert refused(await store.orders.cancel(order.id, None, ALL_CUSTOMERS)) == settled
    assert refused(await store.orders.amend(order.id, OTHER, None, ALL_CUSTOMERS)) == settled
    assert await store.orders.find(order.id, ALL_CUSTOMERS) == settled
    assert len(await store.events()) == 1


async def test_another_version_is_not_settled(store: Store) -> None:
    order = await placed(store)
    amended = applied(await store.orders.amend(order.id, OTHER, None, ALL_CUSTOMERS))
    assert refused(await store.orders.settle(order.id, 1, OrderStatus.CLOSED, None)) == amended
    assert refused(await store.orders.settle(order.id, 3, OrderStatus.CLOSED, None)) == amended


async def test_page_is_newest_first_and_continues_after_an_id(store: Store) -> None:
    orders = [await placed(store) for _ in range(4)]
    page = await store.orders.page(OrderFilter(), PageRequest(None, 3), ALL_CUSTOMERS)
    assert (page.items, page.next) == (orders[:0:-1], orders[1].id)
    page = await store.orders.page(OrderFilter(), PageRequest(orders[1].id, 3), ALL_CUSTOMERS)
    assert (page.items, page.next) == (orders[:1], None)


async def test_page_has_only_the_requested_status(store: Store) -> None:
    first, second = await placed(store), await placed(store)
    cancelled = applied(await store.orders.cancel(first.id, None, ALL_CUSTOMERS))
    page = await store.orders.page(OrderFilter(OrderStatus.CANCELLED), PageRequest(None, 5), ALL_CUSTOMERS)
    assert page.items == [cancelled]
    assert await found(store, status=OrderStatus.CREATED) == [second.id]
    assert await found(store, status=OrderStatus.FAILED) == []


async def test_every_combination_of_filters_finds_what_matches_all(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("order_service.postgres.IDS_PER_READ", 7)
    traces = [f"{n:032x}" for n in (1, 2)]
    for n in range(24):
        with tracing(f"00-{traces[n % 5 == 0]}-0123456789abcdef-01"):
            command = PlaceOrder((ONE, OTHER)[n % 2], customer_id=("alice", "bob", "anonymous")[n % 3])
            order_id = (await store.orders.place(command)).order_id
        if n % 4 == 0:
            await store.orders.cancel(order_id, None, ALL_CUSTOMERS)
        elif n % 7 == 0:
            await store.orders.amend(order_id, ONE, None, ALL_CUSTOMERS)
    everything = [await store.orders.find(order_id, ALL_CUSTOMERS) for order_id in await found(store)]
    orders = [order for order in everything if order is not None]
    assert len(orders) == 24
    middle, end = orders[16].created_at, orders[4].created_at
    filters: dict[str, tuple[Any, Callable[[Order], bool]]] = {
        "status": (OrderStatus.CANCELLED, lambda order: order.status is OrderStatus.CANCELLED),
        "product_id": ("c", lambda order: "c" in {item.product_id for item in order.items}),
        "created_from": (middle, lambda order: order.created_at >= middle),
        "created_to": (end, lambda order: order.created_at < end),
        "trace_id": (traces[1], lambda order: (order.id - orders[-1].id) % 5 == 0),
        "number": (1, lambda order: str(order.id).startswith("1")),
    }
    scopes: list[Scope] = [ALL_CUSTOMERS, OneCustomer("alice"), OneCustomer("anonymous"), OneCustomer("carol")]
    sizes: set[int] = set()
    for count in range(len(filters) + 1):
        for names in combinations(filters, count):
            for scope in scopes:
                matching = [
                    order.id
                    for order in orders
                    if scope.includes(order.customer_id) and all(filters[name][1](order) for name in names)
                ]
                wanted = {name: filters[name][0] for name in names}
                assert await found(store, scope, limit=2, **wanted) == matching, (names, scope)
                sizes.add(len(matching))
    assert len(sizes) > 5


@pytest.mark.parametrize(
    ("number", "expected"), [(1, [12, 11, 10, 1]), (12, [12]), (2, [2]), (13, []), (2**63 - 1, [])]
)
async def test_number_is_what_an_id_begins_with(store: Store, number: int, expected: list[int]) -> None:
    for _ in range(12):
        await store.orders.place(PlaceOrder(ONE))
    assert await found(store, number=number) == expected
    page = await store.orders.page(OrderFilter(number=1), PageRequest(11, 1), ALL_CUSTOMERS)
    assert ([order.id for order in page.items], page.next) == ([10], 10)


async def test_orders_of_a_time_are_found_among_ids_with_gaps(store: Store) -> None:
    orders = [await placed(store) for _ in range(5)]
    for first, end in combinations(range(5), 2):
        times = orders[first].created_at, orders[end].created_at
        matching = await found(store, created_from=times[0], created_to=times[1])
        assert matching == [order.id for order in reversed(orders[first:end])]
    assert await found(store, created_to=orders[0].created_at) == []
    assert await found(store, created_from=orders[4].created_at + timedelta(microseconds=1)) == []
    assert await found(store, created_from=LONG_AGO.at, created_to=LATER) == [order.id for order in reversed(orders)]


LONG_AGO, LATER = ChangePosition(datetime(2000, 1, 1, tzinfo=UTC), 0), datetime(9000, 1, 1, tzinfo=UTC)


async def test_changed_orders_are_listed_by_their_last_change(store: Store) -> None:
    first, second = await placed(store), await placed(store)
    closed = applied(await store.orders.settle(first.id, 1, OrderStatus.CLOSED, None))
    listed = await store.orders.changed(after=LONG_AGO, before=LATER, limit=10)
    assert [(each.id, each.version, each.status) for each in listed] == [
        (second.id, 1, "CREATED"),
        (first.id, 1, "CLOSED"),
    ]
    assert [each.updated_at for each in listed] == [second.updated_at, closed.updated_at]
    assert [each.created_at for each in listed] == [second.created_at, first.created_at]


async def test_changed_order_has_version_and_reason(store: Store) -> None:
    order = await placed(store)
    applied(await store.orders.amend(order.id, OTHER, None, ALL_CUSTOMERS))
    applied(await store.orders.settle(order.id, 2, OrderStatus.FAILED, "out of stock"))
    [listed] = await store.orders.changed(after=LONG_AGO, before=LATER, limit=10)
    assert (listed.version, listed.status, listed.failure_reason) == (2, "FAILED", "out of stock")


async def test_list_of_changes_continues_after_a_position_and_stops_before_a_time(store: Store) -> None:
    orders = [await placed(store) for _ in range(4)]
    first = await store.orders.changed(after=LONG_AGO, before=LATER, limit=2)
    rest = await store.orders.changed(after=first[-1].position, before=orders[3].updated_at, limit=2)
    assert [each.id for each in (*first, *rest)] == [each.id for each in orders[:3]]


async def test_what_is_settled_is_as_old_as_requested(store: Store) -> None:
    now = datetime.now(UTC)
    settled = await store.orders.settled_before(300)
    assert abs(now - timedelta(seconds=300) - settled) < timedelta(seconds=5)


@pytest.mark.parametrize("amended", [False, True])
async def test_late_order_is_announced_again_once_its_event_was_sent(store: Store, amended: bool) -> None:
    order = await placed(store)
    if amended:
        applied(await store.orders.amend(order.id, OTHER, None, ALL_CUSTOMERS))
    assert await store.late.announce_late(after_s=3600, limit=10) == []
    assert await store.late.announce_late(after_s=0, limit=10) == []
    claimed = await store.claim()
    await store.claim(sent=claimed)
    assert await store.late.announce_late(after_s=3600, limit=10) == []
    assert await store.late.announce_late(after_s=0, limit=10) == [order.id]
    assert [row.destination for row in await store.claim_rows()] == ["processing"]


async def test_ended_order_is_not_announced_again(store: Store) -> None:
    order = await placed(store)
    await store.claim(sent=await store.claim())
    await store.orders.cancel(order.id, None, ALL_CUSTOMERS)
    await store.claim(sent=await store.claim())
    assert await store.late.announce_late(after_s=0, limit=10) == []
