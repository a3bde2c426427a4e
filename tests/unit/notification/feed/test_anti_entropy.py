"""The comparison of the feed with the changed orders: its order, its outages, its replicas."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import generate_latest

from notification_service.feed.anti_entropy import AntiEntropy
from notification_service.feed.missing import ListedOrder
from notification_service.notification import EVERYTHING
from order_contracts import EventType, OrderEvent
from service_common.errors import InvalidError, UnavailableError
from service_common.observability import Metrics
from tests.support.in_memory.notification import InMemoryFeed
from tests.support.waiting import PATIENCE_S

NOW = datetime.now(UTC)
KEEP_S = 3600.0


def order(order_id: int, status: str = "CLOSED") -> ListedOrder:
    return ListedOrder(order_id, 1, status, NOW, NOW, "out of stock" if status == "FAILED" else None, "alice")


class Orders:
    """`ChangedOrders` in a list, whose positions are its indices; raises *failure* while that is set."""

    def __init__(self, *orders: ListedOrder) -> None:
        self.orders = list(orders)
        self.failure: UnavailableError | None = None
        self.calls: list[tuple[str, float, int]] = []
        self.failed = asyncio.Event()

    async def after(self, position: str, *, min_age_s: float, limit: int) -> tuple[Sequence[ListedOrder], str]:
        self.calls.append((position, min_age_s, limit))
        if self.failure is not None:
            self.failed.set()
            raise self.failure
        if not position:
            return (), "0"
        found = self.orders[int(position) :][:limit]
        return found, str(int(position) + len(found))


class Notify:
    """Appends to *feed*; raises *failure* once, for the first event of the order *failing*."""

    def __init__(self, feed: InMemoryFeed) -> None:
        self.feed = feed
        self.failing: int | None = None
        self.failure: Exception = UnavailableError("away")
        self.stored = asyncio.Event()

    async def __call__(self, event: OrderEvent) -> None:
        if event.order_id == self.failing:
            self.failing = None
            raise self.failure
        await self.feed.append([event])
        self.stored.set()


def comparing(orders: Orders, notify: Notify, *, batch: int = 2, keep_s: float = KEEP_S) -> AntiEntropy:
    # the lease of a comparison, a tenth of after_s, is over when the next begins
    return AntiEntropy(orders, notify.feed, notify, Metrics(), after_s=0.0, keep_s=keep_s, batch=batch)


async def kinds(feed: InMemoryFeed) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for each in (await feed.read(0, wanted=EVERYTHING, limit=1000)).notifications:
        found.setdefault(each.order_id, []).append(each.kind)
    return found


@pytest.fixture
async def feed() -> InMemoryFeed:
    """A feed whose comparison has begun, at position 0."""
    feed = InMemoryFeed()
    assert await feed.advance_comparison("", "0", 0.0)
    return feed


async def test_first_comparison_begins_at_the_present() -> None:
    feed, orders = InMemoryFeed(), Orders(order(1))
    await comparing(orders, Notify(feed)).compare()
    assert await kinds(feed) == {}
    assert await feed.claim_comparison(0.0) == "0"


async def test_missing_notifications_are_stored_and_counted(
    feed: InMemoryFeed, caplog: pytest.LogCaptureFixture
) -> None:
    await feed.append([OrderEvent(EventType.ORDER_CREATED, "/order-service", 2, 1, NOW)])
    metrics, notify = Metrics(), Notify(feed)
    orders = Orders(order(1, "CREATED"), order(2), order(3, "FAILED"))
    await AntiEntropy(orders, feed, notify, metrics, after_s=0.0, keep_s=KEEP_S).compare()
    assert await kinds(feed) == {1: ["CREATED"], 2: ["CREATED", "CLOSED"], 3: ["CREATED", "FAILED"]}
    assert b"orderstream_notifications_restored_total 4.0" in generate_latest(metrics.registry)
    [line] = [record for record in caplog.records if record.getMessage() == "notifications restored"]
    assert (line.levelno, line.notifications, line.orders) == (logging.WARNING, 4, 3)  # type: ignore[attr-defined]


async def test_nothing_is_stored_or_reported_when_nothing_is_missing(
    feed: InMemoryFeed, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        await comparing(Orders(order(1)), Notify(feed)).compare()
        assert await feed.advance_comparison("1", "0", 0.0)
    assert await kinds(feed) == {1: ["CREATED", "CLOSED"]}
    assert [record.getMessage() for record in caplog.records].count("notifications restored") == 1


async def test_full_page_is_followed_by_another(feed: InMemoryFeed) -> None:
    orders = Orders(*map(order, range(1, 6)))
    await comparing(orders, Notify(feed), batch=2).compare()
    assert [position for position, _, _ in orders.calls] == ["0", "2", "4"]
    assert len(await kinds(feed)) == 5


async def test_position_stays_when_the_feed_is_unavailable(feed: InMemoryFeed) -> None:
    orders, notify = Orders(order(1), order(2)), Notify(feed)
    notify.failing = 1
    anti_entropy = comparing(orders, notify)
    with pytest.raises(UnavailableError):
        await anti_entropy.compare()
    assert await feed.claim_comparison(0.0) == "0"
    await anti_entropy.compare()
    assert await kinds(feed) == {2: ["CREATED", "CLOSED"], 1: ["CREATED", "CLOSED"]}


async def test_event_that_is_refused_prevents_no_other(feed: InMemoryFeed, caplog: pytest.LogCaptureFixture) -> None:
    notify = Notify(feed)
    notify.failing, notify.failure = 1, InvalidError("wrong")
    await comparing(Orders(order(1), order(2)), notify).compare()
    assert await kinds(feed) == {2: ["CREATED", "CLOSED"]}
    [line] = [record for record in caplog.records if record.getMessage() == "notification refused"]
    assert line.orderId == 1  # type: ignore[attr-defined]


async def test_replica_without_the_claim_does_not_compare(feed: InMemoryFeed) -> None:
    assert await feed.claim_comparison(60.0) == "0"
    orders = Orders(order(1))
    await comparing(orders, Notify(feed)).compare()
    assert orders.calls == []


async def test_notifications_that_may_have_expired_are_not_restored(feed: InMemoryFeed) -> None:
    old = replace(order(1), updated_at=NOW - timedelta(seconds=KEEP_S * 0.95))
    await comparing(Orders(old, order(2)), Notify(feed)).compare()
    assert await kinds(feed) == {2: ["CREATED", "CLOSED"]}
    assert await feed.claim_comparison(0.0) == "2"


async def test_comparison_continues_after_an_outage_of_the_order_service(
    feed: InMemoryFeed, caplog: pytest.LogCaptureFixture
) -> None:
    orders, notify = Orders(order(1)), Notify(feed)
    orders.failure = UnavailableError("order-service is away")
    running = asyncio.create_task(comparing(orders, notify).run())
    async with asyncio.timeout(PATIENCE_S):
        await orders.failed.wait()
        orders.failure = None
        await notify.stored.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    failed = [record for record in caplog.records if record.getMessage() == "comparison failed"]
    assert {record.reason for record in failed} == {"order-service is away"}  # type: ignore[attr-defined]


async def test_customers_of_orders_are_named_in_what_is_stored(
    feed: InMemoryFeed, caplog: pytest.LogCaptureFixture
) -> None:
    await feed.append([OrderEvent(EventType.ORDER_PROCESSED, "/processing-service", 1, 1, NOW)])
    await comparing(Orders(order(1), order(2)), Notify(feed)).compare()
    stored = (await feed.read(0, wanted=EVERYTHING, limit=10)).notifications
    assert [(each.order_id, each.customer_id) for each in stored] == [(n, "alice") for n in (1, 1, 2, 2)]
    [line] = [each for each in caplog.records if each.getMessage() == "notification customers restored"]
    assert line.notifications == 2  # type: ignore[attr-defined]
