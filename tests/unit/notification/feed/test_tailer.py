from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from notification_service.feed import Tail
from notification_service.notification import FeedState, Notification, Page
from notification_service.testing import InMemoryFeed
from service_common.errors import UnavailableError
from service_common.events import EventType, OrderEvent


def created(*orders: int) -> list[OrderEvent]:
    return [OrderEvent(EventType.ORDER_CREATED, "/test", order, 1, datetime.now(UTC)) for order in orders]


@dataclass
class Seen:
    """What reached the hub."""

    seqs: list[int] = field(default_factory=list)
    restarts: list[FeedState] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def publish(self, notifications: Sequence[Notification], _state: FeedState) -> None:
        self.seqs += [each.seq for each in notifications]
        self.changed.set()

    def restart(self, state: FeedState) -> None:
        self.restarts.append(state)
        self.changed.set()

    async def until(self, head: int) -> list[int]:
        async with asyncio.timeout(2):
            while not self.seqs or self.seqs[-1] < head:
                self.changed.clear()
                await self.changed.wait()
        return self.seqs


class SlowFeed(InMemoryFeed):
    """Answers reads when it is let, each with the state at the time it was asked; fails while it is away."""

    def __init__(self) -> None:
        super().__init__()
        self.free = asyncio.Event()
        self.free.set()
        self.reading = asyncio.Event()
        self.away = False

    async def read(
        self, after: int, *, up_to: int | None = None, orders: frozenset[int] | None = None, limit: int
    ) -> Page:
        if self.away:
            self.away = False
            raise UnavailableError("away")
        page = await super().read(after, up_to=up_to, orders=orders, limit=limit)
        self.reading.set()
        await self.free.wait()
        return page


@pytest.fixture
def feed() -> SlowFeed:
    return SlowFeed()


@pytest.fixture
def seen() -> Seen:
    return Seen()


@asynccontextmanager
async def following(feed: SlowFeed, seen: Seen, poll_s: float = 0.01, batch: int = 200) -> AsyncIterator[Tail]:
    state = await feed.state()
    tail = Tail(feed, state, seen.publish, seen.restart, poll_s=poll_s, spacing_s=0.0, batch=batch)
    task = asyncio.create_task(tail.run())
    try:
        yield tail
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_wakes_nobody_is_found_by_the_poll(feed: SlowFeed, seen: Seen) -> None:
    await feed.append(created(1, 2))
    async with following(feed, seen):
        await feed.append(created(3, 4))
        assert await seen.until(4) == [3, 4]


async def test_wake_up_is_enough_without_the_poll(feed: SlowFeed, seen: Seen) -> None:
    async with following(feed, seen, poll_s=60.0, batch=3) as tail:
        await feed.append(created(*range(1, 11)))
        tail.wake(10)
        assert await seen.until(10) == list(range(1, 11))


async def test_own_append_that_comes_next_is_not_read_again(feed: SlowFeed, seen: Seen) -> None:
    async with following(feed, seen, poll_s=60.0) as tail:
        (written,) = await feed.append(created(1))
        tail.offer(written)
        assert seen.seqs == [1]
        assert not feed.reading.is_set()


async def test_own_append_that_comes_later_waits_for_what_is_before_it(feed: SlowFeed, seen: Seen) -> None:
    async with following(feed, seen, poll_s=60.0) as tail:
        await feed.append(created(1))  # by another replica
        (written,) = await feed.append(created(2))
        tail.offer(written)
        assert seen.seqs == []
        assert await seen.until(2) == [1, 2]


async def test_read_that_an_offer_overtook_repeats_nothing(feed: SlowFeed, seen: Seen) -> None:
    async with following(feed, seen, poll_s=60.0) as tail:
        feed.free.clear()
        (written,) = await feed.append(created(1))
        tail.wake(1)
        await feed.reading.wait()
        tail.offer(written)
        await feed.append(created(2))
        feed.free.set()
        tail.wake(2)
        assert await seen.until(2) == [1, 2]
        assert not seen.restarts


async def test_feed_that_was_away_is_read_again(feed: SlowFeed, seen: Seen) -> None:
    async with following(feed, seen):
        feed.away = True
        await feed.append(created(1))
        assert await seen.until(1) == [1]


async def test_other_epoch_restarts_at_its_head(feed: SlowFeed, seen: Seen) -> None:
    await feed.append(created(1, 2))
    async with following(feed, seen):
        feed.epoch = "anew"
        async with asyncio.timeout(2):
            while not seen.restarts:
                seen.changed.clear()
                await seen.changed.wait()
        assert seen.restarts == [FeedState("anew", 0, 2)]
        await feed.append(created(3))
        assert await seen.until(3) == [3]
