"""The fourteen test cases of the system that this one answers, by their numbers, seen from outside."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
import pytest_asyncio

from service_common.events import split_batch
from tests.support.system import System
from tests.support.waiting import PATIENCE_S, eventually
from tests.support.watch import Watch

pytestmark = pytest.mark.asyncio(loop_scope="session")

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PRODUCT = "123"  # which other tests order too
BOUGHT = "bought-once"
STOCK = 100


@dataclass(frozen=True, slots=True)
class Story:
    """One order, from the request to its end, as two push clients saw it."""

    order: dict[str, Any]
    sse: Watch
    websocket: Watch

    @property
    def id(self) -> int:
        return int(self.order["id"])

    @property
    def trace_id(self) -> str:
        return TRACE_ID


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def story(system: System) -> Story:
    """An order for two of a product, fulfilled."""
    await system.product(BOUGHT, STOCK)

    async def idle() -> bool | None:
        return not system.rows("processing", "SELECT 1 FROM saga WHERE next_run_at IS NOT NULL LIMIT 1") or None

    await eventually(idle, "no order under way, with which this one would share its request for stock")
    async with system.sse() as sse, system.websocket() as websocket:
        placed = await system.place({BOUGHT: 2}, traceparent=f"00-{TRACE_ID}-00f067aa0ba902b7-01")
        assert placed.status == 201
        for watch in (sse, websocket):
            await watch.until(placed.json["id"], "CLOSED")
    return Story(placed.json, sse, websocket)


async def test_01_products_are_there_from_the_start(system: System) -> None:
    products: list[dict[str, Any]] = []
    page: dict[str, Any] = {"next": ""}
    while page["next"] is not None:  # other tests have products too
        after = f"&after={page['next']}" if page["next"] else ""
        page = (await system.call("inventory", "GET", f"/inventory?limit=200{after}")).json
        products += page["items"]
    seeded = system.rows("inventory", "SELECT count(*) FROM inventory WHERE last_update IS NOT NULL")
    assert len(products) >= 12
    assert seeded[0][0] == len(products)
    assert any(product["stock"] == 0 for product in products)
    assert PRODUCT in {product["productId"] for product in products}


async def test_02_order_is_created_with_its_items(system: System, story: Story) -> None:
    assert story.order["status"] == "CREATED"
    assert story.order["version"] == 1
    assert [(item["productId"], item["quantity"]) for item in story.order["orderItems"]] == [(BOUGHT, 2)]
    stored = system.rows("orders", "SELECT product_id, quantity FROM order_items WHERE order_id = %s", (story.id,))
    assert stored == [(BOUGHT, 2)]


@pytest.mark.parametrize(
    ("queue", "consumer"),
    [
        pytest.param("notification-queue", "notification-service", id="03-notification-queue"),
        pytest.param("processing-queue", "processing-service", id="04-processing-queue"),
    ],
)
async def test_order_created_is_on_the_queue(system: System, queue: str, consumer: str) -> None:
    """While its consumer is away, the event can be read with any SQS client, and is still there afterwards."""
    process = system.stack.processes[consumer]
    await process.stop(within_s=8)
    placed = await system.place({PRODUCT: 1})
    try:
        event = await asyncio.to_thread(peek, system, queue, placed.json["id"])
    finally:
        await process.start()
    assert event["type"] == "order-created"
    assert event["data"]["message"] == f"Notification CREATED for order {placed.json['id']}"
    assert event["data"]["orderItems"] == [{"productId": PRODUCT, "quantity": 1}]
    assert (await system.ended(placed.json["id"], within_s=60))["status"] == "CLOSED"


def peek(system: System, queue: str, order_id: int) -> dict[str, Any]:
    """Receive from a queue until the event of an order comes; each message is put back at the end."""
    client = system.sqs()
    url = client.get_queue_url(QueueName=queue)["QueueUrl"]
    received: list[str] = []
    try:
        for _ in range(10):
            answer = client.receive_message(QueueUrl=url, WaitTimeSeconds=3, MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                received.append(message["ReceiptHandle"])
                for body in split_batch(message["Body"]) or [message["Body"]]:
                    event: dict[str, Any] = orjson.loads(body)
                    if event["data"]["orderId"] == order_id:
                        return event
    finally:
        for handle in received:
            client.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
        client.close()
    raise AssertionError(f"no event of order {order_id} in {len(received)} messages of {queue}")


async def test_05_calls_are_in_the_log_of_inventory(system: System, story: Story) -> None:
    answered: dict[str, Any] = {"traceId": story.trace_id, "status": 200}
    await system.logged("inventory", **answered, method="GET", path=f"/inventory/{BOUGHT}")
    await system.logged("inventory", **answered, method="POST", path="/inventory/decrement")


async def test_06_publishing_to_processing_is_in_the_log_of_order(system: System, story: Story) -> None:
    line = await system.logged("order", message="event published", subject=str(story.id), queue="processing-queue")
    assert (line["type"], line["traceId"]) == ("order-created", story.trace_id)


async def test_07_publishing_to_notification_is_in_the_log_of_order(system: System, story: Story) -> None:
    line = await system.logged("order", message="event published", subject=str(story.id), queue="notification-queue")
    assert (line["type"], line["traceId"]) == ("order-created", story.trace_id)


async def test_08_consuming_is_in_the_log_of_processing(system: System, story: Story) -> None:
    line = await system.logged("processing", message="order consumed", orderId=story.id)
    assert (line["type"], line["traceId"]) == ("order-created", story.trace_id)
    assert 0 <= line["seconds"] < PATIENCE_S


async def test_09_publishing_is_in_the_log_of_processing(system: System, story: Story) -> None:
    line = await system.logged(
        "processing", message="event published", subject=str(story.id), queue="notification-queue"
    )
    assert (line["type"], line["traceId"]) == ("order-processed", story.trace_id)


async def test_10_consuming_order_created_is_in_the_log_of_notification(system: System, story: Story) -> None:
    line = await system.logged("notification", orderId=story.id, eventType="order-created")
    assert (line["text"], line["traceId"]) == (f"Notification CREATED for order {story.id}", story.trace_id)
    await system.logged("notification", orderId=story.id, channels=["email", "sms"], kind="CREATED")


async def test_11_consuming_order_processed_is_in_the_log_of_notification(system: System, story: Story) -> None:
    line = await system.logged("notification", orderId=story.id, eventType="order-processed")
    assert (line["text"], line["traceId"]) == (f"Notification CLOSED for order {story.id}", story.trace_id)
    await system.logged("notification", orderId=story.id, channels=["email", "sms"], kind="CLOSED")


async def test_12_order_is_closed(system: System, story: Story) -> None:
    order = (await system.call("order", "GET", f"/orders/{story.id}")).json
    assert order["status"] == "CLOSED"
    assert system.rows("orders", "SELECT status FROM orders WHERE id = %s", (story.id,)) == [("CLOSED",)]


async def test_13_stock_is_taken_once(system: System, story: Story) -> None:
    taken = system.rows(
        "inventory", "SELECT items FROM stock_operation WHERE id = %s AND outcome = 'taken'", (f"{story.id}:1",)
    )
    assert taken == [({BOUGHT: 2},)]
    assert await system.stock(BOUGHT) == STOCK - 2


async def test_14_both_streams_saw_the_order_created_and_closed(story: Story) -> None:
    assert story.sse.kinds(story.id) == story.websocket.kinds(story.id) == ["CREATED", "CLOSED"]
    mine = [each for each in story.sse.notifications if each["orderId"] == story.id]
    assert [each["message"] for each in mine] == [
        f"Notification CREATED for order {story.id}",
        f"Notification CLOSED for order {story.id}",
    ]
    assert {each["traceId"] for each in mine} == {story.trace_id}
    assert mine == [each for each in story.websocket.notifications if each["orderId"] == story.id]
