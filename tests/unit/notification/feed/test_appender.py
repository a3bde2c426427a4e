from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from notification_service.feed import FeedAppender
from notification_service.notification import Notification
from order_contracts import EventType, OrderEvent
from service_common.errors import PermanentError
from tests.support.in_memory.notification import InMemoryFeed


def created(order: int) -> OrderEvent:
    return OrderEvent(EventType.ORDER_CREATED, "/test", order, 1, datetime(2026, 1, 1, tzinfo=UTC))


class PickyFeed(InMemoryFeed):
    """Can't store order 13; records the size of each append."""

    def __init__(self) -> None:
        super().__init__()
        self.appends: list[int] = []

    async def append(self, events: Sequence[OrderEvent]) -> Sequence[Sequence[Notification]]:
        self.appends.append(len(events))
        if any(event.order_id == 13 for event in events):
            raise PermanentError("order 13 can't be stored")
        return await super().append(events)


async def test_concurrent_events_are_appended_and_reported_together() -> None:
    feed = PickyFeed()
    appended: list[list[int]] = []
    appender = FeedAppender(feed, lambda stored: appended.append([each.seq for each in stored]))
    stored = await asyncio.gather(*(appender.append(created(order)) for order in range(1, 11)))
    assert feed.appends == [10]
    assert appended == [list(range(1, 11))]
    assert [[each.order_id for each in own] for own in stored] == [[order] for order in range(1, 11)]


async def test_events_that_come_while_passes_are_spaced_share_an_append() -> None:
    feed = PickyFeed()
    ready_at_s = asyncio.get_running_loop().time() + 0.02

    def wait_s() -> float:
        return max(0.0, ready_at_s - asyncio.get_running_loop().time())

    appender = FeedAppender(feed, lambda _stored: None, wait_s)
    first = asyncio.create_task(appender.append(created(1)))
    await asyncio.sleep(0.005)
    assert feed.appends == []

    await asyncio.gather(first, appender.append(created(2)))

    assert feed.appends == [2]


async def test_event_that_cannot_be_stored_fails_alone() -> None:
    feed = PickyFeed()
    appender = FeedAppender(feed, lambda _stored: None)
    outcomes = await asyncio.gather(
        *(appender.append(created(order)) for order in (12, 13, 14)), return_exceptions=True
    )
    assert [isinstance(outcome, PermanentError) for outcome in outcomes] == [False, True, False]
    assert (await feed.state()).head == 2


async def test_duplicate_is_not_reported_as_appended() -> None:
    reports: list[Sequence[Notification]] = []
    appender = FeedAppender(InMemoryFeed(), reports.append)
    assert len(await appender.append(created(1))) == 1
    assert len(await appender.append(created(1))) == 0
    assert len(reports) == 1


async def test_close_finishes_what_was_submitted() -> None:
    feed = InMemoryFeed()
    appender = FeedAppender(feed, lambda _stored: None)
    submitted = asyncio.create_task(appender.append(created(1)))
    await asyncio.sleep(0)
    await appender.close()
    assert len(await submitted) == 1
    assert (await feed.state()).head == 1
