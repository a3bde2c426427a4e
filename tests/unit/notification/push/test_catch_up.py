"""Clients that catch up share the event loop with those that are up to date, however many they are."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from notification_service.notification import EVERYTHING, FeedState
from notification_service.push import (
    Broadcaster,
    Entry,
    Framing,
    PushConnection,
    PushCounters,
    PushLimits,
    Subscription,
)
from notification_service.push.catch_up import TURNS_PER_ITERATION
from notification_service.push.hub import ENTRIES_PER_WRITE, Hub, SubscriptionState
from notification_service.push.iteration_limit import IterationLimit
from notification_service.push.replay_buffer import ReplayBuffer
from order_contracts import EventType, OrderEvent
from service_common.auth.principal import EVERYBODY
from service_common.observability import Metrics
from tests.support.in_memory.notification import InMemoryFeed, encoded

CLIENTS = 40
WRITES = 3
NOW = datetime.now(UTC)


class _Iterations:
    """Counts the iterations of the event loop while the block runs."""

    def __init__(self) -> None:
        self.number = 0

    async def _count(self) -> None:
        while True:
            self.number += 1
            await asyncio.sleep(0)

    async def __aenter__(self) -> _Iterations:
        self._task = asyncio.create_task(self._count())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])


class _Writes(asyncio.Transport):
    """Notes the iteration of each write."""

    def __init__(self, iterations: _Iterations) -> None:
        self._iterations = iterations
        self.at: list[int] = []
        self.received = b""

    def write(self, data: Any) -> None:
        self.at.append(self._iterations.number)
        self.received += data

    def get_write_buffer_size(self) -> int:
        return 0


async def _feed() -> InMemoryFeed:
    feed = InMemoryFeed()
    for order in range(WRITES * ENTRIES_PER_WRITE):
        await feed.append([OrderEvent(EventType.ORDER_CREATED, "/test", order, 1, NOW)])
    return feed


def _broadcaster(feed: InMemoryFeed, state: FeedState, entries: Sequence[Entry]) -> Broadcaster:
    buffer = ReplayBuffer(state.head - len(entries), max_bytes=1 << 30, max_age_s=60.0)
    buffer.extend(entries, 0.0)
    return Broadcaster(Hub(state, buffer), feed, PushLimits(), PushCounters(Metrics()))


def _attached(broadcaster: Broadcaster, iterations: _Iterations) -> PushConnection:
    writes = _Writes(iterations)
    subscription = Subscription(Framing.SSE_UNCHUNKED, writes, EVERYTHING)
    connection = PushConnection(writes, "", EVERYBODY, subscription)
    broadcaster.attach(connection, None, 0, None)
    writes.at.clear()  # the welcome
    return connection


async def _live(connections: Sequence[PushConnection]) -> None:
    while any(each.subscription.state is not SubscriptionState.LIVE for each in connections):  # noqa: ASYNC110 - no event
        await asyncio.sleep(0)


@pytest.mark.parametrize("remembered", [True, False], ids=["from the replay buffer", "from the table"])
async def test_few_clients_are_written_to_in_an_iteration(remembered: bool) -> None:
    feed = await _feed()
    state = await feed.state()
    page = await feed.read(0, wanted=EVERYTHING, limit=state.head)
    broadcaster = _broadcaster(feed, state, encoded(page).entries if remembered else ())
    async with _Iterations() as iterations, asyncio.timeout(30):
        connections = [_attached(broadcaster, iterations) for _ in range(CLIENTS)]
        await _live(connections)
    clients = [cast(_Writes, each.transport) for each in connections]
    assert len({each.received.partition(b"\n\n")[2] for each in clients}) == 1
    assert clients[0].received.count(b"id: ") > state.head
    assert {len(each.at) for each in clients} == {WRITES}
    assert max(Counter(at for each in clients for at in each.at).values()) <= TURNS_PER_ITERATION
    await broadcaster.close()


async def test_client_that_stops_reading_before_its_turn_is_not_written_to() -> None:
    feed = await _feed()
    state = await feed.state()
    broadcaster = _broadcaster(feed, state, encoded(await feed.read(0, wanted=EVERYTHING, limit=state.head)).entries)
    async with _Iterations() as iterations, asyncio.timeout(30):
        *others, stopped = [_attached(broadcaster, iterations) for _ in range(CLIENTS)]
        while iterations.number < 3:  # noqa: ASYNC110 - the first had their turn, its own is far away
            await asyncio.sleep(0)
        stopped.pause_writing()
        await _live(others)
        assert cast(_Writes, stopped.transport).at == []
        stopped.resume_writing()
        await _live([stopped])
        assert len(cast(_Writes, stopped.transport).at) == WRITES
    await broadcaster.close()


async def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    limit, begun = IterationLimit(2), list[tuple[int, int]]()

    async def take(name: int) -> None:
        await limit.turn()
        begun.append((iterations.number, name))

    async with _Iterations() as iterations, asyncio.timeout(30):
        tasks = [asyncio.create_task(take(name)) for name in range(7)]
        await asyncio.sleep(0)
        tasks[3].cancel()
        await asyncio.wait(tasks)
    assert [name for _, name in begun] == [0, 1, 2, 4, 5, 6]
    assert set(Counter(number for number, _ in begun).values()) == {2}


async def test_turn_that_no_other_precedes_comes_at_once() -> None:
    limit = IterationLimit(1)
    async with _Iterations() as iterations, asyncio.timeout(30):
        for _ in range(3):
            await asyncio.sleep(0)
            await asyncio.sleep(0)  # the limit has found that nobody waits
            before = iterations.number
            await limit.turn()
            assert iterations.number == before
