"""The processing service tells of its sagas, and of nothing that is not there: in memory, and as it runs."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from aiohttp import web

from order_contracts import Item
from processing_service.app_keys import OUTBOX, SAGAS
from processing_service.saga import FailureKind, Refused, Saga, SagaState, Succeeded, Unanswered
from tests.support.http_service import HttpService, serving
from tests.support.in_memory.database import saga_statements
from tests.support.in_memory.processing import InMemorySagas
from tests.support.in_memory.services import SERVICES, outbox_of
from tests.support.problems import refused
from tests.support.waiting import eventually

from .conftest import IN_MEMORY, WIRE

if TYPE_CHECKING:
    from tests.support.system import System

pytestmark = pytest.mark.asyncio(loop_scope="session")

BEGIN = datetime(2026, 5, 17, 12, 0, 0, 250, UTC)
LISTED = {"orderId", "customerId", "version", "state", "late", "attempts", "lastError", "reason", "nextRunAt", "steps"}
MEMBERS = LISTED | {"failedAttempts"}


class Timed:
    """The service on sagas in memory, at the time that a test says."""

    def __init__(self) -> None:
        self.now = BEGIN
        self.sagas = InMemorySagas(now=lambda: self.now)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        async def opened(app: web.Application) -> AsyncIterator[None]:
            app[SAGAS], app[OUTBOX] = self.sagas, outbox_of(saga_statements(self.sagas))
            yield

        async with serving(SERVICES["processing"].app(opened), lambda: repr(vars(self.sagas))) as self.service:
            yield


@dataclass(frozen=True, slots=True)
class Ended:
    """The processing service and the order of a saga of it that ended well."""

    service: HttpService
    order_id: int


@pytest_asyncio.fixture(loop_scope="session")
async def timed() -> AsyncIterator[Timed]:
    timed = Timed()
    async with timed.serving():
        yield timed


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ended_in_memory() -> AsyncIterator[Ended]:
    timed = Timed()
    saga = Saga(500, 1, (Item("a", 1),))
    claim = (await timed.sagas.start(saga, claimed=True)).claim
    assert claim is not None
    entered = {SagaState.STOCK_TAKEN: BEGIN, SagaState.DONE: BEGIN}
    assert await timed.sagas.save(claim, saga.after(Succeeded()).after(Succeeded()), entered)
    async with timed.serving():
        yield Ended(timed.service, saga.order_id)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ended_wire(system: System) -> Ended:
    shelf = await system.product(uuid.uuid4().hex, 10)
    async with system.sse() as watch:
        order_id = int((await system.place({shelf: 1})).json["id"])
        await watch.until(order_id, "CLOSED")

    async def noted() -> bool | None:
        [event] = (await system.call("processing", "GET", f"/sagas/{order_id}/events")).json["events"]
        return event["sentAt"] is not None or None

    await eventually(noted, "the event of the saga is noted as sent")
    return Ended(system.service("processing"), order_id)


@pytest.fixture(scope="module", params=[IN_MEMORY, WIRE])
def ended(request: pytest.FixtureRequest) -> Ended:
    found: Ended = request.getfixturevalue(f"ended_{request.param}")
    return found


@pytest.fixture(scope="module")
def sagas(ended: Ended) -> HttpService:
    """The processing service."""
    return ended.service


async def test_saga_tells_each_of_its_steps(ended: Ended) -> None:
    (saga,) = (await ended.service.call("GET", f"/sagas/{ended.order_id}")).json["sagas"]
    assert saga.keys() == MEMBERS
    assert (saga["orderId"], saga["version"], saga["late"], saga["lastError"]) == (ended.order_id, 1, False, None)
    assert [step["state"] for step in saga["steps"]] == ["STARTED", "STOCK_TAKEN", "DONE"]
    times = [step["at"] for step in saga["steps"]]
    assert times == sorted(times)


async def test_sagas_of_an_order_are_found_and_none_is_no_error(ended: Ended) -> None:
    async def found(query: str) -> object:
        return (await ended.service.call("GET", f"/sagas?{query}")).json

    of_order = (await ended.service.call("GET", f"/sagas/{ended.order_id}")).json
    assert await found(f"orderId={ended.order_id}") == of_order
    assert await found(f"orderId={ended.order_id}&state=DONE&late=false&customer=anonymous") == of_order
    for other in ("state=FAILED", "late=true", "customer=somebody-else"):
        assert await found(f"orderId={ended.order_id}&{other}") == {"sagas": []}
    assert await found("orderId=999999999") == {"sagas": []}


async def test_sagas_are_found_by_their_state(sagas: HttpService) -> None:
    found = (await sagas.call("GET", "/sagas?state=DONE&limit=3")).json["sagas"]
    assert 1 <= len(found) <= 3
    assert {saga["state"] for saga in found} == {"DONE"}
    assert {frozenset(saga) for saga in found} == {frozenset(LISTED)}
    orders = [saga["orderId"] for saga in found]
    assert orders == sorted(orders, reverse=True)
    assert (await sagas.call("GET", "/sagas?state=DONE&late=true")).json == {"sagas": []}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("state=done", "/state"),
        ("state=%00", "/state"),
        ("late=perhaps", "/late"),
        ("limit=0", "/limit"),
        ("limit=-1", "/limit"),
        ("limit=201", "/limit"),
        ("limit=1.5", "/limit"),
        ("limit=x", "/limit"),
        ("limit=" + "9" * 5000, "/limit"),
        ("after=1", "/after"),
        ("stat=DONE", "/stat"),
    ],
    ids=lambda value: value[:20],
)
async def test_search_that_can_not_be_is_refused(sagas: HttpService, query: str, pointer: str) -> None:
    problem = refused(await sagas.call("GET", f"/sagas?{query}"), 422, "invalid")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


@pytest.mark.parametrize(
    "order_id", ["0", "-1", "01", "x", "1.0", "abc", "9" * 400, str(2**63 - 1), str(2**63), "%00", "%ff", "%D9%A1"]
)
async def test_order_without_a_saga_is_not_found(sagas: HttpService, order_id: str) -> None:
    refused(await sagas.call("GET", f"/sagas/{order_id}"), 404)


async def test_saga_of_each_version_is_answered_with_the_time_of_each_step(timed: Timed) -> None:
    old, new = Saga(123, 1, (Item("a", 1),)), Saga(123, 2, (Item("a", 2),))
    claim = (await timed.sagas.start(old, claimed=True)).claim
    assert claim is not None
    await timed.sagas.start(new, claimed=False)
    timed.now += timedelta(seconds=1)
    failing = old.after(Refused("Not enough stock."))
    assert await timed.sagas.save(claim, failing, {SagaState.FAILING: timed.now})
    failure = Unanswered("timeout", kind=FailureKind.OUTCOME_UNKNOWN)
    attempt = failing.failed_attempt(failure, timed.now + timedelta(seconds=2), 2.0)
    assert await timed.sagas.save(claim, failing.after(failure), {}, 4.0, attempt)
    timed.now += timedelta(seconds=31)
    answer = await timed.service.call("GET", "/sagas/123")
    assert answer.status == 200
    assert answer.json == {
        "sagas": [
            {
                "orderId": 123,
                "customerId": "anonymous",
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
                "failedAttempts": [
                    {
                        "step": "fail order",
                        "at": "2026-05-17T12:00:03.000250Z",
                        "seconds": 2.0,
                        "kind": "outcome-unknown",
                        "error": "timeout",
                    }
                ],
            },
            {
                "orderId": 123,
                "customerId": "anonymous",
                "version": 2,
                "state": "STARTED",
                "late": True,
                "attempts": 0,
                "lastError": None,
                "reason": None,
                "nextRunAt": "2026-05-17T12:00:00.000250Z",
                "steps": [{"state": "STARTED", "at": "2026-05-17T12:00:00.000250Z"}],
                "failedAttempts": [],
            },
        ]
    }


async def test_what_an_event_says_is_told_on_demand(ended: Ended) -> None:
    path = f"/sagas/{ended.order_id}/events"
    (without,) = (await ended.service.call("GET", path)).json["events"]
    (told,) = (await ended.service.call("GET", f"{path}?data=true")).json["events"]
    assert "data" not in without
    assert {name: told[name] for name in without} == without
    assert told["type"] == "order-processed"
    assert (told["data"]["orderId"], told["data"]["version"]) == (ended.order_id, 1)
    assert (await ended.service.call("GET", f"{path}?event={told['id']}&data=true")).json["events"] == [told]
    assert (await ended.service.call("GET", f"{path}?event={uuid.uuid4()}")).json["events"] == []
    for query in ("data=perhaps", "event=1"):
        refused(await ended.service.call("GET", f"{path}?{query}"), 422, "invalid")


async def test_sagas_are_searched(timed: Timed) -> None:
    for order_id in (1, 2, 3):
        await timed.sagas.start(Saga(order_id, 1, (Item("a", 1),)), claimed=False)
    (claim, *_) = await timed.sagas.claim(1)
    await timed.sagas.save(claim, claim.saga.after(Succeeded()).after(Succeeded()), {})

    async def found(query: str) -> list[int]:
        answer = await timed.service.call("GET", f"/sagas{query}")
        assert answer.status == 200
        return [saga["orderId"] for saga in answer.json["sagas"]]

    assert await found("") == [3, 2, 1]
    assert await found("?state=DONE") == [1]
    assert await found("?limit=2") == [3, 2]
    assert await found("?late=true") == []
    timed.now += timedelta(seconds=31)
    assert await found("?late=true&state=STARTED") == [3, 2]
    assert await found("?late=false") == [1]


async def test_waiting_saga_is_retried_at_once(timed: Timed) -> None:
    saga = Saga(123, 1, (Item("a", 1),))
    claim = (await timed.sagas.start(saga, claimed=True)).claim
    assert claim is not None
    assert await timed.sagas.save(claim, saga.after(Unanswered("timeout")), {}, 15.0)
    answer = await timed.service.call("POST", "/sagas/123/retry")
    assert (answer.status, [each["nextRunAt"] for each in answer.json["sagas"]]) == (
        200,
        ["2026-05-17T12:00:00.000250Z"],
    )
    assert len(await timed.sagas.claim(1)) == 1


async def test_ended_saga_is_not_retried(ended: Ended) -> None:
    path = f"/sagas/{ended.order_id}"
    before = (await ended.service.call("GET", path)).json
    refused(await ended.service.call("POST", f"{path}/retry"), 409, "saga-ended")
    assert (await ended.service.call("GET", path)).json == before


async def test_order_without_a_saga_can_not_be_retried(sagas: HttpService) -> None:
    refused(await sagas.call("POST", "/sagas/999999999/retry"), 404, "saga-not-found")
