from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from notification_service.notification import (
    EVERYTHING,
    EventId,
    FeedState,
    Notification,
    NotificationFilter,
    Page,
    Selection,
)
from notification_service.push import Framing, Subscription, encoding
from notification_service.push.hub import (
    AwaitHead,
    Hub,
    ReadPage,
    SendReset,
    SubscriptionState,
    UpToDate,
    Write,
)
from notification_service.push.replay_buffer import Entry, ReplayBuffer
from order_contracts import EventType
from service_common.scope import ALL_CUSTOMERS, ANONYMOUS, OneCustomer
from tests.support.in_memory.notification import encoded
from tests.support.push_transport import NOWHERE

# of the orders 0, 1, 2 and 3
OWNERS = ("alice", "alice", "bob", ANONYMOUS)
CREATED, CLOSED = EventType.ORDER_CREATED, EventType.ORDER_PROCESSED


def notification(seq: int, order: int = 1, of_type: EventType = CREATED) -> Notification:
    return Notification(seq, of_type, order, 1, datetime(2026, 1, 1, tzinfo=UTC))


def entry(seq: int, order: int = 1, of_type: EventType = CREATED) -> Entry:
    return encoding.encode(notification(seq, order, of_type), "e")


def of_orders(*orders: int) -> Selection:
    return Selection(ALL_CUSTOMERS, NotificationFilter(frozenset(orders)))


def page(after: int, up_to: int, floor: int = 0, epoch: str = "e") -> Page:
    return Page(FeedState(epoch, floor, 10), [notification(seq) for seq in range(after + 1, up_to + 1)], up_to)


@pytest.fixture
def hub() -> Hub:
    return Hub(FeedState("e", 0, 10), ReplayBuffer(10, max_bytes=100_000, max_age_s=100))


@pytest.fixture
def subscription() -> Subscription:
    return Subscription(Framing.WS, NOWHERE, EVERYTHING)


def test_new_subscription_is_live_at_the_head(hub: Hub, subscription: Subscription) -> None:
    hub.join(subscription)
    assert isinstance(hub.next_action(subscription), UpToDate)
    assert subscription.state is SubscriptionState.LIVE
    assert hub.position(subscription) == EventId("e", 10)


def test_all_of_a_framing_share_one_bytes_object(hub: Hub) -> None:
    for framing in (Framing.WS, Framing.WS, Framing.SSE):
        each = Subscription(framing, NOWHERE, EVERYTHING)
        hub.join(each)
        hub.is_up_to_date(each)
    new = entry(11)
    deliveries = hub.publish([new], 0.0)
    assert {delivery.data: len(delivery.to) for delivery in deliveries} == {new.ws: 2, new.sse: 1}


def test_delivery_goes_only_to_matching_filters(hub: Hub) -> None:
    for order in range(1, 101):
        each = Subscription(Framing.SSE, NOWHERE, of_orders(order))
        hub.join(each)
        hub.is_up_to_date(each)
    (delivery,) = hub.publish([entry(11, 42)], 0.0)
    (target,) = delivery.to
    assert target.wanted == of_orders(42)
    assert hub.publish([entry(12, 777)], 0.0) == []


def test_subscription_that_left_gets_no_delivery(hub: Hub, subscription: Subscription) -> None:
    hub.join(subscription)
    hub.is_up_to_date(subscription)
    hub.leave(subscription)
    assert hub.publish([entry(11)], 0.0) == []
    assert isinstance(hub.next_action(subscription), UpToDate)
    assert subscription.state is SubscriptionState.GONE


def test_cursor_older_than_the_buffer_reads_the_feed_then_the_buffer(hub: Hub, subscription: Subscription) -> None:
    hub.publish([entry(11)], 0.0)
    hub.join(subscription, 4)
    read = hub.next_action(subscription)
    assert read == ReadPage(4, 10, EVERYTHING)
    assert isinstance(hub.replay(subscription, read, encoded(page(4, 10))), Write)
    assert hub.next_action(subscription) == Write(entry(11).ws, 1)
    assert isinstance(hub.next_action(subscription), UpToDate)


def test_page_read_before_a_filter_change_is_dropped(hub: Hub, subscription: Subscription) -> None:
    hub.join(subscription, 4)
    read = hub.next_action(subscription)
    assert isinstance(read, ReadPage)
    hub.change_filter(subscription, of_orders(5).filter)
    assert hub.replay(subscription, read, encoded(page(4, 10))) is None
    assert hub.next_action(subscription) == ReadPage(4, 10, of_orders(5))


@pytest.mark.parametrize("found", [page(4, 10, floor=6), page(4, 10, epoch="another")])
def test_page_with_a_higher_floor_or_another_epoch_is_a_reset(
    found: Page, hub: Hub, subscription: Subscription
) -> None:
    hub.join(subscription, 4)
    read = hub.next_action(subscription)
    assert isinstance(read, ReadPage)
    assert hub.replay(subscription, read, encoded(found)) == SendReset()
    assert hub.position(subscription) == EventId("e", 10)
    assert isinstance(hub.next_action(subscription), UpToDate)


def test_cursor_ahead_of_the_head_waits_for_it(hub: Hub, subscription: Subscription) -> None:
    hub.join(subscription, 12)
    assert hub.next_action(subscription) == AwaitHead()
    assert hub.publish([entry(11), entry(12)], 0.0) == []
    assert isinstance(hub.next_action(subscription), UpToDate)
    (delivery,) = hub.publish([entry(13)], 0.0)
    assert delivery.to == (subscription,)


def test_reset_moves_every_cursor_to_the_new_head(hub: Hub, subscription: Subscription) -> None:
    behind = Subscription(Framing.SSE, NOWHERE, EVERYTHING)
    hub.join(subscription)
    hub.is_up_to_date(subscription)
    hub.join(behind, 2)
    assert set(hub.reset(FeedState("f", 0, 3))) == {subscription, behind}
    assert {hub.position(each) for each in (subscription, behind)} == {EventId("f", 3)}
    assert isinstance(hub.next_action(behind), UpToDate)
    assert len(hub.publish([entry(4)], 0.0)) == 2


def test_index_by_order_drops_subscriptions_that_leave(hub: Hub) -> None:
    each = Subscription(Framing.SSE, NOWHERE, of_orders(1, 2))
    hub.join(each)
    hub.is_up_to_date(each)
    hub.change_filter(each, of_orders(3).filter)
    hub.leave(each)
    assert not hub._by_order
    assert not hub._of_any_order
    assert not hub._subscriptions


def test_filter_by_kind_selects_with_and_without_orders(hub: Hub) -> None:
    kinds = frozenset({CLOSED.kind})
    every, one = (
        Subscription(Framing.WS, NOWHERE, Selection(ALL_CUSTOMERS, NotificationFilter(orders, kinds)))
        for orders in (None, frozenset({2}))
    )
    for each in (every, one):
        hub.join(each)
        hub.is_up_to_date(each)
    new = [entry(11, 2, CREATED), entry(12, 2, CLOSED), entry(13, 3, CLOSED)]
    assert {delivery.to: delivery.data for delivery in hub.publish(new, 0.0)} == {
        (every,): new[1].ws + new[2].ws,
        (one,): new[1].ws,
    }
    hub.join(one, 10)
    assert hub.next_action(one) == Write(new[1].ws, 1)


@pytest.mark.parametrize("empty", [(frozenset(), None), (None, frozenset())])
def test_empty_filter_is_an_error(empty: tuple[frozenset[int] | None, frozenset[str] | None]) -> None:
    with pytest.raises(ValueError, match="empty"):
        NotificationFilter(*empty)


def test_filter_by_order_does_not_reach_beyond_the_scope(hub: Hub) -> None:
    orders = NotificationFilter(frozenset({1, 2}))
    alice, bob, operator = (
        Subscription(Framing.WS, NOWHERE, Selection(scope, orders))
        for scope in (OneCustomer("alice"), OneCustomer("bob"), ALL_CUSTOMERS)
    )
    for each in (alice, bob, operator):
        hub.join(each)
        hub.is_up_to_date(each)
    new = [encoding.encode(replace(notification(11 + n, n), customer_id=who), "e") for n, who in enumerate(OWNERS)]
    assert {delivery.to: delivery.data for delivery in hub.publish(new, 0.0)} == {
        (alice,): new[1].ws,
        (bob,): new[2].ws,
        (operator,): new[1].ws + new[2].ws,
    }
    for each, data in ((alice, new[1].ws), (bob, new[2].ws)):
        hub.fall_behind(each)
        each.cursor = 10
        assert hub.next_action(each) == Write(data, 1)


def test_customers_are_delivered_their_own_and_leave_nothing_behind(hub: Hub) -> None:
    scoped = {who: Subscription(Framing.SSE, NOWHERE, Selection(OneCustomer(who))) for who in ("alice", "bob", "c")}
    for each in scoped.values():
        hub.join(each)
        hub.is_up_to_date(each)
    new = [encoding.encode(replace(notification(11 + n, n), customer_id=who), "e") for n, who in enumerate(OWNERS)]
    assert {delivery.to: delivery.data for delivery in hub.publish(new, 0.0)} == {
        (scoped["alice"],): new[0].sse + new[1].sse,
        (scoped["bob"],): new[2].sse,
    }
    for each in scoped.values():
        hub.leave(each)
    assert not hub._by_customer
