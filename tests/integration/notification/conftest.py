"""The notification service in any number of replicas, on one PostgreSQL and one queue."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TypeAlias

import boto3
import pytest
import uvloop
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from notification_service.app import Resource, create_app, pushing
from notification_service.config import Config
from notification_service.feed import SqlFeed
from notification_service.push import PushLimits
from service_common.config import AuthConfig, AwsConfig, RateLimit
from service_common.postgres import Database, migrate

Replica: TypeAlias = Callable[..., Awaitable[TestServer]]


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run on uvloop, as the service does: these tests depend on how it writes and pauses."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def queue(aws_endpoint: str) -> Iterator[str]:
    """The name of a queue for one test; its dead-letter queue is ``<name>-dlq``."""
    name = f"notification-{uuid.uuid4().hex}"
    client = boto3.client("sqs", endpoint_url=aws_endpoint, region_name="us-east-1")
    dead = client.create_queue(QueueName=f"{name}-dlq")["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = f'{{"deadLetterTargetArn":"{arn}","maxReceiveCount":"5"}}'
    url = client.create_queue(QueueName=name, Attributes={"RedrivePolicy": policy})["QueueUrl"]
    yield name
    client.delete_queue(QueueUrl=url)
    client.delete_queue(QueueUrl=dead)
    client.close()


@pytest.fixture
def config(database_url: str, aws_endpoint: str, queue: str) -> Config:
    """A configuration with short time limits."""
    return Config(
        host="127.0.0.1",
        port=0,
        database_url=database_url,
        pool_size=4,
        service_token="token",
        auth=AuthConfig(issuer=None),
        aws=AwsConfig("us-east-1", aws_endpoint),
        log_level="INFO",
        cloudwatch=False,
        log_group="notification-service-logs",
        shutdown_grace_s=2.0,
        allowed_origins=("http://shop.example",),
        notification_queue=queue,
        feed_poll_s=0.3,
        push=PushLimits(heartbeat_s=0.5, pause_limit_s=1.0, close_timeout_s=1.0),
        address_limit=RateLimit(0, 0),  # some tests ask again until the answer is the expected one
    )


@pytest.fixture
async def replica(config: Config) -> AsyncIterator[Replica]:
    """Starts a replica; without a queue by default."""
    async with AsyncExitStack() as stack:

        async def start(changed: Config = config, resources: Sequence[Resource] = (pushing,)) -> TestServer:
            server = TestServer(create_app(changed, resources))
            await server.start_server(shutdown_timeout=1.0)
            stack.push_async_callback(server.close)
            return server

        yield start


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    """An HTTP client."""
    async with ClientSession() as session:
        yield session


@pytest.fixture
async def feed(database_url: str) -> AsyncIterator[SqlFeed]:
    """The feed, on a connection of its own; its appends send no NOTIFY."""
    await migrate(database_url, "notification_service.migrations")
    async with Database.open(database_url, size=8) as database:
        yield SqlFeed(database)
