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
from notification_service.push import Broadcaster, Framing, PushCounters, PushLimits, Subscription, encode, subscribe
from notification_service.push.fan_out import LATENCY_BUDGET_S, FanOut, PassSpacing
from notification_service.push.hub import Hub
from notification_service.push.linux_aio import LinuxAio
from notification_service.push.replay_buffer import ReplayBuffer
from order_contracts import EventType
from service_common.observability import Metrics
from tests.support.push_transport import WritesTo

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


@pytest.mark.parametrize(
    ("pass_s", "wait_s"), [(0.0001, 0.0001), (0.004, 0.004), (0.007, LATENCY_BUDGET_S - 0.007), (0.5, 0.0)]
)
def test_passes_take_half_of_the_time_within_the_latency_budget(pass_s: float, wait_s: float) -> None:
    spacing = PassSpacing()
    assert spacing.wait_s(100.0) == 0.0

    spacing.passed(100.0, 100.0 + pass_s)

    assert spacing.wait_s(100.0 + pass_s) == pytest.approx(wait_s, abs=1e-9)
    assert spacing.wait_s(100.0 + pass_s + 1.01 * wait_s) == 0.0


def test_what_a_pass_takes_is_left_to_the_event_loop_before_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0

    def write(_data: bytes) -> None:
        nonlocal now_s
        now_s += 0.002

    monkeypatch.setattr("time.monotonic", lambda: now_s)
    hub = Hub(STATE, ReplayBuffer(0, max_bytes=10_000, max_age_s=10.0))
    slow = Subscription(Framing.SSE, WritesTo(write), EVERYTHING)
    hub.join(slow)
    assert hub.is_up_to_date(slow)
    broadcaster = Broadcaster(hub, cast(Any, None), PushLimits(), PushCounters(Metrics()))
    assert broadcaster.wait_s() == 0.0

    created = Notification(1, EventType.ORDER_CREATED, 1, 1, datetime(2026, 1, 1, tzinfo=UTC), "0" * 32)
    broadcaster.publish([encode(created, STATE.epoch)], STATE)

    assert broadcaster.wait_s() == pytest.approx(0.002)
    now_s += 0.002
    assert broadcaster.wait_s() == pytest.approx(0.0, abs=1e-9)


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
