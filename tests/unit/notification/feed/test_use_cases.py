from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from notification_service.feed import History, LogChannel, Notifier
from notification_service.notification import EventId, Notification
from notification_service.testing import InMemoryFeed
from service_common.errors import PermanentError
from service_common.events import EventType, OrderEvent, UnreadableEventError


def event(order: int, event_type: EventType = EventType.ORDER_CREATED, year: int = 2026) -> OrderEvent:
    reason = "out of stock" if event_type is EventType.ORDER_FAILED else None
    return OrderEvent(event_type, "/test", order, 1, datetime(year, 1, 1, tzinfo=UTC), reason=reason)


class Recorder:
    """Channel that remembers."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, str]] = []

    async def send(self, notification: Notification) -> None:
        self.sent.append((notification.order_id, notification.kind))


class PickyFeed(InMemoryFeed):
    """Cannot store order 13; counts its statements."""

    def __init__(self) -> None:
        super().__init__()
        self.appends: list[int] = []

    async def append(self, events: Sequence[OrderEvent]) -> Sequence[Sequence[Notification]]:
        self.appends.append(len(events))
        if any(event.order_id == 13 for event in events):
            raise PermanentError("no place for 13")
        return await super().append(events)


async def test_each_notification_goes_to_every_channel_once() -> None:
    email, sms = Recorder(), Recorder()
    notifier = Notifier(InMemoryFeed(), (email, sms), lambda _appended: None)
    for each in (event(1, EventType.ORDER_PROCESSED), event(1), event(1, EventType.ORDER_PROCESSED)):
        await notifier.notify(each)
    assert email.sent == sms.sent == [(1, "CREATED"), (1, "CLOSED")]


async def test_events_that_come_together_share_a_statement() -> None:
    feed = PickyFeed()
    appended: list[int] = []
    notifier = Notifier(feed, (), lambda written: appended.extend(each.seq for each in written))
    await asyncio.gather(*(notifier.notify(event(order)) for order in range(1, 11)))
    assert feed.appends == [10]
    assert appended == list(range(1, 11))


async def test_event_that_cannot_be_stored_fails_alone() -> None:
    feed = PickyFeed()
    notifier = Notifier(feed, (), lambda _appended: None)
    outcomes = await asyncio.gather(*(notifier.notify(event(order)) for order in (12, 13, 14)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), PermanentError, type(None)]
    assert (await feed.state()).head == 2


@pytest.mark.parametrize("year", [1, 1969, 9999])
async def test_event_of_a_time_that_cannot_be_is_refused(year: int) -> None:
    feed = InMemoryFeed()
    with pytest.raises(UnreadableEventError, match=str(year)):
        await Notifier(feed, (), lambda _appended: None).notify(event(1, year=year))
    assert (await feed.state()).head == 0


async def test_email_and_sms_are_a_line_each(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    notifier = Notifier(InMemoryFeed(), (LogChannel("Email"), LogChannel("SMS")), lambda _appended: None)
    await notifier.notify(event(5))
    assert [record.getMessage() for record in caplog.records] == ["event consumed", "Email sent", "SMS sent"]
    assert {vars(record)["orderId"] for record in caplog.records} == {5}


async def test_history_goes_on_where_the_page_before_ended() -> None:
    feed = InMemoryFeed()
    await feed.append([event(order) for order in range(1, 6)])
    history = History(feed)
    first = await history.page(None, None, 3)
    second = await history.page(first.next, None, 3)
    assert [each.seq for each in (*first.notifications, *second.notifications)] == [1, 2, 3, 4, 5]
    assert (first.next, second.next) == (EventId("test", 3), None)


async def test_history_after_an_unknown_place_begins_at_the_oldest_and_says_so() -> None:
    feed = InMemoryFeed()
    await feed.append([event(1), event(2)])
    page = await History(feed).page(EventId("another", 2), None, 10)
    assert (page.gap, [each.seq for each in page.notifications]) == (True, [1, 2])
