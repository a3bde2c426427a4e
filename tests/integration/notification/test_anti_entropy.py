"""Notifications that the queue lost, restored from a real order service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

import boto3
import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

import order_service.config
from notification_service.app import comparing, consuming, pushing
from notification_service.config import Config
from notification_service.feed import HttpChangedOrders, SqlFeed
from notification_service.feed.missing import ListedOrder
from notification_service.notification import NotificationFilter, Selection
from order_contracts import Item
from order_service.app import create_app
from order_service.app_keys import SERVICE
from order_service.domain import ChangePosition, PlaceOrder
from order_service.postgres import MIGRATIONS, SqlOrders
from order_service.service import OrderService
from service_common.errors import UnavailableError
from service_common.http_client import RetryingClient
from service_common.http_server import READINESS
from service_common.outbox import OutboxRelay
from service_common.paging import PageRequest
from service_common.postgres import Database, migrate
from service_common.scope import ALL_CUSTOMERS
from service_common.sqs import Publisher, Sqs
from tests.support.in_memory.order import InMemoryStockReader
from tests.support.waiting import PATIENCE_S, until_ready

Replica: TypeAlias = Callable[..., Awaitable[TestServer]]
ONE = (Item("a", 1),)
CHANGE = {
    "id": 1,
    "version": 1,
    "status": "CREATED",
    "createdAt": "2026-03-01T12:00:00.000000Z",
    "updatedAt": "2026-03-01T12:00:00.000000Z",
    "failureReason": None,
}
LONG_AGO = ChangePosition(datetime(2000, 1, 1, tzinfo=UTC), 0)


@pytest.fixture
async def orders_server(module_database_url: str, config: Config) -> AsyncIterator[TestServer]:
    """An order service whose events go to the notification queue; its stock is that of a test."""
    environ = {
        "SERVICE_TOKEN": config.service_token,
        "AUTH_MODE": "open",
        "DATABASE_URL": module_database_url,
        "INVENTORY_URL": "http://nowhere:8081",
    }
    await migrate(module_database_url, *MIGRATIONS)

    async def opened(app: web.Application) -> AsyncIterator[None]:
        async with Database.open(module_database_url) as database, Sqs.open(config.aws) as sqs:
            relay = OutboxRelay(database, Publisher(sqs), "/order-service")
            unconsumed, queue = f"{config.notification_queue}-dlq", config.notification_queue
            repository = SqlOrders(database, processing_queue=unconsumed, notification_queue=queue)
            app[SERVICE] = OrderService(repository, InMemoryStockReader({"a": 10}), relay.wake)
            async with relay.running(app[READINESS], stop_within_s=1.0):
                yield

    server = TestServer(create_app(order_service.config.Config.from_environ(environ), [opened]))
    async with server:
        yield server


@pytest.fixture
def orders(orders_server: TestServer) -> OrderService:
    """The use cases of the order service."""
    return orders_server.app[SERVICE]


@pytest.fixture
def compared(config: Config, orders_server: TestServer) -> Config:
    """The configuration of a replica that compares changes after a second."""
    return replace(config, order_urls=(str(orders_server.make_url("")),), reconcile_after_s=1.0)


async def kinds(server: TestServer, http: ClientSession, order_id: int, count: int) -> list[str]:
    """Return the kinds of the notifications of an order once there are *count*."""
    found: list[Any] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(found) < count:
            async with http.get(server.make_url(f"/notifications?orderId={order_id}")) as response:
                found = (await response.json())["notifications"]
    return [each["kind"] for each in found]


async def begun(feed: SqlFeed) -> None:
    """Return when the comparison has a position."""
    async with asyncio.timeout(PATIENCE_S):
        while not await feed.claim_comparison(0.0):
            pass


async def aged(orders: OrderService, order_id: int) -> None:
    """Return when the order is so old that a first comparison would begin after it."""
    async with asyncio.timeout(PATIENCE_S):
        while order_id not in {each.id for each in (await orders.changes(PageRequest(LONG_AGO, 200), 1))[0]}:
            pass


def arrived(queue_url: str, endpoint: str) -> int:
    client = boto3.client("sqs", endpoint_url=endpoint, region_name="us-east-1")
    answer = client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["ApproximateNumberOfMessages"])
    client.close()
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])


async def lose(config: Config, count: int) -> None:
    """Purge the notification queue once *count* messages are in it."""
    client = boto3.client("sqs", endpoint_url=config.aws.endpoint_url, region_name="us-east-1")
    url = client.get_queue_url(QueueName=config.notification_queue)["QueueUrl"]
    assert config.aws.endpoint_url is not None
    async with asyncio.timeout(PATIENCE_S):
        while await asyncio.to_thread(arrived, url, config.aws.endpoint_url) < count:
            pass
    await asyncio.to_thread(client.purge_queue, QueueUrl=url)
    client.close()


async def test_notifications_of_a_purged_queue_are_restored_and_pushed(
    replica: Replica, compared: Config, orders: OrderService, feed: SqlFeed, http: ClientSession
) -> None:
    server = await replica(compared, (pushing, comparing))
    await begun(feed)
    closed, failed, cancelled = [(await orders.place(PlaceOrder(ONE))).order.id for _ in range(3)]
    await orders.amend(closed, ALL_CUSTOMERS, ONE)
    await orders.close(closed, 2)
    await orders.fail(failed, 1, "out of stock")
    await orders.cancel(cancelled, ALL_CUSTOMERS)
    await lose(compared, 5)
    assert await kinds(server, http, closed, 3) == ["CREATED", "UPDATED", "CLOSED"]
    assert await kinds(server, http, failed, 2) == ["CREATED", "FAILED"]
    assert await kinds(server, http, cancelled, 2) == ["CREATED", "CANCELLED"]


async def test_replicas_that_compare_and_consume_at_once_store_each_notification_once(
    replica: Replica, compared: Config, orders: OrderService, feed: SqlFeed, http: ClientSession
) -> None:
    servers = [await replica(compared, (pushing, consuming, comparing)) for _ in range(3)]
    await begun(feed)
    placed = [(await orders.place(PlaceOrder(ONE))).order.id for _ in range(30)]
    await asyncio.gather(*(orders.close(order_id, 1) for order_id in placed))  # nobody announces that it is closed
    for order_id in placed:
        assert await kinds(servers[0], http, order_id, 2) == ["CREATED", "CLOSED"]
    page = await feed.read(0, wanted=Selection(ALL_CUSTOMERS, NotificationFilter(frozenset(placed))), limit=1000)
    assert len(page.notifications) == 60


async def test_comparison_continues_at_its_position_after_a_restart(
    replica: Replica, compared: Config, orders: OrderService, feed: SqlFeed, http: ClientSession
) -> None:
    server = await replica(compared, (pushing, comparing))
    await begun(feed)
    await server.close()
    order_id = (await orders.place(PlaceOrder(ONE))).order.id
    await orders.cancel(order_id, ALL_CUSTOMERS)
    await aged(orders, order_id)
    server = await replica(compared, (pushing, comparing))
    assert await kinds(server, http, order_id, 2) == ["CREATED", "CANCELLED"]


async def test_orders_from_before_the_first_comparison_are_left_alone(
    replica: Replica, compared: Config, orders: OrderService, feed: SqlFeed, http: ClientSession
) -> None:
    before = (await orders.place(PlaceOrder(ONE))).order.id
    await aged(orders, before)
    server = await replica(compared, (pushing, comparing))
    await begun(feed)
    after = (await orders.place(PlaceOrder(ONE))).order.id
    assert await kinds(server, http, after, 1) == ["CREATED"]
    assert await kinds(server, http, before, 0) == []


async def test_order_service_that_is_away_leaves_the_replica_ready(
    replica: Replica, config: Config, http: ClientSession
) -> None:
    server = await replica(replace(config, order_urls=("http://127.0.0.1:9",)), (pushing, comparing))
    assert "comparison" in await until_ready(lambda: http.get(server.make_url("/health/ready")))


async def test_without_an_order_service_there_is_no_comparison(
    replica: Replica, config: Config, http: ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    server = await replica(config, (pushing, comparing))
    async with http.get(server.make_url("/health/ready")) as response:
        assert "comparison" not in (await response.json())["checks"]
    assert [record.getMessage() for record in caplog.records].count("comparison disabled") == 1


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        {"changes": [], "other": ""},
        {"changes": [{"id": 1}], "next": "a"},
        {"changes": None, "next": "a"},
        {"changes": [{**CHANGE, "createdAt": 5}], "next": "a"},
        {"changes": [{**CHANGE, "customerId": 5}], "next": "a"},
        {"changes": [{**CHANGE, "updatedAt": "yesterday"}], "next": "a"},
    ],
)
@pytest.mark.parametrize("status", [200, 401, 404])
async def test_answer_that_lists_no_changes_is_an_outage(answer: object, status: int) -> None:
    async def answering(_: web.Request) -> web.Response:
        return web.json_response(answer, status=status)

    app = web.Application()
    app.router.add_get("/order/changes", answering)
    async with TestServer(app) as server, RetryingClient([str(server.make_url("/"))], name="order-service") as client:
        with pytest.raises(UnavailableError):
            await HttpChangedOrders(client).after("", min_age_s=1.0, limit=10)


async def test_list_of_changes_is_read() -> None:
    async def answering(request: web.Request) -> web.Response:
        assert dict(request.query) == {"after": "a", "minAgeS": "2", "limit": "10"}
        return web.json_response({"changes": [CHANGE, {**CHANGE, "customerId": "alice"}], "next": "b"})

    app = web.Application()
    app.router.add_get("/order/changes", answering)
    async with TestServer(app) as server, RetryingClient([str(server.make_url("/"))], name="order-service") as client:
        orders, position = await HttpChangedOrders(client).after("a", min_age_s=1.5, limit=10)
    placed = datetime(2026, 3, 1, 12, tzinfo=UTC)
    # a former version of the order service tells no customer
    assert orders == [ListedOrder(1, 1, "CREATED", placed, placed, None, who) for who in ("anonymous", "alice")]
    assert position == "b"
