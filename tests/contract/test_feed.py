"""One suite for every Feed: the one in memory and the one in PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol, cast

import pytest

from notification_service.feed import SqlFeed
from notification_service.feed.ports import ComparisonStore, Feed
from notification_service.notification import EVERYTHING, Notification, NotificationFilter, Selection
from order_contracts import EventType, Item, OrderEvent
from service_common.postgres import Database, migrate
from service_common.scope import ALL_CUSTOMERS, ANONYMOUS, OneCustomer, Scope
from tests.support.in_memory.database import InMemoryDatabase, feed_statements
from tests.support.in_memory.notification import InMemoryFeed

WHEN = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
TRACE = "0123456789abcdef0123456789abcdef"
CREATED, UPDATED, CANCELLED = EventType.ORDER_CREATED, EventType.ORDER_UPDATED, EventType.ORDER_CANCELLED
CLOSED, FAILED = EventType.ORDER_PROCESSED, EventType.ORDER_FAILED


class Store(Feed, ComparisonStore, Protocol):
    """What the adapters are."""


@pytest.fixture(params=["memory", "statements in memory", "postgres"])
async def feed(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield InMemoryFeed()
        return
    if request.param == "statements in memory":
        yield SqlFeed(cast(Database, InMemoryDatabase(feed_statements(InMemoryFeed()))))
        return
    url = request.getfixturevalue("database_url")
    await migrate(url, "notification_service.migrations")
    async with Database.open(url, size=4) as database:
        yield SqlFeed(database)


def event(event_type: EventType, order: int, version: int = 1) -> OrderEvent:
    return OrderEvent(
        type=event_type,
        source="/test",
        order_id=order,
        version=version,
        time=WHEN,
        traceparent=f"00-{TRACE}-0123456789abcdef-01",
        items=(Item("a", 1),),
        reason="out of stock" if event_type is FAILED else None,
    )


async def kinds(feed: Feed, order: int) -> list[str]:
    page = await feed.read(0, wanted=Selection(ALL_CUSTOMERS, NotificationFilter(frozenset({order}))), limit=100)
    return [each.kind for each in page.notifications]


async def test_notifications_of_an_order_have_the_order_of_its_events(feed: Feed) -> None:
    for each in (event(CREATED, 1), event(UPDATED, 1, 2), event(CLOSED, 1, 2)):
        await feed.append([each])
    assert await kinds(feed, 1) == ["CREATED", "UPDATED", "CLOSED"]


async def test_append_returns_what_read_returns(feed: Feed) -> None:
    stored = await feed.append([event(CREATED, 7), event(FAILED, 7)])
    expected = [
        Notification(1, CREATED, 7, 1, WHEN, TRACE),
        Notification(2, FAILED, 7, 1, WHEN, TRACE, "out of stock"),
    ]
    assert [list(each) for each in stored] == [[expected[0]], [expected[1]]]
    read = (await feed.read(0, wanted=EVERYTHING, limit=9)).notifications
    for each in (*stored[0], *stored[1], *read):
        assert each.traceparent == event(CREATED, 7).traceparent
    assert list((await feed.read(0, wanted=EVERYTHING, limit=10)).notifications) == expected


async def test_read_returns_the_time_of_recording(feed: Feed) -> None:
    before = datetime.now(UTC)
    stored = await feed.append([event(CREATED, 7), event(CLOSED, 7)])
    assert [each.recorded_at for one in stored for each in one] == [None, None]
    created, closed = (each.recorded_at for each in (await feed.read(0, wanted=EVERYTHING, limit=10)).notifications)
    assert created is not None
    assert closed is not None
    assert before <= created <= closed <= datetime.now(UTC)


async def test_terminal_event_that_comes_first_stores_the_creation_before_it(feed: Feed) -> None:
    stored = await feed.append([event(CLOSED, 1, 3)])
    assert [(each.kind, each.version) for each in stored[0]] == [("CREATED", 1), ("CLOSED", 3)]
    assert [list(each) for each in await feed.append([event(CREATED, 1)])] == [[]]
    assert await kinds(feed, 1) == ["CREATED", "CLOSED"]


async def test_update_that_comes_first_stores_the_creation_before_it(feed: Feed) -> None:
    await feed.append([event(UPDATED, 1, 2), event(CREATED, 1)])
    assert await kinds(feed, 1) == ["CREATED", "UPDATED"]


@pytest.mark.parametrize("late", [event(CREATED, 1), event(UPDATED, 1, 2), event(CANCELLED, 1), event(CLOSED, 1)])
async def test_event_after_the_terminal_one_is_dropped(feed: Feed, late: OrderEvent) -> None:
    await feed.append([event(CREATED, 1), event(FAILED, 1)])
    assert [list(each) for each in await feed.append([late])] == [[]]
    assert await kinds(feed, 1) == ["CREATED", "FAILED"]


async def test_each_version_is_stored_once(feed: Feed) -> None:
    await feed.append([event(CREATED, 1), event(UPDATED, 1, 2), event(UPDATED, 1, 2), event(UPDATED, 1, 3)])
    await feed.append([event(UPDATED, 1, 2), event(UPDATED, 1, 3)])
    assert await kinds(feed, 1) == ["CREATED", "UPDATED", "UPDATED"]


async def test_duplicates_within_one_append_are_stored_once(feed: Feed) -> None:
    stored = await feed.append([event(CREATED, 1), event(CREATED, 1), event(CLOSED, 1), event(CLOSED, 1)])
    assert [len(each) for each in stored] == [1, 0, 1, 0]
    assert (await feed.state()).head == 2


async def test_positions_stay_dense_when_events_are_dropped(feed: Feed) -> None:
    await feed.append([event(CREATED, order) for order in (1, 1, 2, 2, 3)])
    await feed.append([event(CLOSED, order) for order in (3, 3, 4)])
    page = await feed.read(0, wanted=EVERYTHING, limit=100)
    assert [each.seq for each in page.notifications] == [1, 2, 3, 4, 5, 6]
    assert page.state.head == 6


async def test_read_stops_at_the_limit_and_returns_how_far_it_came(feed: Feed) -> None:
    await feed.append([event(CREATED, order) for order in range(1, 11)])
    page = await feed.read(2, wanted=EVERYTHING, limit=3)
    assert ([each.seq for each in page.notifications], page.through) == ([3, 4, 5], 5)
    page = await feed.read(2, up_to=4, wanted=EVERYTHING, limit=3)
    assert ([each.seq for each in page.notifications], page.through) == ([3, 4], 4)


async def test_filtered_read_is_complete_up_to_through(feed: Feed) -> None:
    await feed.append([event(CREATED, order) for order in range(1, 11)])
    page = await feed.read(0, up_to=9, wanted=Selection(ALL_CUSTOMERS, NotificationFilter(frozenset({3, 10}))), limit=5)
    assert ([each.order_id for each in page.notifications], page.through) == ([3], 9)
    page = await feed.read(10, wanted=Selection(ALL_CUSTOMERS, NotificationFilter(frozenset({3}))), limit=5)
    assert (list(page.notifications), page.through) == ([], 10)


async def test_backward_read_returns_the_newest_first_and_how_far_it_came(feed: Feed) -> None:
    await feed.append([event(CREATED, order) for order in range(1, 11)])
    page = await feed.read_back(None, wanted=EVERYTHING, limit=3)
    assert ([each.seq for each in page.notifications], page.through) == ([10, 9, 8], 8)
    assert page.notifications[0].recorded_at is not None
    page = await feed.read_back(3, wanted=EVERYTHING, limit=3)
    assert ([each.seq for each in page.notifications], page.through) == ([2, 1], 1)
    for before, expected in ((0, []), (1, []), (2, [1]), (99, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1])):
        page = await feed.read_back(before, wanted=EVERYTHING, limit=100)
        assert ([each.seq for each in page.notifications], page.state.head) == (expected, 10)


async def test_backward_read_has_what_the_forward_read_has(feed: Feed) -> None:
    await feed.append([of(("alice", "bob", ANONYMOUS)[n % 3], event(CREATED, n)) for n in range(9)])
    await feed.append([event(CLOSED, 3), event(CLOSED, 4)])
    filters = (
        NotificationFilter(),
        NotificationFilter(kinds=frozenset({"CLOSED"})),
        NotificationFilter(frozenset({0, 3, 4}), frozenset({"CREATED"})),
    )
    sizes = []
    scopes: list[Scope] = [ALL_CUSTOMERS, *map(OneCustomer, ("alice", "bob", ANONYMOUS, "carol"))]
    for scope in scopes:
        for each in filters:
            forward = await feed.read(0, wanted=Selection(scope, each), limit=100)
            back = await feed.read_back(None, wanted=Selection(scope, each), limit=100)
            assert list(back.notifications) == list(forward.notifications)[::-1]
            assert (back.through, forward.through) == (1, 11)
            sizes.append(len(back.notifications))
    assert sizes == [11, 2, 3, 4, 1, 2, 4, 1, 1, 3, 0, 0, 0, 0, 0]


async def test_backward_read_ends_at_what_has_expired(feed: Feed) -> None:
    await feed.append([event(CREATED, 1), event(CLOSED, 1), event(CREATED, 2)])
    await feed.expire(0)
    await feed.append([event(CREATED, 3)])
    page = await feed.read_back(None, wanted=EVERYTHING, limit=10)
    assert ([each.seq for each in page.notifications], page.through, page.state.floor) == ([4], 4, 3)
    page = await feed.read_back(2, wanted=EVERYTHING, limit=10)
    assert (list(page.notifications), page.through) == ([], 4)


async def test_expired_notifications_raise_the_floor_and_are_not_read(feed: Feed) -> None:
    await feed.append([event(CREATED, 1), event(CLOSED, 1), event(CREATED, 2)])
    await feed.expire(3600)
    assert (await feed.state()).floor == 0
    await feed.expire(0)
    state = await feed.state()
    assert (state.floor, state.head) == (3, 3)
    await feed.append([event(CREATED, 3)])
    assert [each.seq for each in (await feed.read(0, wanted=EVERYTHING, limit=10)).notifications] == [4]


async def test_expired_order_without_terminal_notification_still_identifies_duplicates(feed: Feed) -> None:
    await feed.append([event(CREATED, 2)])
    await feed.expire(0)
    await feed.append([event(CREATED, 2), event(CLOSED, 2)])
    assert [each.kind for each in (await feed.read(0, wanted=EVERYTHING, limit=10)).notifications] == ["CLOSED"]


async def test_state_and_page_have_the_same_epoch(feed: Feed) -> None:
    state = await feed.state()
    assert state == (await feed.read(0, wanted=EVERYTHING, limit=1)).state
    assert state.epoch
    assert state.head == 0


async def test_comparison_begins_without_a_position_and_continues_where_it_was(feed: Store) -> None:
    assert await feed.claim_comparison(0.0) == ""
    assert await feed.advance_comparison("", "a", 0.0)
    assert await feed.claim_comparison(0.0) == "a"


async def test_one_replica_at_a_time_compares(feed: Store) -> None:
    assert await feed.claim_comparison(60.0) == ""
    assert await feed.claim_comparison(60.0) is None
    assert await feed.advance_comparison("", "a", 60.0)
    assert await feed.claim_comparison(60.0) is None


async def test_replica_whose_lease_was_over_moves_no_position(feed: Store) -> None:
    for _ in range(2):
        assert await feed.claim_comparison(0.0) == ""
    assert await feed.advance_comparison("", "a", 0.0)
    assert not await feed.advance_comparison("", "b", 0.0)
    assert await feed.claim_comparison(0.0) == "a"


async def test_stored_events_are_those_of_the_orders(feed: Store) -> None:
    await feed.append([event(CREATED, 1), event(UPDATED, 2, 2), event(CLOSED, 3)])
    stored = await feed.stored_events([1, 2, 4])
    assert {order: set(events) for order, events in stored.items()} == {
        1: {(CREATED, 1)},
        2: {(CREATED, 1), (UPDATED, 2)},
    }


def of(customer: str, each: OrderEvent) -> OrderEvent:
    return replace(each, customer_id=customer)


async def owners(feed: Feed, wanted: Selection = EVERYTHING) -> list[tuple[int, str, str]]:
    page = await feed.read(0, wanted=wanted, limit=100)
    return [(each.order_id, each.kind, each.customer_id) for each in page.notifications]


async def test_notifications_belong_to_the_customer_of_their_event(feed: Feed) -> None:
    [(first,), (implied, second)] = await feed.append([of("alice", event(CREATED, 1)), of("bob", event(CLOSED, 2))])
    assert [each.customer_id for each in (first, implied, second)] == ["alice", "bob", "bob"]
    assert await owners(feed) == [(1, "CREATED", "alice"), (2, "CREATED", "bob"), (2, "CLOSED", "bob")]


async def test_event_without_a_customer_belongs_to_that_of_its_order(feed: Feed) -> None:
    await feed.append([of("alice", event(CREATED, 1)), event(CREATED, 2)])
    [(closed,), (nobodys,)] = await feed.append([event(CLOSED, 1), event(CLOSED, 2)])
    assert (closed.customer_id, nobodys.customer_id) == ("alice", ANONYMOUS)


async def test_page_has_the_notifications_in_the_scope(feed: Feed) -> None:
    await feed.append([of(("alice", "bob", ANONYMOUS)[n % 3], event(CREATED, n)) for n in range(9)])
    for customer, orders in (("alice", [0, 3, 6]), ("bob", [1, 4, 7]), (ANONYMOUS, [2, 5, 8]), ("carol", [])):
        scope = OneCustomer(customer)
        assert [order for order, *_ in await owners(feed, Selection(scope))] == orders
        some = NotificationFilter(frozenset({3, 4, 5}), frozenset({"CREATED"}))
        assert [order for order, *_ in await owners(feed, Selection(scope, some))] == orders[1:2]
        assert await owners(feed, Selection(scope, NotificationFilter(kinds=frozenset({"CLOSED"})))) == []
        page = await feed.read(0, wanted=Selection(scope), limit=2)
        assert page.through == (9 if not orders else orders[1] + 1)


async def test_customers_of_orders_are_named_where_they_were_not_known(feed: Store) -> None:
    await feed.append([event(CREATED, 1), event(CLOSED, 1), of("bob", event(CREATED, 2)), event(CREATED, 3)])
    assert await feed.name_customers({1: "alice", 2: "alice", 4: "alice"}) == 2
    assert await feed.name_customers({1: "bob"}) == 0
    assert await owners(feed) == [
        (1, "CREATED", "alice"),
        (1, "CLOSED", "alice"),
        (2, "CREATED", "bob"),
        (3, "CREATED", ANONYMOUS),
    ]
