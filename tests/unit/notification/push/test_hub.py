from __future__ import annotations

from datetime import UTC, datetime

import pytest

from notification_service.notification import EventId, FeedState, Notification, Page
from notification_service.push import Framing, Subscription, encoding
from notification_service.push.hub import Await, Excerpt, Hub, Read, Reset, Settled, State, Write
from notification_service.push.replay_buffer import Entry, Ring
from service_common.events import EventType


def notification(seq: int, order: int = 1) -> Notification:
    return Notification(seq, EventType.ORDER_CREATED, order, 1, datetime(2026, 1, 1, tzinfo=UTC))


def entry(seq: int, order: int = 1) -> Entry:
    return encoding.entry(notification(seq, order), "e")


def page(after: int, up_to: int, floor: int = 0, epoch: str = "e") -> Page:
    return Page(FeedState(epoch, floor, 10), [notification(seq) for seq in range(after + 1, up_to + 1)], up_to)


@pytest.fixture
def hub() -> Hub:
    return Hub(FeedState("e", 0, 10), Ring(10, max_bytes=100_000, max_age_s=100))


@pytest.fixture
def subscription() -> Subscription:
    return Subscription(Framing.WS, lambda _data: None, None)


def test_newcomer_is_live_at_the_head(hub: Hub, subscription: Subscription) -> None:
    hub.join(subscription)
    assert isinstance(hub.step(subscription), Settled)
    assert subscription.state is State.LIVE
    assert hub.position(subscription) == EventId("e", 10)


def test_one_bytes_object_goes_to_all(hub: Hub) -> None:
    for framing in (Framing.WS, Framing.WS, Framing.SSE):
        each = Subscription(framing, lambda _data: None, None)
        hub.join(each)
        hub.settle(each)
    new = entry(11)
    deliveries = hub.publish([new], 0.0)
    assert {delivery.data: len(delivery.to) for delivery in deliveries} == {new.ws: 2, new.sse: 1}


def test_notification_touches_only_those_that_want_it(hub: Hub) -> None:
    for order in range(1, 101):
        each = Subscription(Framing.SSE, lambda _data: None, frozenset({order}))
        hub.join(each)
        hub.settle(each)
    (delivery,) = hub.publish([entry(11, 42)], 0.0)
    (target,) = delivery.to
    assert target.orders == frozenset({42})
    assert hub.publish([entry(12, 777)], 0.0) == []


def test_subscription_that_left_gets_nothing(hub: Hub, subscription: Subscription) -> None:
    hub.join(subscription)
    hub.settle(subscription)
    hub.leave(subscription)
    assert hub.publish([entry(11)], 0.0) == []
    assert isinstance(hub.step(subscription), Settled)
    assert subscription.state is State.GONE


def test_cursor_older_than_the_ring_reads_the_table_then_the_ring(hub: Hub, subscription: Subscription) -> None:
    hub.publish([entry(11)], 0.0)
    hub.join(subscription, 4)
    read = hub.step(subscription)
    assert read == Read(4, 10, None)
    assert isinstance(hub.replay(subscription, read, Excerpt.of(page(4, 10))), Write)
    assert hub.step(subscription) == Write(entry(11).ws, 1)
    assert isinstance(hub.step(subscription), Settled)


def test_answer_to_a_read_that_was_overtaken_is_dropped(hub: Hub, subscription: Subscription) -> None:
    hub.join(subscription, 4)
    read = hub.step(subscription)
    assert isinstance(read, Read)
    hub.narrow(subscription, frozenset({5}))
    assert hub.replay(subscription, read, Excerpt.of(page(4, 10))) is None
    assert hub.step(subscription) == Read(4, 10, frozenset({5}))


@pytest.mark.parametrize("found", [page(4, 10, floor=6), page(4, 10, epoch="another")])
def test_read_behind_the_floor_or_of_another_epoch_is_a_reset(
    found: Page, hub: Hub, subscription: Subscription
) -> None:
    hub.join(subscription, 4)
    read = hub.step(subscription)
    assert isinstance(read, Read)
    assert hub.replay(subscription, read, Excerpt.of(found)) == Reset()
    assert hub.position(subscription) == EventId("e", 10)
    assert isinstance(hub.step(subscription), Settled)


def test_cursor_ahead_of_the_head_waits_and_misses_nothing(hub: Hub, subscription: Subscription) -> None:
    hub.join(subscription, 12)
    assert hub.step(subscription) == Await()
    assert hub.publish([entry(11), entry(12)], 0.0) == []
    assert isinstance(hub.step(subscription), Settled)
    (delivery,) = hub.publish([entry(13)], 0.0)
    assert delivery.to == (subscription,)


def test_restart_puts_everyone_at_the_new_head(hub: Hub, subscription: Subscription) -> None:
    behind = Subscription(Framing.SSE, lambda _data: None, None)
    hub.join(subscription)
    hub.settle(subscription)
    hub.join(behind, 2)
    assert set(hub.restart(FeedState("f", 0, 3))) == {subscription, behind}
    assert {hub.position(each) for each in (subscription, behind)} == {EventId("f", 3)}
    assert isinstance(hub.step(behind), Settled)
    assert len(hub.publish([entry(4)], 0.0)) == 2


def test_index_by_order_forgets_those_who_leave(hub: Hub) -> None:
    each = Subscription(Framing.SSE, lambda _data: None, frozenset({1, 2}))
    hub.join(each)
    hub.settle(each)
    hub.narrow(each, frozenset({3}))
    hub.leave(each)
    assert not hub._of_order
    assert not hub._all
