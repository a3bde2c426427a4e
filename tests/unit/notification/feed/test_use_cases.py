from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from notification_service.feed import FeedAppender, History, LogChannel, Notifier
from notification_service.notification import EVERYTHING, EventId, Notification
from order_contracts import EventType, OrderEvent
from service_common.events import UnreadableEventError
from service_common.paging import PageRequest
from tests.support.in_memory.notification import InMemoryFeed


def event(order: int, event_type: EventType = EventType.ORDER_CREATED, year: int = 2026) -> OrderEvent:
    reason = "out of stock" if event_type is EventType.ORDER_FAILED else None
    return OrderEvent(event_type, "/test", order, 1, datetime(year, 1, 1, tzinfo=UTC), reason=reason)


class RecordingChannel:
    def __init__(self) -> None:
        self.sent: list[tuple[int, str]] = []

    async def send(self, notification: Notification) -> None:
        self.sent.append((notification.order_id, notification.kind))


def notifier(feed: InMemoryFeed, channels: Sequence[RecordingChannel | LogChannel] = ()) -> Notifier:
    return Notifier(FeedAppender(feed, lambda _stored: None), channels)


async def test_each_notification_goes_to_every_channel_once() -> None:
    email, sms = RecordingChannel(), RecordingChannel()
    notify = notifier(InMemoryFeed(), (email, sms)).notify
    for each in (event(1, EventType.ORDER_PROCESSED), event(1), event(1, EventType.ORDER_PROCESSED)):
        await notify(each)
    assert email.sent == sms.sent == [(1, "CREATED"), (1, "CLOSED")]


@pytest.mark.parametrize("year", [1, 1969, 9999])
async def test_event_with_a_time_out_of_range_is_refused(year: int) -> None:
    feed = InMemoryFeed()
    with pytest.raises(UnreadableEventError, match=str(year)):
        await notifier(feed).notify(event(1, year=year))
    assert (await feed.state()).head == 0


async def test_email_and_sms_write_one_log_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await notifier(InMemoryFeed(), (LogChannel(),)).notify(event(5))
    assert [record.getMessage() for record in caplog.records] == ["event consumed", "Email and SMS sent"]
    assert {vars(record)["orderId"] for record in caplog.records} == {5}


async def test_next_page_of_the_history_continues_after_the_previous_one() -> None:
    feed = InMemoryFeed()
    await feed.append([event(order) for order in range(1, 6)])
    history = History(feed)
    first = await history.page(PageRequest(None, 3), EVERYTHING)
    second = await history.page(PageRequest(first.next, 3), EVERYTHING)
    assert [each.seq for each in (*first.items, *second.items)] == [1, 2, 3, 4, 5]
    assert (first.next, second.next) == (EventId("test", 3), None)


async def test_next_page_of_the_history_backwards_ends_before_the_previous_one() -> None:
    feed = InMemoryFeed()
    await feed.append([event(order) for order in range(1, 6)])
    history = History(feed)
    first = await history.page_back(PageRequest(None, 3), EVERYTHING)
    await feed.append([event(6)])
    second = await history.page_back(PageRequest(first.next, 3), EVERYTHING)
    assert [each.seq for each in (*first.items, *second.items)] == [5, 4, 3, 2, 1]
    assert (first.next, second.next, first.state.head) == (EventId("test", 3), None, 5)


async def test_history_before_the_place_after_the_head_is_everything_told_by_then() -> None:
    feed = InMemoryFeed()
    await feed.append([event(1), event(2)])
    place = EventId("test", (await feed.state()).head + 1)
    for later in (3, 4):
        page = await History(feed).page_back(PageRequest(place, 10), EVERYTHING)
        assert (page.gap, [each.seq for each in page.items]) == (False, [2, 1])
        await feed.append([event(later)])


@pytest.mark.parametrize("before", [EventId("another", 2), EventId("test", 4)])
async def test_history_before_an_unknown_position_reports_a_gap_and_begins_at_the_newest(before: EventId) -> None:
    feed = InMemoryFeed()
    await feed.append([event(1), event(2)])
    page = await History(feed).page_back(PageRequest(before, 10), EVERYTHING)
    assert (page.gap, [each.seq for each in page.items]) == (True, [2, 1])


async def test_history_before_an_expired_position_is_empty_and_no_gap() -> None:
    feed = InMemoryFeed()
    await feed.append([event(1), event(2)])
    await feed.expire(0)
    page = await History(feed).page_back(PageRequest(EventId("test", 2), 10), EVERYTHING)
    assert (page.gap, page.items, page.next) == (False, [], None)


async def test_history_after_an_unknown_position_reports_a_gap_and_begins_at_the_oldest() -> None:
    feed = InMemoryFeed()
    await feed.append([event(1), event(2)])
    page = await History(feed).page(PageRequest(EventId("another", 2), 10), EVERYTHING)
    assert (page.gap, [each.seq for each in page.items]) == (True, [1, 2])
