"""The whole system seen from outside: over HTTP, SSE and WebSocket, in its databases, queues and log groups."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import boto3
import orjson
import psycopg2

from orderstream_local.ports import Ports
from orderstream_local.stack import Stack, StackOptions
from tests.support.folders import reachable_folder
from tests.support.http_service import Answer, HttpService
from tests.support.waiting import PATIENCE_S, eventually
from tests.support.watch import Watch, sse, websocket

if TYPE_CHECKING:
    from types_boto3_logs.client import CloudWatchLogsClient
    from types_boto3_sqs.client import SQSClient

__all__ = ["System", "running"]

ORDERS = """
    SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM order_items), (SELECT count(*) FROM outbox_event),
           (SELECT count(*) FROM idempotency), (SELECT coalesce(sum(version), 0) FROM orders)
"""
# what orders that are still under way take is not the doing of the request
INVENTORY = """
    SELECT (SELECT count(*) FROM inventory),
           (SELECT count(*) FROM removed_product),
           (SELECT count(*) FROM stock_operation WHERE id !~ '^[0-9]+:[0-9]+$')
"""
TERMINAL = frozenset({"CLOSED", "FAILED", "CANCELLED"})


class System:
    """Everything that a user of the running stack can do and see."""

    def __init__(self, stack: Stack, session: aiohttp.ClientSession) -> None:
        self.stack = stack
        self.session = session
        self._origin = stack.environment("order")["ALLOWED_ORIGINS"].split(",")[0]

    def service(self, name: str, replica: int = 0) -> HttpService:
        """Return a service to ask over HTTP."""
        return HttpService(self.stack.url(name, replica), self.session, self.stack.token, self._origin, self.stored)

    async def call(self, service: str, method: str, path: str, *, replica: int = 0, **options: Any) -> Answer:
        """Make a request and read its answer, JSON or none."""
        return await self.service(service, replica).call(method, path, **options)

    def stored(self) -> object:
        """Return how much of everything is stored that requests of clients store."""
        return self.rows("orders", ORDERS), self.rows("inventory", INVENTORY)

    async def place(self, items: Mapping[str, int], **headers: str) -> Answer:
        """Place an order of products and quantities."""
        order = {"orderItems": [{"productId": product, "quantity": number} for product, number in items.items()]}
        return await self.call("order", "POST", "/orders", json=order, headers=headers)

    async def product(self, product_id: str, stock: int) -> str:
        """Put a product on the shelf and return its id."""
        answer = await self.call("inventory", "POST", "/inventory", json={"productId": product_id, "stock": stock})
        assert answer.status == 201, answer
        return product_id

    async def stock(self, product_id: str) -> int:
        """Return what is on the shelf."""
        return int((await self.call("inventory", "GET", f"/inventory/{product_id}")).json["stock"])

    async def ended(self, order_id: int, within_s: float = PATIENCE_S) -> dict[str, Any]:
        """Wait for the order's terminal status and return the order."""

        async def look() -> dict[str, Any] | None:
            order: dict[str, Any] = (await self.call("order", "GET", f"/orders/{order_id}")).json
            return order if order["status"] in TERMINAL else None

        return await eventually(look, f"the end of order {order_id}", within_s)

    async def sagas_ended(self, order_id: int, versions: int = 1) -> list[str]:
        """Wait for the end of the sagas of an order, one a version, that may come after its own; return the states."""

        async def look() -> list[str] | None:
            answer = await self.call("processing", "GET", f"/sagas/{order_id}")
            sagas = answer.json["sagas"] if answer.status == 200 else []
            over = len(sagas) == versions and all(saga["nextRunAt"] is None for saga in sagas)
            return [saga["state"] for saga in sagas] if over else None

        return await eventually(look, f"the end of the sagas of order {order_id}")

    async def ready(self, service: str, replica: int = 0, within_s: float = PATIENCE_S) -> None:
        """Wait until a service says that it is ready."""

        async def look() -> bool | None:
            try:
                return (await self.call(service, "GET", "/health/ready", replica=replica)).status == 200 or None
            except aiohttp.ClientError:
                return None

        await eventually(look, f"{service} ready", within_s)

    @asynccontextmanager
    async def sse(self, query: str = "", replica: int = 0, **headers: str) -> AsyncIterator[Watch]:
        """Follow /stream while the block runs."""
        async with sse(self.service("notification", replica), query, **headers) as watch:
            yield watch

    @asynccontextmanager
    async def websocket(self, query: str = "", replica: int = 0) -> AsyncIterator[Watch]:
        """Follow /ws while the block runs."""
        async with websocket(self.service("notification", replica), query) as watch:
            yield watch

    def rows(self, database: str, sql: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Look into a service's database."""
        connection = psycopg2.connect(self.stack.database_url(database))
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return cursor.fetchall()
        finally:
            connection.close()

    def sqs(self) -> SQSClient:
        """Return a client of the queues."""
        return boto3.client("sqs", endpoint_url=self.stack.aws_endpoint, region_name="us-east-1")

    def logs(self) -> CloudWatchLogsClient:
        """Return a client of the log groups."""
        return boto3.client("logs", endpoint_url=self.stack.aws_endpoint, region_name="us-east-1")

    async def logged(self, service: str, within_s: float = PATIENCE_S, **facts: object) -> dict[str, Any]:
        """Wait for a line with these *facts* in the log group of a service and return it."""

        async def look() -> dict[str, Any] | None:
            return next(iter(await self.lines(service, **facts)), None)

        return await eventually(look, f"{facts} in the log of {service}", within_s)

    async def lines(self, service: str, **facts: object) -> list[dict[str, Any]]:
        """Return the lines with these *facts* in the log group of a service."""
        lines = await asyncio.to_thread(self._log_lines, f"{service}-service-logs")
        return [line for line in lines if facts.items() <= line.items()]

    def _log_lines(self, group: str) -> list[dict[str, Any]]:
        client = self.logs()
        try:
            pages = client.get_paginator("filter_log_events").paginate(logGroupName=group)
            return [orjson.loads(event["message"]) for page in pages for event in page["events"]]
        finally:
            client.close()


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[System]:
    """Run the system for the block, on free ports and in a folder of its own; *options* as StackOptions has them."""
    with reachable_folder("stack-") as data:
        async with (
            Stack(StackOptions(data=data, ports=Ports.free(), **options)) as stack,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
        ):
            yield System(stack, session)
