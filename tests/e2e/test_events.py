"""What is put on the queues directly: what can't be understood steps aside with its reason, what comes twice or in
another order has no second effect."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from itertools import permutations
from typing import Any

import orjson
import pytest
import pytest_asyncio

from tests.support.events import NOBODYS_ORDER, Queues, event
from tests.support.processes import stopped
from tests.support.system import System
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUEUES = ("notification-queue", "processing-queue")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def queues(system: System) -> AsyncIterator[Queues]:
    """The queues, seen from outside."""
    client = system.sqs()
    yield Queues(client)
    client.close()


def without(*path: str) -> str:
    """Return an event that lacks a member."""
    body = event("order-created", next(NOBODYS_ORDER))
    inner = body
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return orjson.dumps(body).decode()


def changed(**members: Any) -> str:
    """Return an event with other members."""
    return orjson.dumps(event("order-created", next(NOBODYS_ORDER)) | members).decode()


def changed_data(**members: Any) -> str:
    """Return an event with other data."""
    body = event("order-created", next(NOBODYS_ORDER))
    return orjson.dumps(body | {"data": body["data"] | members}).decode()


POISON: dict[str, Callable[[], str]] = {
    "text": lambda: f"hello {uuid.uuid4()}",
    "half-json": lambda: f'{{"id": "{uuid.uuid4()}"',
    "list": lambda: f'["{uuid.uuid4()}"]',
    "no-event": lambda: f'{{"orderId": "{uuid.uuid4()}"}}',
    "deep": lambda: f'{{"{uuid.uuid4()}":' + "[" * 3000 + "]" * 3000 + "}",
    "lone-surrogate": lambda: rf'{{"{uuid.uuid4()}":"\ud800"}}',
    "unknown-type": lambda: changed(type="order-eaten"),
    "type-of-another-kind": lambda: changed(type=["order-created"]),
    "other-version-of-cloudevents": lambda: changed(specversion="2.0"),
    "no-zone": lambda: changed(time="2026-03-01T12:30:15"),
    "no-time-at-all": lambda: changed(time="yesterday"),
    "data-in-base64": lambda: changed(data="e30="),
    "order-is-text": lambda: changed_data(orderId="1"),
    "order-is-zero": lambda: changed_data(orderId=0),
    "order-beyond-64-bits": lambda: changed_data(orderId=2**63),
    "version-is-a-fraction": lambda: changed_data(version=1.5),
    "no-items-in-it": lambda: changed_data(orderItems=[]),
    "too-many-items": lambda: changed_data(orderItems=[{}] * 50_000),
    "item-without-quantity": lambda: changed_data(orderItems=[{"productId": "123"}]),
    "item-with-nul": lambda: changed_data(orderItems=[{"productId": "a\0", "quantity": 1}]),
    "failed-without-reason": lambda: changed(type="order-failed"),
    **{
        f"without-{'.'.join(path)}": lambda path=path: without(*path)  # type: ignore[misc]
        for path in (
            ("specversion",),
            ("id",),
            ("source",),
            ("type",),
            ("time",),
            ("data",),
            ("data", "orderId"),
            ("data", "version"),
            ("data", "orderItems"),
        )
    },
}


@pytest.mark.parametrize("queue", QUEUES)
async def test_message_that_can_not_be_understood_steps_aside_with_its_reason(
    system: System, queues: Queues, queue: str
) -> None:
    poison = {name: make() for name, make in POISON.items()}
    for name, body in poison.items():
        await queues.send(queue, body)
        if name == "no-event":  # in the middle of them, to be fulfilled as ever
            placed = await system.place({"123": 1})
    assert (await system.ended(placed.json["id"]))["status"] == "CLOSED"
    dead = await queues.drain(f"{queue}-dlq", len(poison))
    assert {message["Body"] for message in dead} == set(poison.values())
    for message in dead:
        attributes = message["MessageAttributes"]
        assert attributes["reason"]["StringValue"]
        assert queue in attributes["origin"]["StringValue"]
    await worked_off(queues, queue)


async def test_member_that_is_not_known_yet_is_ignored(system: System, queues: Queues) -> None:
    order_id = next(NOBODYS_ORDER)
    body = event("order-created", order_id) | {"partitionkey": "7", "dataschema": "urn:x", "subject": None}
    body["data"] |= {"currency": "EUR", "orderItems": [{"productId": "123", "quantity": 1, "gift": {"wrap": True}}]}
    await queues.send("notification-queue", orjson.dumps(body).decode())
    assert await kinds_told(system, order_id, "CREATED") == ["CREATED"]


async def kinds_told(system: System, order_id: int, *awaited: str) -> list[str]:
    """Wait until *awaited* are in the history of an order and return all that is."""

    async def look() -> list[str] | None:
        page = (await system.call("notification", "GET", f"/notifications?orderId={order_id}")).json
        kinds = [each["kind"] for each in page["notifications"]]
        return kinds if Counter(awaited) <= Counter(kinds) else None

    return await eventually(look, f"{awaited} of order {order_id}")


async def worked_off(queues: Queues, queue: str) -> None:
    """Wait until nothing is on a queue nor in flight."""

    async def look() -> bool | None:
        return await queues.waiting(queue) == 0 or None

    await eventually(look, f"an empty {queue}")


LIFE = ("order-created", "order-updated", "order-processed")


@pytest.mark.parametrize("order", list(permutations(LIFE)), ids=lambda order: " ".join(each[6:] for each in order))
async def test_events_twice_and_in_any_order_tell_one_story(
    system: System, queues: Queues, order: tuple[str, ...]
) -> None:
    order_id = next(NOBODYS_ORDER)
    for event_type in (*order, *reversed(order)):
        version = 1 if event_type == "order-created" else 2
        await queues.send("notification-queue", orjson.dumps(event(event_type, order_id, version)).decode())
        await worked_off(queues, "notification-queue")  # so that they are taken in this order
    updated = ["UPDATED"] if order.index("order-updated") < order.index("order-processed") else []
    assert await kinds_told(system, order_id, "CLOSED") == ["CREATED", *updated, "CLOSED"]


async def test_end_comes_once(system: System, queues: Queues) -> None:
    order_id = next(NOBODYS_ORDER)
    for event_type in ("order-cancelled", "order-processed", "order-failed", "order-cancelled", "order-created"):
        await queues.send("notification-queue", orjson.dumps(event(event_type, order_id)).decode())
        await worked_off(queues, "notification-queue")
    assert await kinds_told(system, order_id, "CANCELLED") == ["CREATED", "CANCELLED"]


async def test_many_copies_at_once_are_told_once(system: System, queues: Queues) -> None:
    order_id = next(NOBODYS_ORDER)
    bodies = [orjson.dumps(event(each, order_id)).decode() for each in ("order-processed", "order-created")] * 15
    await asyncio.gather(*(queues.send("notification-queue", body) for body in bodies))
    await worked_off(queues, "notification-queue")
    assert await kinds_told(system, order_id, "CLOSED") == ["CREATED", "CLOSED"]


async def test_redelivered_order_takes_its_stock_once(system: System, queues: Queues) -> None:
    shelf = await system.product(uuid.uuid4().hex, 10)
    placed = (await system.place({shelf: 3})).json
    body = event("order-created", placed["id"], time=placed["createdAt"], items=[(shelf, 3)])
    for _ in range(10):
        await queues.send("processing-queue", orjson.dumps(body).decode())
    await system.ended(placed["id"])
    await queues.send("processing-queue", orjson.dumps(body).decode())
    await worked_off(queues, "processing-queue")
    assert await system.stock(shelf) == 7
    sagas = (await system.call("processing", "GET", f"/sagas/{placed['id']}")).json["sagas"]
    assert [saga["version"] for saga in sagas] == [1]
    assert await kinds_told(system, placed["id"], "CLOSED") == ["CREATED", "CLOSED"]


async def test_event_of_an_order_that_nobody_placed_keeps_no_stock(system: System, queues: Queues) -> None:
    shelf, order_id = await system.product(uuid.uuid4().hex, 10), next(NOBODYS_ORDER)
    await queues.send("processing-queue", orjson.dumps(event("order-created", order_id, items=[(shelf, 4)])).decode())
    assert await system.sagas_ended(order_id) == ["RELEASED"]
    assert await system.stock(shelf) == 10
    told = (await system.call("notification", "GET", f"/notifications?orderId={order_id}")).json
    assert told["notifications"] == []


async def test_changes_that_overtake_the_order_leave_its_last_version(system: System, queues: Queues) -> None:
    """The events of three versions come to processing the wrong way round and twice each."""
    shelf = await system.product(uuid.uuid4().hex, 10)
    async with stopped(system, "processing"):
        order_id = (await system.place({shelf: 1})).json["id"]
        for quantity in (2, 3):
            body = {"orderItems": [{"productId": shelf, "quantity": quantity}]}
            assert (await system.call("order", "PUT", f"/orders/{order_id}", json=body)).status == 200
        await kinds_told(system, order_id, "UPDATED", "UPDATED")  # one that comes after the end is not told
        taken = await queues.events("processing-queue", 3)
        for event_body in sorted(taken, key=lambda each: -orjson.loads(each)["data"]["version"]):
            for _ in range(2):
                await queues.send("processing-queue", event_body)
    assert (await system.ended(order_id, within_s=60))["version"] == 3
    assert await system.sagas_ended(order_id, versions=3) == ["RELEASED", "RELEASED", "DONE"]
    assert await system.stock(shelf) == 7
    kinds = await kinds_told(system, order_id, "CLOSED")
    assert (kinds[0], kinds[-1], sorted(kinds[1:-1])) == ("CREATED", "CLOSED", ["UPDATED", "UPDATED"])


async def test_cancelled_order_keeps_no_stock(system: System, queues: Queues) -> None:
    """The cancellation wins over a processing that begins only afterwards."""
    shelf = await system.product(uuid.uuid4().hex, 10)
    async with stopped(system, "processing"):
        placed = (await system.place({shelf: 4})).json
        cancelled = await system.call("order", "DELETE", f"/orders/{placed['id']}")
        assert cancelled.json["status"] == "CANCELLED"
    assert await system.sagas_ended(placed["id"]) == ["RELEASED"]
    assert await system.stock(shelf) == 10
    assert await kinds_told(system, placed["id"], "CANCELLED") == ["CREATED", "CANCELLED"]
    await queues.send("notification-queue", orjson.dumps(event("order-updated", placed["id"], 2)).decode())
    await worked_off(queues, "notification-queue")
    assert await kinds_told(system, placed["id"], "CANCELLED") == ["CREATED", "CANCELLED"]


async def test_order_that_fails_says_why(system: System) -> None:
    """The stock was there when the order was taken and is gone when it is processed."""
    shelf = await system.product(uuid.uuid4().hex, 5)
    async with stopped(system, "processing"):
        order_id = (await system.place({shelf: 5})).json["id"]
        await system.call("inventory", "PUT", f"/inventory/{shelf}", json={"stock": 4}, headers={"If-Match": "*"})
    order = await system.ended(order_id)
    assert (order["status"], shelf in order["failureReason"]) == ("FAILED", True)
    assert await kinds_told(system, order_id, "FAILED") == ["CREATED", "FAILED"]
    page = (await system.call("notification", "GET", f"/notifications?orderId={order_id}")).json
    assert page["notifications"][-1]["reason"] == order["failureReason"]
    assert await system.stock(shelf) == 4


async def test_sent_event_is_a_cloudevent(system: System, queues: Queues) -> None:
    async with stopped(system, "processing"):
        placed = (await system.place({"123": 1})).json
        (message,) = await queues.drain("processing-queue", 1)
        await queues.send("processing-queue", message["Body"])
    body = orjson.loads(message["Body"])
    assert (body["specversion"], body["source"], body["type"]) == ("1.0", "/order-service", "order-created")
    assert (body["subject"], body["datacontenttype"]) == (str(placed["id"]), "application/json")
    assert body["time"] == placed["createdAt"]
    assert uuid.UUID(body["id"])
    assert body["data"]["version"] == 1
    await system.ended(placed["id"])
