"""What a client receives when the same bytes are written to many, between others that are written to it alone."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from notification_service.notification import EVERYTHING, FeedState, Notification
from notification_service.push import Broadcaster, Framing, PushCounters, PushLimits, Subscription, subscribe
from notification_service.push.fan_out import LATENCY_BUDGET_S, FanOut, PassSpacing
from notification_service.push.hub import Hub
from notification_service.push.linux_aio import LinuxAio
from notification_service.push.replay_buffer import ReplayBuffer
from order_contracts import EventType
from service_common.observability import Metrics

CLIENTS = 12
STATE = FeedState("e", 0, 0)


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Sequence[Subscription], Sequence[socket.socket]]]:
    """Connect clients whose sockets hold little, so that a transport soon keeps what they do not take."""
    loop = asyncio.get_running_loop()
    with ExitStack() as sockets:
        subscriptions, clients = [], []
        for _ in range(CLIENTS):
            server, client = socket.socketpair()
            server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            client.setblocking(False)
            transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, server)
            sockets.callback(transport.abort)
            subscriptions.append(subscribe(Framing.SSE, transport, EVERYTHING))
            clients.append(sockets.enter_context(client))
        yield subscriptions, clients


def broadcaster() -> tuple[Broadcaster, asyncio.Queue[bytes]]:
    """Return one with a client that is LIVE, and what is written to that."""
    written: asyncio.Queue[bytes] = asyncio.Queue()
    hub = Hub(STATE, ReplayBuffer(0, max_bytes=10_000, max_age_s=10.0))
    subscription = Subscription(Framing.SSE, written.put_nowait, EVERYTHING)
    hub.join(subscription)
    assert hub.is_up_to_date(subscription)
    return Broadcaster(hub, cast(Any, None), PushLimits(), PushCounters(Metrics())), written


def notification(seq: int) -> Notification:
    return Notification(seq, EventType.ORDER_CREATED, seq, 1, datetime(2026, 1, 1, tzinfo=UTC), "0" * 32)


async def test_each_client_gets_everything_in_order_however_slow_it_is(linux_aio: LinuxAio | None) -> None:
    loop, chance = asyncio.get_running_loop(), random.Random(7)
    async with connected() as (subscriptions, clients):
        fan_out = FanOut(lambda _closed: pytest.fail("no transport is closed"), linux_aio)
        expected = [b"" for _ in clients]
        received = [b"" for _ in clients]
        for _ in range(60):
            together = os.urandom(chance.choice([10, 1_000, 3_000]))
            fan_out.write(together, subscriptions)
            alone = chance.randrange(CLIENTS)
            subscriptions[alone].write(b"alone")
            reads = chance.randrange(CLIENTS)
            received[reads] += await loop.sock_recv(clients[reads], 1 << 16)
            expected = [each + together + b"alone" * (who == alone) for who, each in enumerate(expected)]
        for who, client in enumerate(clients):
            while len(received[who]) < len(expected[who]):
                received[who] += await loop.sock_recv(client, 1 << 16)
        assert received == expected


async def test_a_client_that_left_is_not_written_to_directly() -> None:
    async with connected() as ((subscription, *_), _clients):
        subscription.write(b"welcome")
        assert subscription.direct >= 0

        Hub(STATE, ReplayBuffer(0, max_bytes=1, max_age_s=1.0)).leave(subscription)

        subscription.check_unsent()
        assert subscription.direct == -1


async def test_a_client_that_is_gone_does_not_keep_the_others_from_theirs(linux_aio: LinuxAio | None) -> None:
    loop = asyncio.get_running_loop()
    async with connected() as (subscriptions, (gone, *others)):
        fan_out = FanOut(lambda _closed: None, linux_aio)
        gone.close()
        fan_out.write(b"data", subscriptions)
        assert [await loop.sock_recv(each, 99) for each in others] == [b"data"] * len(others)


@pytest.mark.parametrize(("pass_s", "wait_s"), [(0.0001, 0.0001), (0.004, 0.004), (0.5, LATENCY_BUDGET_S)])
def test_passes_take_half_of_the_time_within_the_latency_budget(pass_s: float, wait_s: float) -> None:
    spacing = PassSpacing()
    assert spacing.wait_s(100.0) == 0.0

    spacing.passed(100.0, 100.0 + pass_s)

    assert spacing.wait_s(100.0 + pass_s) == pytest.approx(wait_s)
    assert spacing.wait_s(100.0 + pass_s + 1.01 * wait_s) == 0.0


async def test_a_notification_is_written_at_once_and_those_right_after_a_long_pass_together() -> None:
    hub, written = broadcaster()
    hub.publish([notification(1)], STATE)
    assert written.get_nowait().count(b"data: ") == 1

    load(hub)
    hub.publish([notification(2)], STATE)
    hub.publish([notification(3)], STATE)
    assert written.empty()

    assert (await written.get()).count(b"data: ") == 2
    assert written.empty()
    assert hub.hub.head == 3


async def test_a_reset_comes_after_what_was_published_before_it() -> None:
    hub, written = broadcaster()
    load(hub)
    hub.publish([notification(1)], STATE)

    hub.reset(FeedState("another", 0, 5))

    assert [b"event: reset" in written.get_nowait() for _ in range(written.qsize())] == [False, True]


def load(hub: Broadcaster) -> None:
    now_s = asyncio.get_running_loop().time()
    hub._spacing.passed(now_s - 1.0, now_s)


@pytest.fixture(params=["together", "one by one"])
def linux_aio(request: pytest.FixtureRequest) -> Iterator[LinuxAio | None]:
    if request.param == "one by one":
        yield None
        return
    try:
        aio = LinuxAio()
    except OSError as error:
        pytest.skip(str(error))
    yield aio
    aio.close()
