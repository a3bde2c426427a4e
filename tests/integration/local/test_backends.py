"""PostgreSQL and the emulator as the embedded system runs them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING

import aiohttp
import boto3
import psycopg2
import pytest
import pytest_asyncio
from botocore.exceptions import BotoCoreError, ClientError

from orderstream_local.cloudwatch import read_logs
from orderstream_local.compose import read_compose
from orderstream_local.layout import COMPOSE, SERVICES
from orderstream_local.ports import Ports
from orderstream_local.postgres import program
from orderstream_local.process import CommandFailedError, run_command
from orderstream_local.stack import Stack, StackOptions
from service_common.config import AwsConfig
from service_common.sqs import Outgoing, Sqs
from tests.support.folders import reachable_folder
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from types_boto3_logs.type_defs import InputLogEventTypeDef

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Backends(Stack):
    """The stack without its services."""

    async def _start_services(self, _: object) -> None:
        """Start none."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack() -> AsyncIterator[Stack]:
    with reachable_folder("stack-") as folder:
        # a path longer than the limit of a socket's
        data = folder / ("long" * 20) / ("path" * 20)
        async with Backends(StackOptions(data=data, ports=Ports.free())) as stack:
            yield stack


def query(url: str, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()
    finally:
        connection.close()


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await check():  # noqa: ASYNC110 - another process can't set an event here
            await asyncio.sleep(0.1)


def queues(stack: Stack) -> set[str]:
    client = boto3.client("sqs", endpoint_url=stack.aws_endpoint, region_name="us-east-1")
    return {url.rsplit("/", 1)[1] for url in client.list_queues().get("QueueUrls", [])}


QUEUES = {
    value
    for container in read_compose(COMPOSE / "compose.yaml", {"SERVICE_TOKEN": "secret"}).values()
    for name, value in container.environment.items()
    if name.endswith("_QUEUE")
}
ALL_QUEUES = QUEUES | {f"{name}-dlq" for name in QUEUES}


async def test_each_service_has_its_own_database(stack: Stack) -> None:
    for service in SERVICES:
        url = stack.environment(service)["DATABASE_URL"]
        [(database, owner)] = query(url, "SELECT current_database(), current_user")
        assert database == owner
        assert query(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(False,)]


async def test_missing_database_password_is_named(stack: Stack) -> None:
    command = (str(program("psql")), "-X", stack.database_url("postgres"), "-f", str(COMPOSE / "databases.sql"))
    for environment in ({}, {"DATABASE_PASSWORD": ""}):
        with pytest.raises(CommandFailedError, match="DATABASE_PASSWORD is not set"):
            await run_command(command, environment=environment)


async def test_service_may_not_connect_to_database_of_another(stack: Stack) -> None:
    url = stack.environment("order")["DATABASE_URL"].removesuffix("/orders") + "/inventory"
    with pytest.raises(psycopg2.OperationalError, match="permission denied"):
        query(url, "SELECT 1")


async def test_commits_are_durable(stack: Stack) -> None:
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert query(stack.database_url("postgres"), f"SHOW {setting}") == [("on",)]


async def test_postgres_listens_on_its_socket_only(stack: Stack) -> None:
    assert query(stack.database_url("postgres"), "SHOW listen_addresses") == [("",)]
    assert stack.sockets.stat().st_mode & 0o077 == 0


async def test_killed_postgres_restarts_with_its_data(stack: Stack) -> None:
    url = stack.database_url("orders")
    query(url, "CREATE TABLE kept AS SELECT 1 AS n; SELECT n FROM kept")
    process = stack.processes["postgres"]
    process.kill()

    async def restarted() -> bool:
        try:
            return process.restarts == 1 and query(url, "SELECT n FROM kept") == [(1,)]
        except psycopg2.OperationalError:
            return False

    await eventually(restarted)


async def test_emulator_has_resources_of_template(stack: Stack) -> None:
    assert queues(stack) == ALL_QUEUES
    client = boto3.client("sqs", endpoint_url=stack.aws_endpoint, region_name="us-east-1")
    url = client.get_queue_url(QueueName="processing-queue")["QueueUrl"]
    attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (attributes["VisibilityTimeout"], attributes["ReceiveMessageWaitTimeSeconds"]) == ("30", "20")
    assert "processing-queue-dlq" in attributes["RedrivePolicy"]
    logs = boto3.client("logs", endpoint_url=stack.aws_endpoint, region_name="us-east-1")
    groups = {group["logGroupName"]: group["retentionInDays"] for group in logs.describe_log_groups()["logGroups"]}
    assert groups == {f"{name}-service-logs": 30 for name in SERVICES}


async def test_waiting_receive_is_answered_when_a_message_is_sent(stack: Stack) -> None:
    waiting_s, at_once_s = [], []
    async with Sqs.open(AwsConfig("us-east-1", stack.aws_endpoint)) as sqs:
        queue = await sqs.queue("processing-queue")
        for number in range(9):
            message = Outgoing("key", str(number))
            began_s = monotonic()
            [received], _ = await asyncio.gather(sqs.receive(queue, 10, 20), sqs.send(queue.name, queue.url, [message]))
            waiting_s.append(monotonic() - began_s)
            await sqs.delete(queue, [received.handle])
            began_s = monotonic()
            await sqs.send(queue.name, queue.url, [message])
            [received] = await sqs.receive(queue, 10, 20)
            at_once_s.append(monotonic() - began_s)
            await sqs.delete(queue, [received.handle])
    assert median(waiting_s) < median(at_once_s) + 0.05  # the emulator itself looks every 0.1 s


async def test_logs_are_read_independent_of_profile_and_proxy(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = boto3.client("logs", endpoint_url=stack.aws_endpoint, region_name="us-east-1")
    now = datetime.now(UTC)
    group, stream = "order-service-logs", "written by a test"
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    line = json.dumps({"time": now.isoformat(), "message": "written"})
    event: InputLogEventTypeDef = {"timestamp": int(now.timestamp() * 1000), "message": line}
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])
    monkeypatch.setenv("AWS_PROFILE", "absent")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy")
    monkeypatch.delenv("NO_PROXY")
    async with aiohttp.ClientSession() as session:
        records = await read_logs(session, stack.aws_endpoint, now)
    assert [(each.service, each.at, each.facts["message"]) for each in records] == [("order-service", now, "written")]


async def test_killed_emulator_restarts_with_its_resources(stack: Stack) -> None:
    process = stack.processes["emulator"]
    process.kill()

    async def restarted() -> bool:
        try:
            return process.restarts == 1 and await asyncio.to_thread(queues, stack) == ALL_QUEUES
        except (BotoCoreError, ClientError):
            return False

    await eventually(restarted)


async def test_messages_survive_graceful_restart_of_emulator(data_folder: Path) -> None:
    options = StackOptions(data=data_folder, ports=Ports.free())
    async with Backends(options) as stack:
        client = boto3.client("sqs", endpoint_url=stack.aws_endpoint, region_name="us-east-1")
        url = client.get_queue_url(QueueName="processing-queue")["QueueUrl"]
        client.send_message(QueueUrl=url, MessageBody="kept")
    async with Backends(options) as stack:
        client = boto3.client("sqs", endpoint_url=stack.aws_endpoint, region_name="us-east-1")
        url = client.get_queue_url(QueueName="processing-queue")["QueueUrl"]
        [message] = client.receive_message(QueueUrl=url, WaitTimeSeconds=2)["Messages"]
        assert message["Body"] == "kept"
    assert list((data_folder / "run").iterdir()) == []
