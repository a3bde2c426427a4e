"""The whole processing service: real PostgreSQL, SQS by moto's server, stubs of the called services over HTTP."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import orjson
import pytest
from aiohttp import web
from aiohttp.pytest_plugin import AiohttpClient, AiohttpServer
from aiohttp.test_utils import TestClient

from order_contracts import EventType, Item, OrderEvent, decode
from processing_service.app import create_app
from processing_service.config import Config
from service_common.config import AwsConfig
from service_common.events import encode
from service_common.sqs import Outgoing, Sqs
from service_common.sqs.messages import Received
from tests.support.waiting import PATIENCE_S, until_ready

Client = TestClient[web.Request, web.Application]
TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


def event_of(order_id: int, event_type: EventType = EventType.ORDER_CREATED) -> OrderEvent:
    return OrderEvent(event_type, "/order-service", order_id, 1, datetime.now(UTC), TRACE, (Item("a", 2),))


@dataclass
class Queues:
    """The two queues of one test."""

    sqs: Sqs
    processing: str
    notification: str

    async def announce(self, *bodies: str) -> None:
        queue = await self.sqs.queue(self.processing)
        await self.sqs.send(queue.name, queue.url, [Outgoing(str(number), body) for number, body in enumerate(bodies)])

    async def received(self, name: str, count: int) -> list[Received]:
        queue = await self.sqs.queue(name)
        messages: list[Received] = []
        async with asyncio.timeout(PATIENCE_S):
            while len(messages) < count:
                batch = await self.sqs.receive(queue, 10, 1)
                messages += batch
                if batch:
                    await self.sqs.delete(queue, [each.handle for each in batch])
        return messages


@pytest.fixture
async def queues(aws_endpoint: str) -> AsyncIterator[Queues]:
    admin = boto3.client("sqs", endpoint_url=aws_endpoint, region_name="us-east-1")
    names = [f"{kind}-{uuid.uuid4().hex}" for kind in ("processing", "notification")]
    for name in names:
        admin.create_queue(QueueName=f"{name}-dlq")
        arn = f"arn:aws:sqs:us-east-1:123456789012:{name}-dlq"
        policy = orjson.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "5"}).decode()
        admin.create_queue(QueueName=name, Attributes={"RedrivePolicy": policy})
    admin.close()
    async with Sqs.open(AwsConfig("us-east-1", aws_endpoint)) as sqs:
        yield Queues(sqs, *names)


@dataclass
class Others:
    """The called services at one URL, and the recorded requests: path, body, traceparent."""

    url: str
    calls: list[tuple[str, Any, str]]


@pytest.fixture
async def others(aiohttp_server: AiohttpServer) -> Others:
    calls: list[tuple[str, Any, str]] = []

    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer secret"
        calls.append((request.path, await request.json(), request.headers["traceparent"]))
        if request.path.startswith("/inventory"):
            return web.json_response({"items": []})
        return web.json_response({"id": int(request.path.rpartition("/")[2]), "status": "CLOSED"})

    app = web.Application()
    app.add_routes([web.post("/{path:.*}", answer)])
    return Others(str((await aiohttp_server(app)).make_url("")).rstrip("/"), calls)


@pytest.fixture
async def client(
    database_url: str, aws_endpoint: str, queues: Queues, others: Others, aiohttp_client: AiohttpClient
) -> Client:
    config = Config.from_environ(
        {
            "SERVICE_TOKEN": "secret",
            "AUTH_MODE": "open",
            "DATABASE_URL": database_url,
            "INVENTORY_URL": others.url,
            "ORDER_URL": others.url,
            "AWS_ENDPOINT_URL": aws_endpoint,
            "PROCESSING_QUEUE": queues.processing,
            "NOTIFICATION_QUEUE": queues.notification,
        }
    )
    return await aiohttp_client(create_app(config))


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if await check():
                return
            await asyncio.sleep(0.05)


async def test_announced_order_is_fulfilled(client: Client, queues: Queues, others: Others) -> None:
    await queues.announce(encode(event_of(123).envelope()), encode(event_of(123).envelope()))
    (message,) = await queues.received(queues.notification, 1)
    told = decode(message.message.body)
    assert (told.type, told.order_id, told.version) == (EventType.ORDER_PROCESSED, 123, 1)
    assert told.source == "/processing-service"
    assert told.traceparent is not None
    assert told.traceparent.split("-")[1] == "a" * 32
    assert [(path, body) for path, body, _ in others.calls] == [
        ("/inventory/decrement", {"operationId": "123:1", "items": [{"productId": "a", "quantity": 2}]}),
        ("/order/close/123", {"version": 1}),
    ]
    assert {traceparent.split("-")[1] for _, _, traceparent in others.calls} == {"a" * 32}
    (saga,) = (await (await client.get("/sagas/123")).json())["sagas"]
    assert [step["state"] for step in saga["steps"]] == ["STARTED", "STOCK_TAKEN", "DONE"]


@pytest.mark.usefixtures("client")
async def test_line_of_a_consumed_event_says_how_old_it_is(queues: Queues, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "processing_service.consumers")
    late = replace(event_of(125), time=datetime.now(UTC) - timedelta(seconds=40))
    await queues.announce(encode(late.envelope()))
    await queues.received(queues.notification, 1)
    [line] = [record for record in caplog.records if record.message == "order consumed"]
    assert 40 <= line.__dict__["seconds"] < 55

    await queues.announce(encode(late.envelope()))

    async def consumed_again() -> bool:
        return any(getattr(each, "duplicate", False) for each in caplog.records)

    await until(consumed_again)
    [repeated] = [each for each in caplog.records if getattr(each, "duplicate", False)]
    assert not hasattr(repeated, "seconds")


async def test_message_that_starts_no_saga_is_dead_lettered(client: Client, queues: Queues, others: Others) -> None:
    await queues.announce(
        "{", encode(event_of(1, EventType.ORDER_CANCELLED).envelope()), encode(event_of(2).envelope())
    )
    dead = await queues.received(f"{queues.processing}-dlq", 2)
    reasons = sorted(str(each.message.attributes["reason"].value) for each in dead)
    assert reasons[0] == "not-for-processing: order-cancelled of order 1 starts no saga"
    assert reasons[1].startswith("unreadable-event: not JSON")

    async def done() -> bool:
        response = await client.get("/sagas/2")
        return response.status == 200 and (await response.json())["sagas"][0]["state"] == "DONE"

    await until(done)
    assert len(others.calls) == 2
    assert (await client.get("/sagas/1")).status == 404


async def test_service_is_ready_when_every_check_passes(client: Client, queues: Queues) -> None:
    assert set(await until_ready(lambda: client.get("/health/ready"))) == {
        "database", "relay", "engine", "poller", "lateness", "retention", queues.processing, queues.notification,
    }  # fmt: skip


async def test_open_sagas_are_in_the_metrics(client: Client) -> None:
    async def counted() -> bool:
        text = await (await client.get("/metrics")).text()
        return 'orderstream_sagas_open{state="STARTED"} 0.0' in text and "orderstream_sagas_late 0.0" in text

    await until(counted)
