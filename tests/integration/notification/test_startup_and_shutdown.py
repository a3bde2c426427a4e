"""Who stops the poller, and when: after a whole start-up, and after one that failed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from notification_service.app import Resource, consuming, create_app, pushing
from notification_service.config import Config
from notification_service.push import Broadcaster
from service_common.sqs import Poller
from tests.support.in_memory.notification import blocks

Replica: TypeAlias = Callable[..., Awaitable[TestServer]]


class StartUpError(Exception):
    """A step of the start-up failed."""


async def start_up(config: Config, *resources: Resource) -> None:
    """Start an application whose start-up fails, and clean up as the runner of the service does."""
    runner = web.AppRunner(create_app(config, resources))
    try:
        await runner.setup()
    finally:
        await runner.cleanup()


async def fail() -> None:
    raise StartUpError


async def failing(_app: web.Application) -> AsyncIterator[None]:
    await fail()
    yield


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The begin and end of each stop and drain, in their order."""
    calls: list[str] = []

    def record(owner: type, name: str) -> None:
        original = getattr(owner, name)

        async def recorded(*args: object) -> None:
            calls.append(f"{name} begins")
            await original(*args)
            calls.append(f"{name} ends")

        monkeypatch.setattr(owner, name, recorded)

    record(Poller, "stop")
    record(Broadcaster, "drain")
    return calls


async def test_shutdown_stops_the_poller_once_and_while_streams_are_drained(
    replica: Replica, http: ClientSession, config: Config, calls: list[str]
) -> None:
    server = await replica(config, (pushing, consuming))
    async with http.get(server.make_url("/stream")) as response:
        stream = blocks(aiter(response.content))
        await anext(stream)
        await server.close()
        assert [block async for block in stream][-1].retry is not None
    assert sorted(calls) == ["drain begins", "drain ends", "stop begins", "stop ends"]
    assert calls.index("stop begins") < calls.index("drain ends")


async def test_start_up_that_fails_after_the_poller_started_stops_it_once(config: Config, calls: list[str]) -> None:
    with pytest.raises(StartUpError):
        await start_up(config, pushing, consuming, failing)
    assert calls == ["stop begins", "stop ends"]


async def test_start_up_that_fails_before_the_poller_exists_cleans_up(config: Config, calls: list[str]) -> None:
    with pytest.raises(StartUpError):
        await start_up(config, pushing, failing, consuming)
    assert calls == []
