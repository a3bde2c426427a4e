"""The services as processes, each with the rights that the template's policies give it and no other."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import aiohttp
import boto3
import psycopg2
import pytest

from tests.support.iam import Warden, rights_of
from tests.support.ports import free_port
from tests.support.template import read_template
from tests.support.waiting import PATIENCE_S, eventually

SERVICES = ("order", "inventory", "processing", "notification")
RESOURCES = read_template()["Resources"]
# asked for when a message has to wait or takes long to handle, which none does here
SELDOM = "sqs:ChangeMessageVisibility"


class Aws:
    """Queues and log groups as the template has them, of this test alone."""

    def __init__(self, endpoint_url: str) -> None:
        self.endpoint_url = endpoint_url
        suffix = uuid.uuid4().hex
        self.names = {
            "ProcessingQueue": f"processing-{suffix}",
            "ProcessingDeadLetterQueue": f"processing-{suffix}-dlq",
            "NotificationQueue": f"notification-{suffix}",
            "NotificationDeadLetterQueue": f"notification-{suffix}-dlq",
            **{f"{name.capitalize()}LogGroup": f"{name}-{suffix}" for name in SERVICES},
        }
        self.sqs: Any = boto3.client("sqs", region_name="us-east-1", endpoint_url=endpoint_url)
        self.logs: Any = boto3.client("logs", region_name="us-east-1", endpoint_url=endpoint_url)

    def make(self) -> None:
        for queue in ("ProcessingQueue", "NotificationQueue"):
            dead = self.sqs.create_queue(QueueName=f"{self.names[queue]}-dlq")["QueueUrl"]
            arn = self.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            policy = f'{{"deadLetterTargetArn":"{arn}","maxReceiveCount":"20"}}'
            self.sqs.create_queue(QueueName=self.names[queue], Attributes={"RedrivePolicy": policy})
        for name in SERVICES:
            self.logs.create_log_group(logGroupName=self.names[f"{name.capitalize()}LogGroup"])

    def close(self) -> None:
        self.sqs.close()
        self.logs.close()

    def warden(self, service: str) -> Warden:
        policies = (RESOURCES.get(f"{service.capitalize()}{kind}") for kind in ("Policy", "LogsPolicy"))
        rights = (rights_of(each["Properties"], self.names) for each in policies if each)
        return Warden(self.endpoint_url, frozenset().union(*rights))

    async def poison(self, queue: str) -> None:
        """Send what nobody understands."""
        url = await asyncio.to_thread(self._url, self.names[queue])
        await asyncio.to_thread(self.sqs.send_message, QueueUrl=url, MessageBody="poison")

    async def is_set_aside(self, queue: str) -> bool | None:
        url = await asyncio.to_thread(self._url, f"{self.names[queue]}-dlq")
        answer = await asyncio.to_thread(self.sqs.receive_message, QueueUrl=url, VisibilityTimeout=0)
        return bool(answer.get("Messages")) or None

    async def has_log_of(self, service: str) -> bool | None:
        group = self.names[f"{service.capitalize()}LogGroup"]
        answer = await asyncio.to_thread(self.logs.filter_log_events, logGroupName=group)
        return bool(answer["events"]) or None

    def _url(self, name: str) -> str:
        return str(self.sqs.get_queue_url(QueueName=name)["QueueUrl"])


@pytest.fixture
def aws(aws_endpoint: str) -> Iterator[Aws]:
    aws = Aws(aws_endpoint)
    aws.make()
    yield aws
    aws.close()


@pytest.fixture
def databases(postgres_dsn: str) -> Iterator[dict[str, str]]:
    names = {service: f"t{uuid.uuid4().hex}" for service in SERVICES}
    connection = psycopg2.connect(postgres_dsn)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for name in names.values():
            cursor.execute(f"CREATE DATABASE {name}")
        yield {service: postgres_dsn.replace("/postgres?", f"/{name}?") for service, name in names.items()}
        for name in names.values():
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    connection.close()


@asynccontextmanager
async def running(service: str, environ: dict[str, str]) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"{service}_service"), env=environ, stdout=DEVNULL
    )
    try:
        yield
        process.terminate()
        async with asyncio.timeout(PATIENCE_S):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_each_service_can_do_its_work_with_its_policy_and_needs_all_of_it(
    aws: Aws, databases: dict[str, str]
) -> None:
    wardens = {service: aws.warden(service) for service in SERVICES}
    ports = {service: free_port() for service in SERVICES}
    urls = {service: f"http://127.0.0.1:{port}" for service, port in ports.items()}
    shared = {
        **{name: os.environ[name] for name in ("PATH", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")},
        "SERVICE_TOKEN": "secret",
        "AUTH_MODE": "open",
        "HOST": "127.0.0.1",
        "SHUTDOWN_GRACE_S": "6",
        "INVENTORY_URL": urls["inventory"],
        "ORDER_URL": urls["order"],
        "PROCESSING_QUEUE": aws.names["ProcessingQueue"],
        "NOTIFICATION_QUEUE": aws.names["NotificationQueue"],
    }
    async with AsyncExitStack() as stack:
        for service in SERVICES:
            own = {
                "PORT": str(ports[service]),
                "DATABASE_URL": databases[service],
                "LOG_GROUP": aws.names[f"{service.capitalize()}LogGroup"],
                "AWS_ENDPOINT_URL": await stack.enter_async_context(wardens[service].on_duty()),
            }
            await stack.enter_async_context(running(service, shared | own))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        for service in SERVICES:
            await eventually(partial(_found, http, f"{urls[service]}/health/ready"), f"{service} ready")
        await http.post(f"{urls['inventory']}/inventory", json={"productId": "a", "stock": 5})
        await http.post(f"{urls['order']}/orders", json={"orderItems": [{"productId": "a", "quantity": 1}]})
        await eventually(partial(_told, http, f"{urls['notification']}/notifications", "CLOSED"), "the order closed")
        for queue in ("ProcessingQueue", "NotificationQueue"):
            await aws.poison(queue)
            await eventually(partial(aws.is_set_aside, queue), f"poison of {queue} set aside")
        for service in ("processing", "notification"):
            depth = f'orderstream_sqs_messages{{queue="{aws.names[f"{service.capitalize()}DeadLetterQueue"]}"'
            await eventually(partial(_measured, http, f"{urls[service]}/metrics", depth), f"dead letters of {service}")
            for verb in ("redrive", "discard"):
                letters = f"{urls[service]}/dead-letters"
                found = await eventually(partial(_letters, http, letters), f"dead letters to {verb} of {service}")
                async with http.post(f"{letters}/{verb}", json={"ids": found}) as response:
                    assert (await response.json())["done"] == found
        for service in SERVICES:
            await eventually(partial(aws.has_log_of, service), f"log of {service}")

    assert {service: warden.denied for service, warden in wardens.items()} == {service: set() for service in SERVICES}
    for warden in wardens.values():
        assert {action for action, _ in warden.rights - warden.used} <= {SELDOM}


async def _found(http: aiohttp.ClientSession, url: str) -> bool | None:
    try:
        async with http.get(url) as response:
            return response.status == 200 or None
    except aiohttp.ClientError:
        return None


async def _measured(http: aiohttp.ClientSession, url: str, number: str) -> bool | None:
    async with http.get(url) as response:
        return number in await response.text() or None


async def _letters(http: aiohttp.ClientSession, url: str) -> list[str] | None:
    async with http.get(url) as response:
        return [letter["id"] for letter in (await response.json())["letters"]] or None


async def _told(http: aiohttp.ClientSession, url: str, kind: str) -> bool | None:
    async with http.get(url) as response:
        return any(each["kind"] == kind for each in (await response.json())["notifications"]) or None
