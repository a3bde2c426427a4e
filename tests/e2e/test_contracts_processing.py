"""The processing service tells of its sagas, and of nothing that is not there."""

from __future__ import annotations

import uuid

import pytest
from yarl import URL

from tests.support.problems import refused
from tests.support.system import Answer, System

pytestmark = pytest.mark.asyncio(loop_scope="session")

MEMBERS = {"orderId", "version", "state", "late", "attempts", "lastError", "reason", "nextRunAt", "steps"}


async def test_saga_tells_each_of_its_steps(system: System) -> None:
    shelf = await system.product(uuid.uuid4().hex, 10)
    async with system.sse() as watch:
        order_id = (await system.place({shelf: 1})).json["id"]
        await watch.until(order_id, "CLOSED")
    (saga,) = (await system.call("processing", "GET", f"/sagas/{order_id}")).json["sagas"]
    assert saga.keys() == MEMBERS
    assert (saga["orderId"], saga["version"], saga["late"], saga["lastError"]) == (order_id, 1, False, None)
    assert [step["state"] for step in saga["steps"]] == ["STARTED", "STOCK_TAKEN", "DONE"]
    times = [step["at"] for step in saga["steps"]]
    assert times == sorted(times)


async def test_sagas_are_found_by_their_state(system: System) -> None:
    found = (await system.call("processing", "GET", "/sagas?state=DONE&limit=3")).json["sagas"]
    assert len(found) <= 3
    assert {saga["state"] for saga in found} <= {"DONE"}
    orders = [saga["orderId"] for saga in found]
    assert orders == sorted(orders, reverse=True)
    assert (await system.call("processing", "GET", "/sagas?state=DONE&late=true")).json == {"sagas": []}


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
        ("limit=" + "9" * 5000, "/limit"),
        ("after=1", "/after"),
    ],
    ids=lambda value: value[:20],
)
async def test_search_that_can_not_be_is_refused(system: System, query: str, pointer: str) -> None:
    problem = refused(await system.call("processing", "GET", f"/sagas?{query}"), 422, "invalid")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


@pytest.mark.parametrize(
    "order_id", ["0", "-1", "01", "1.0", "abc", "9" * 400, str(2**63 - 1), str(2**63), "%00", "%ff", "%D9%A1"]
)
async def test_order_without_a_saga_is_not_found(system: System, order_id: str) -> None:
    url = URL(f"{system.stack.url('processing')}/sagas/{order_id}", encoded=True)
    async with system.session.get(url) as response:
        refused(Answer(response.status, response.headers, await response.json(content_type=None)), 404)
