"""Events, reconciliation and readiness of the order service."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import boto3
from aiohttp import web
from aiohttp.test_utils import TestClient

from order_contracts import EventType, Item, OrderEvent
from order_service.app import create_app
from order_service.config import Config
from tests.support.waiting import eventually, until_ready

Api: TypeAlias = TestClient[web.Request, web.Application]
AppClient: TypeAlias = Callable[[web.Application], Awaitable[Api]]
Events: TypeAlias = Callable[[str, int], Awaitable[list[OrderEvent]]]

TWO = {"orderItems": [{"productId": "123", "quantity": 2}]}
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_each_change_is_announced_to_its_queues(api: Api, events: Events) -> None:
    placed = await api.post("/orders", json=TWO, headers={"traceparent": TRACEPARENT})
    order = await placed.json()
    await api.put(f"/orders/{order['id']}", json={"orderItems": [{"productId": "456", "quantity": 1}]})
    await api.delete(f"/orders/{order['id']}")
    processing, notification = await asyncio.gather(events("processing", 2), events("notification", 3))
    told = {event.type: event for event in notification}
    assert {event.type: event for event in processing} == {
        kind: told[kind] for kind in (EventType.ORDER_CREATED, EventType.ORDER_UPDATED)
    }
    assert {event.order_id for event in notification} == {order["id"]}
    assert [(told[kind].version, told[kind].items) for kind in told if kind is not EventType.ORDER_CANCELLED]
    created, updated = told[EventType.ORDER_CREATED], told[EventType.ORDER_UPDATED]
    assert (created.version, created.items, created.source) == (1, (Item("123", 2),), "/order-service")
    assert (updated.version, updated.items) == (2, (Item("456", 1),))
    assert (told[EventType.ORDER_CANCELLED].version, told[EventType.ORDER_CANCELLED].items) == (2, ())
    assert created.traceparent is not None
    assert created.traceparent.split("-")[1] == TRACEPARENT.split("-")[1]


async def test_late_order_is_announced_again_as_the_same_event(
    aiohttp_client: AppClient, config: Config, events: Events
) -> None:
    api = await aiohttp_client(create_app(dataclasses.replace(config, reconcile_after_s=1.0)))
    await api.post("/orders", json=TWO)
    [first, again] = await events("processing", 2)
    assert first == again
    assert first.id == again.id


async def test_committed_events_are_sent_before_the_service_stops(
    aiohttp_client: AppClient, config: Config, events: Events
) -> None:
    api = await aiohttp_client(create_app(config))
    await asyncio.gather(*(api.post("/orders", json=TWO) for _ in range(5)))
    await api.close()
    assert len({event.order_id for event in await events("processing", 5)}) == 5


async def test_ready_names_database_queues_and_tasks(api: Api, config: Config) -> None:
    checks = {"database", "relay", "reconciliation", config.processing_queue, config.notification_queue}
    assert await until_ready(lambda: api.get("/health/ready")) == dict.fromkeys(checks, "ok")


async def test_not_ready_without_a_queue(aiohttp_client: AppClient, config: Config) -> None:
    client = boto3.client("sqs", endpoint_url=config.aws.endpoint_url, region_name=config.aws.region)
    client.delete_queue(QueueUrl=client.get_queue_url(QueueName=config.processing_queue)["QueueUrl"])
    client.close()
    api = await aiohttp_client(create_app(config))

    async def not_ready_for_it_alone() -> bool | None:
        response = await api.get("/health/ready")
        assert response.status == 503
        checks = (await response.json())["checks"]
        return {name for name, said in checks.items() if said != "ok"} == {config.processing_queue} or None

    await eventually(not_ready_for_it_alone, "the other checks passed")


async def test_second_start_finds_the_orders_of_the_first(aiohttp_client: AppClient, config: Config) -> None:
    first = await aiohttp_client(create_app(config))
    order = await (await first.post("/orders", json=TWO)).json()
    await first.close()
    second = await aiohttp_client(create_app(config))
    assert await (await second.get(f"/orders/{order['id']}")).json() == order


async def test_page_of_an_allowed_origin_may_order(api: Api) -> None:
    origin = {"Origin": "http://localhost:4200", "Access-Control-Request-Method": "POST"}
    response = await api.options(
        "/orders", headers=origin | {"Access-Control-Request-Headers": "content-type,idempotency-key"}
    )
    assert response.status == 200
    assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:4200"
