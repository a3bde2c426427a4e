"""The HTTP interface of the processing service as the wire contracts give it, on sagas in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.pytest_plugin import AiohttpClient
from aiohttp.test_utils import TestClient

from processing_service.app import create_app
from processing_service.app_keys import SAGAS
from processing_service.config import Config
from processing_service.saga import Refused, Saga, State, Succeeded, Unknown
from processing_service.testing import InMemorySagas
from service_common.events import Item

Client = TestClient[web.Request, web.Application]
CONFIG = Config.from_environ(
    {
        "SERVICE_TOKEN": "secret",
        "DATABASE_URL": "postgresql://nowhere/processing",
        "INVENTORY_URL": "http://nowhere:8081",
        "ORDER_URL": "http://nowhere:8080",
    }
)
BEGIN = datetime(2026, 5, 17, 12, 0, 0, 250, UTC)


class Clock:
    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sagas(clock: Clock) -> InMemorySagas:
    return InMemorySagas(now=clock)


@pytest.fixture
async def client(aiohttp_client: AiohttpClient, sagas: InMemorySagas) -> Client:
    async def in_memory(app: web.Application) -> AsyncIterator[None]:
        app[SAGAS] = sagas
        yield

    return await aiohttp_client(create_app(CONFIG, [in_memory]))


async def test_saga_of_each_version_is_answered_with_the_time_of_each_step(
    client: Client, sagas: InMemorySagas, clock: Clock
) -> None:
    old, new = Saga(123, 1, (Item("a", 1),)), Saga(123, 2, (Item("a", 2),))
    claim = (await sagas.start(old, claimed=True)).claim
    assert claim is not None
    await sagas.start(new, claimed=False)
    clock.now += timedelta(seconds=1)
    failing = old.after(Refused("Not enough stock."))
    assert await sagas.save(claim, failing, {State.FAILING: clock.now})
    assert await sagas.save(claim, failing.after(Unknown("timeout")), {}, 4.0)
    clock.now += timedelta(seconds=31)
    response = await client.get("/sagas/123")
    assert response.status == 200
    assert await response.json() == {
        "sagas": [
            {
                "orderId": 123,
                "version": 1,
                "state": "FAILING",
                "late": True,
                "attempts": 2,
                "lastError": "fail order: timeout",
                "reason": "Not enough stock.",
                "nextRunAt": "2026-05-17T12:00:05.000250Z",
                "steps": [
                    {"state": "STARTED", "at": "2026-05-17T12:00:00.000250Z"},
                    {"state": "FAILING", "at": "2026-05-17T12:00:01.000250Z"},
                ],
            },
            {
                "orderId": 123,
                "version": 2,
                "state": "STARTED",
                "late": True,
                "attempts": 0,
                "lastError": None,
                "reason": None,
                "nextRunAt": "2026-05-17T12:00:00.000250Z",
                "steps": [{"state": "STARTED", "at": "2026-05-17T12:00:00.000250Z"}],
            },
        ]
    }


@pytest.mark.parametrize("order_id", ["124", "0", "-1", "x", "1.0", "9223372036854775808", "%D9%A1"])
async def test_order_without_saga_is_not_found(client: Client, order_id: str) -> None:
    response = await client.get(f"/sagas/{order_id}")
    assert response.status == 404
    assert response.content_type == "application/problem+json"


async def test_sagas_are_searched(client: Client, sagas: InMemorySagas, clock: Clock) -> None:
    for order_id in (1, 2, 3):
        await sagas.start(Saga(order_id, 1, (Item("a", 1),)), claimed=False)
    (claim, *_) = await sagas.claim(1)
    await sagas.save(claim, claim.saga.after(Succeeded()).after(Succeeded()), {})

    async def found(query: str) -> list[int]:
        response = await client.get(f"/sagas{query}")
        assert response.status == 200
        return [saga["orderId"] for saga in (await response.json())["sagas"]]

    assert await found("") == [3, 2, 1]
    assert await found("?state=DONE") == [1]
    assert await found("?state=&late=&limit=2") == [3, 2]
    assert await found("?late=true") == []
    clock.now += timedelta(seconds=31)
    assert await found("?late=true&state=STARTED") == [3, 2]
    assert await found("?late=false") == [1]


@pytest.mark.parametrize("query", ["state=done", "late=perhaps", "limit=0", "limit=201", "limit=x", "stat=DONE"])
async def test_search_that_means_nothing_is_refused(client: Client, query: str) -> None:
    assert (await client.get(f"/sagas?{query}")).status == 422
