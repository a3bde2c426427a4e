"""The whole order service over HTTP, on PostgreSQL, SQS and an inventory service."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

import boto3
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from order_contracts import OrderEvent, decode
from order_service.app import create_app
from order_service.config import Config
from service_common.sqs import Sqs
from tests.support.waiting import PATIENCE_S

TOKEN = "token-of-the-services"

Api: TypeAlias = TestClient[web.Request, web.Application]
AppClient: TypeAlias = Callable[[web.Application], Awaitable[Api]]
Events: TypeAlias = Callable[[str, int], Awaitable[list[OrderEvent]]]


@pytest.fixture
async def inventory_url() -> AsyncIterator[str]:
    """The URL of an inventory service."""
    stock = {"123": 5, "456": 9}

    async def one(request: web.Request) -> web.Response:
        product_id = request.match_info["product_id"]
        if product_id not in stock:
            return web.json_response({}, status=404)
        return web.json_response({"productId": product_id, "stock": stock[product_id], "version": 1})

    async def many(request: web.Request) -> web.Response:
        known = [each for each in request.query.getall("productId") if each in stock]
        items = [{"productId": each, "stock": stock[each], "version": 1} for each in known]
        return web.json_response({"items": items, "next": None})

    app = web.Application()
    app.add_routes([web.get("/inventory/{product_id}", one), web.get("/inventory", many)])
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


@pytest.fixture
def queues(aws_endpoint: str) -> tuple[str, str]:
    """The names of this test's processing and notification queues."""
    client = boto3.client("sqs", endpoint_url=aws_endpoint, region_name="us-east-1")
    names = (f"processing-{uuid.uuid4().hex}", f"notification-{uuid.uuid4().hex}")
    for name in names:
        client.create_queue(QueueName=name)
    client.close()
    return names


@pytest.fixture
def config(database_url: str, aws_endpoint: str, queues: tuple[str, str], inventory_url: str) -> Config:
    return Config.from_environ(
        {
            "SERVICE_TOKEN": TOKEN,
            "AUTH_MODE": "open",
            "DATABASE_URL": database_url,
            "AWS_ENDPOINT_URL": aws_endpoint,
            "INVENTORY_URL": inventory_url,
            "PROCESSING_QUEUE": queues[0],
            "NOTIFICATION_QUEUE": queues[1],
            "CLOUDWATCH": "false",
            "ALLOWED_ORIGINS": "http://localhost:4200",
        }
    )


@pytest.fixture
async def api(aiohttp_client: AppClient, config: Config) -> Api:
    return await aiohttp_client(create_app(config))


@pytest.fixture
async def events(config: Config) -> AsyncIterator[Events]:
    """Receives a number of events from the processing or the notification queue."""
    names = {"processing": config.processing_queue, "notification": config.notification_queue}
    async with Sqs.open(config.aws) as sqs:

        async def receive(which: str, count: int) -> list[OrderEvent]:
            queue = await sqs.queue(names[which])
            received: list[OrderEvent] = []
            async with asyncio.timeout(PATIENCE_S):
                while len(received) < count:
                    batch = await sqs.receive(queue, 10, 1)
                    received += [decode(each.message.body) for each in batch]
                    if batch:
                        await sqs.delete(queue, [each.handle for each in batch])
            return received

        yield receive
