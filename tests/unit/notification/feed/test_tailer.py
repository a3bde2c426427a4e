from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from notification_service.feed import FeedTailer
from notification_service.notification import FeedState, Notification, Page, Selection
from order_contracts import EventType, OrderEvent
from service_common.errors import UnavailableError
from tests.support.in_memory.notification import InMemoryFeed
from tests.support.waiting import PATIENCE_S, eventually


def created(*orders: int) -> list[OrderEvent]:
    return [OrderEvent(EventType.ORDER_CREATED, "/test", order, 1, datetime.now(UTC)) for order in orders]


def as_is(notification: Notification, _epoch: str) -> Notification:
    return notification


@dataclass
class Published:
    """Records what the tailer published."""

    seqs: list[int] = field(default_factory=list)
    resets: list[FeedState] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def publish(self, notifications: Sequence[Notification], _state: FeedState) -> None:
        self.seqs += [each.seq for each in notifications]
        self.changed.set()

    def reset(self, state: FeedState) -> None:
        self.resets.append(state)
        self.changed.set()

    async def until(self, head: int) -> list[int]:
        async with asyncio.timeout(PATIENCE_S):
            while not self.seqs or self.seqs[-1] < head:
                self.changed.clear()
                await self.changed.wait()
        return self.seqs


class SlowFeed(InMemoryFeed):
    """Answers reads when *free* is set, with the state at the time of the request; fails once when *away* is set."""

    def __init__(self) -> None:
        super().__init__()
        self.free = asyncio.Event()
        self.free.set()
        self.reading = asyncio.Event()
        self.away = False

    async def read(self, after: int, *, up_to: int | None = None, wanted: Selection, limit: int) -> Page:
        if self.away:
            self.away = False
            raise UnavailableError("away")
        page = await super().read(after, up_to=up_to, wanted=wanted, limit=limit)
        self.reading.set()
        await self.free.wait()
        return page


@pytest.fixture
def feed() -> SlowFeed:
    return SlowFeed()


@pytest.fixture
def published() -> Published:
    return Published()


@asynccontextmanager
async def tailing(
    feed: SlowFeed, published: Published, poll_s: float = 0.01, batch: int = 200, read_limit_s: float = 6.0
) -> AsyncIterator[FeedTailer[Notification]]:
    state = await feed.state()
    tailer = FeedTailer(
        feed,
        state,
        as_is,
        published.publish,
        published.reset,
        poll_s=poll_s,
        read_limit_s=read_limit_s,
        spacing_s=0.0,
        batch=batch,
    )
    task = asyncio.create_task(tailer.run())
    try:
        yield tailer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_poll_finds_an_append_without_a_wake_up(feed: SlowFeed, published: Published) -> None:
    await feed.append(created(1, 2))
    async with tailing(feed, published):
        await feed.append(created(3, 4))
        assert await published.until(4) == [3, 4]


async def test_wake_up_reads_without_waiting_for_the_poll(feed: SlowFeed, published: Published) -> None:
    async with tailing(feed, published, poll_s=60.0, batch=3) as tailer:
        await feed.append(created(*range(1, 11)))
        tailer.wake(10)
        assert await published.until(10) == list(range(1, 11))


async def test_own_append_that_comes_next_is_published_without_a_read(feed: SlowFeed, published: Published) -> None:
    async with tailing(feed, published, poll_s=60.0) as tailer:
        (stored,) = await feed.append(created(1))
        tailer.offer(stored)
        assert published.seqs == [1]
        assert not feed.reading.is_set()


async def test_own_append_is_published_after_what_is_before_it(feed: SlowFeed, published: Published) -> None:
    async with tailing(feed, published, poll_s=60.0) as tailer:
        await feed.append(created(1))  # by another replica
        (stored,) = await feed.append(created(2))
        tailer.offer(stored)
        assert published.seqs == []
        assert await published.until(2) == [1, 2]


async def test_offer_during_a_read_is_published_once(feed: SlowFeed, published: Published) -> None:
    async with tailing(feed, published, poll_s=60.0) as tailer:
        feed.free.clear()
        (stored,) = await feed.append(created(1))
        tailer.wake(1)
        await feed.reading.wait()
        tailer.offer(stored)
        await feed.append(created(2))
        feed.free.set()
        tailer.wake(2)
        assert await published.until(2) == [1, 2]
        assert not published.resets


async def test_failed_read_is_repeated(feed: SlowFeed, published: Published) -> None:
    async with tailing(feed, published):
        feed.away = True
        await feed.append(created(1))
        assert await published.until(1) == [1]


async def test_new_epoch_resets_to_its_head(feed: SlowFeed, published: Published) -> None:
    await feed.append(created(1, 2))
    async with tailing(feed, published):
        feed.epoch = "new"
        async with asyncio.timeout(PATIENCE_S):
            while not published.resets:
                published.changed.clear()
                await published.changed.wait()
        assert published.resets == [FeedState("new", 0, 2)]
        await feed.append(created(3))
        assert await published.until(3) == [3]


async def test_gap_is_read_when_nothing_fills_it_in_time(feed: SlowFeed, published: Published) -> None:
    await feed.append(created(1))
    async with tailing(feed, published, poll_s=60.0) as tailer:
        tailer.patience_s = 0.02
        stored = [each for (each,) in await feed.append(created(2, 3, 4))]
        tailer.take(feed.epoch, stored[2:])
        assert published.seqs == []
        assert await published.until(4) == [2, 3, 4]


async def test_gap_that_is_filled_in_time_costs_no_read(feed: SlowFeed, published: Published) -> None:
    async with tailing(feed, published, poll_s=60.0) as tailer:
        tailer.patience_s = 60.0
        one, two, three = [each for (each,) in await feed.append(created(1, 2, 3))]
        tailer.take(feed.epoch, [three, two])
        await asyncio.sleep(0.05)
        tailer.take(feed.epoch, [one, two])
        assert published.seqs == [1, 2, 3]
        assert not feed.reading.is_set()


async def test_what_is_of_another_epoch_is_dropped(feed: SlowFeed, published: Published) -> None:
    async with tailing(feed, published, poll_s=60.0) as tailer:
        (stored,) = await feed.append(created(1))
        tailer.take("before", stored)
        assert published.seqs == []
        tailer.take(feed.epoch, stored)
        assert published.seqs == [1]


async def test_feed_is_delayed_while_a_read_is_not_answered(feed: SlowFeed, published: Published) -> None:
    async def delayed_ms() -> int | None:
        return tailer.delayed_ms()

    async def up_to_date() -> bool | None:
        return tailer.delayed_ms() is None or None

    async with tailing(feed, published, read_limit_s=0.5) as tailer:
        await eventually(up_to_date, "no delay")
        feed.free.clear()
        tailer.take(feed.epoch, [stored for (stored,) in await feed.append(created(1))])  # over a bus
        assert published.seqs == [1]
        assert await eventually(delayed_ms, "a delay") >= 500
        feed.free.set()
        await eventually(up_to_date, "no delay")
