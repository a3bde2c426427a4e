"""Heartbeats: how often a connection gets one, what it says, and that a notification does not wait for all of them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import orjson
import pytest

from notification_service.notification import EVERYTHING, FeedState, Notification
from notification_service.push import (
    Broadcaster,
    Framing,
    PushConnection,
    PushCounters,
    PushLimits,
    Subscription,
    encode,
)
from notification_service.push.broadcaster import SLICES
from notification_service.push.heartbeats import CHECKED_AT_ONCE, Heartbeats
from notification_service.push.hub import Hub
from notification_service.push.replay_buffer import ReplayBuffer
from order_contracts import EventType
from service_common.auth.principal import EVERYBODY
from service_common.observability import Metrics

INTERVALS = 4
NOTIFICATION = Notification(1, EventType.ORDER_CREATED, 1, 1, datetime(2026, 1, 1, tzinfo=UTC))


class _Writes(asyncio.Transport):
    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []

    def write(self, data: Any) -> None:
        self.frames.append(orjson.loads(data.partition(b"data: ")[2]))


def _broadcaster(limits: PushLimits) -> Broadcaster:
    buffer = ReplayBuffer(0, max_bytes=1, max_age_s=1.0)
    return Broadcaster(Hub(FeedState("e", 0, 0), buffer), cast(Any, None), limits, PushCounters(Metrics()))


def _attached(broadcaster: Broadcaster, writes: _Writes, wanted_s: int | None = None) -> PushConnection:
    connection = PushConnection(writes, "", EVERYBODY, Subscription(Framing.SSE_UNCHUNKED, writes, EVERYTHING))
    broadcaster.attach(connection, None, 0, wanted_s)
    return connection


async def _frames(
    limits: PushLimits, wanted_s: int | None, delayed_ms: Callable[[], int | None] = lambda: None
) -> Sequence[dict[str, Any]]:
    """Return the welcome and what comes in some intervals of the service."""
    broadcaster = _broadcaster(limits)
    broadcaster.delayed_ms = delayed_ms
    writes = _Writes()
    _attached(broadcaster, writes, wanted_s)
    heartbeats = Heartbeats(broadcaster)
    for _ in range(INTERVALS * SLICES):
        await heartbeats.tick(0.0)
    assert {each["type"] for each in writes.frames[1:]} == {"heartbeat"}
    return writes.frames


async def _heartbeats(limits: PushLimits, wanted_s: int | None) -> tuple[int, int]:
    """Return what the welcome says, in ms, and how many came."""
    welcome, *others = await _frames(limits, wanted_s)
    return welcome["heartbeatMs"], len(others)


@pytest.mark.parametrize(
    ("wanted_s", "said_ms", "number"),
    [
        (None, 15_000, INTERVALS),
        (5, 5_000, INTERVALS * 3),
        (7, 7_000, 8),
        (15, 15_000, INTERVALS),
        (60, 15_000, INTERVALS),
    ],
)
async def test_heartbeats_come_as_often_as_wanted_and_as_to_all(
    wanted_s: int | None, said_ms: int, number: int
) -> None:
    said, sent = await _heartbeats(PushLimits(), wanted_s)
    assert said == said_ms
    assert sent == pytest.approx(number, abs=1)


async def test_service_that_sends_them_more_often_anyway_says_so() -> None:
    assert await _heartbeats(PushLimits(heartbeat_s=1.0), 5) == (1_000, INTERVALS)


async def test_welcome_and_heartbeats_say_for_how_long_the_feed_was_not_read() -> None:
    ages = iter([9_000, *range(10_000, 10_000 + SLICES * 2), *[None] * SLICES * 2])
    frames = await _frames(PushLimits(), None, lambda: next(ages))
    assert [each.get("delayedMs") for each in frames] == [9_000, 10_014, 10_029, None, None]
    assert ["delayedMs" in each for each in frames] == [True, True, True, False, False]


async def test_notification_is_written_in_the_middle_of_a_tick_and_heartbeats_after_it_have_its_position() -> None:
    broadcaster = _broadcaster(PushLimits())
    clients = [_Writes() for _ in range(2 * CHECKED_AT_ONCE)]
    *_, lost = [_attached(broadcaster, each) for each in clients]
    lost.closing_at = time.monotonic() - 1_000
    tick = asyncio.create_task(Heartbeats(broadcaster).tick(time.monotonic()))
    await asyncio.sleep(0)
    broadcaster.publish([encode(NOTIFICATION, "e")], FeedState("e", 0, 1))
    lost.connection_lost(None)
    await tick
    told = Counter(tuple((each["type"], each["id"]) for each in client.frames[1:]) for client in clients)
    before, event, after = ("heartbeat", "e-0"), (NOTIFICATION.type.value, "e-1"), ("heartbeat", "e-1")
    assert told == {
        (event,): len(clients) - sum(told[each] for each in ((before, event), (event, after))),
        (before, event): pytest.approx(CHECKED_AT_ONCE / SLICES, abs=1),
        (event, after): pytest.approx(CHECKED_AT_ONCE / SLICES, abs=1),
    }
    assert lost.abort_reason is None
