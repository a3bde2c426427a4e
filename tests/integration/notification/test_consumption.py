from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

import orjson
import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from notification_service.app import consuming, pushing
from notification_service.config import Config
from order_contracts import EventType, Item, OrderEvent
from service_common.events import encode
from service_common.sqs import Message, Outgoing, Publisher, Sqs
from tests.support.in_memory.notification import blocks
from tests.support.waiting import until_ready

Replica: TypeAlias = Callable[..., Awaitable[TestServer]]
Send: TypeAlias = Callable[..., Awaitable[None]]
Pushed: TypeAlias = Callable[[int], Awaitable[list[dict[str, Any]]]]
DeadLetter: TypeAlias = Callable[[], Awaitable[Message]]
CREATED, UPDATED = EventType.ORDER_CREATED, EventType.ORDER_UPDATED
CLOSED, FAILED = EventType.ORDER_PROCESSED, EventType.ORDER_FAILED
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def event(event_type: EventType, order: int, version: int = 1, **changes: Any) -> str:
    fields: dict[str, Any] = {
        "type": event_type,
        "source": "/order-service",
        "order_id": order,
        "version": version,
        "time": datetime.now(UTC),
        "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
        "items": (Item("a", 1),),
        "reason": "out of stock" if event_type is FAILED else None,
    }
    return encode(OrderEvent(**{**fields, **changes}).envelope())


@pytest.fixture
async def sqs(config: Config) -> AsyncIterator[Sqs]:
    async with Sqs.open(config.aws) as sqs:
        yield sqs


@pytest.fixture
async def send(config: Config, sqs: Sqs) -> Send:
    publisher = Publisher(sqs)

    async def send(*bodies: str) -> None:
        outgoing = [Outgoing(str(place), body) for place, body in enumerate(bodies)]
        assert not (await publisher.send(config.notification_queue, outgoing)).failed

    return send


@pytest.fixture
async def server(replica: Replica, config: Config) -> TestServer:
    return await replica(config, (pushing, consuming))


@pytest.fixture
def pushed(http: ClientSession, server: TestServer) -> Pushed:
    """Returns the whole feed once it has *count* notifications."""

    async def pushed(count: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while len(found) < count:
            async with http.get(server.make_url("/notifications")) as response:
                found = (await response.json())["notifications"]
        return found

    return pushed


@pytest.fixture
def dead_letter(sqs: Sqs, config: Config) -> DeadLetter:
    """Returns the first message of the dead-letter queue."""

    async def dead_letter() -> Message:
        queue = await sqs.queue(f"{config.notification_queue}-dlq")
        while not (received := await sqs.receive(queue, 10, wait_s=1)):
            pass
        return received[0].message

    return dead_letter


async def test_events_of_the_queue_are_pushed_and_logged(
    server: TestServer, http: ClientSession, send: Send, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with http.get(server.make_url("/stream?orderId=5")) as response:
        stream = blocks(aiter(response.content))
        await anext(stream)
        await send(event(CREATED, 5))
        documents = []
        async for block in stream:
            if block.data is not None and block.event is None:
                documents.append(orjson.loads(block.data))
                if len(documents) == 2:
                    break
                await send(event(CLOSED, 5))
    assert [each["message"] for each in documents] == [
        "Notification CREATED for order 5",
        "Notification CLOSED for order 5",
    ]
    assert {each["traceId"] for each in documents} == {TRACE}
    await server.close()  # finishes what is in flight
    for text in ("event consumed", "Email and SMS sent"):
        assert [(each.orderId, each.kind) for each in lines(caplog, text)] == [(5, "CREATED"), (5, "CLOSED")]  # type: ignore[attr-defined]


def lines(caplog: pytest.LogCaptureFixture, text: str) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.getMessage() == text]


async def test_duplicates_and_reordering_leave_one_created_and_one_terminal(send: Send, pushed: Pushed) -> None:
    await send(event(CLOSED, 1), event(CREATED, 1), event(CREATED, 1), event(CLOSED, 1), event(UPDATED, 1, 2))
    await send(event(CREATED, 2))
    documents = await pushed(3)
    assert [each["kind"] for each in documents if each["orderId"] == 1] == ["CREATED", "CLOSED"]
    assert [each["kind"] for each in documents if each["orderId"] == 2] == ["CREATED"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{not json", "not JSON"),
        ('{"hello":"world"}', "not a valid event"),
        (event(CREATED, 1).replace("order-created", "order-eaten"), "not a valid event"),
        (event(CREATED, 1).replace('"orderId"', '"order"'), "not a valid event"),
        (event(CREATED, 1, time=datetime(1, 1, 1, tzinfo=UTC)), "year 1"),
    ],
)
async def test_invalid_message_goes_to_the_dead_letter_queue_and_blocks_no_other(
    body: str, why: str, send: Send, pushed: Pushed, dead_letter: DeadLetter
) -> None:
    await send(body, event(CREATED, 2))
    assert [each["orderId"] for each in await pushed(1)] == [2]
    message = await dead_letter()
    assert message.body == body
    assert why in str(message.attributes["reason"].value)


async def test_reason_is_truncated_and_its_nul_characters_are_replaced(send: Send, pushed: Pushed) -> None:
    await send(event(FAILED, 1, reason="a\0b"), event(FAILED, 2, reason="x" * 100_000))
    documents = await pushed(4)
    reasons = {each["orderId"]: each["reason"] for each in documents if each["kind"] == "FAILED"}
    assert reasons == {1: "a\N{REPLACEMENT CHARACTER}b", 2: "x" * 1_000}


async def test_readiness_checks_queue_and_poller(server: TestServer, http: ClientSession, config: Config) -> None:
    checks = await until_ready(lambda: http.get(server.make_url("/health/ready")))
    assert {config.notification_queue, "poller"} <= set(checks)
