"""What the notification service stands on: PostgreSQL as the demo runs it, and an SQS that wakes a long poll at once.

The demo's emulator looks every 100 ms, so that messages would arrive joined; moto's server wakes within 10 ms.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import aiohttp
from aiobotocore.session import get_session

from orderstream_local.compose import read_compose
from orderstream_local.environment import inherited_environment
from orderstream_local.instance import socket_folder
from orderstream_local.layout import COMPOSE, DataFolder
from orderstream_local.ports import LOOPBACK, Ports
from orderstream_local.postgres import Postgres
from orderstream_local.process import ProcessSpec
from orderstream_local.supervisor import Supervisor
from tests.support.waiting import eventually

__all__ = ["QUEUE", "Backends", "backends", "free_port"]

QUEUE = "notification-queue"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}


@dataclass(frozen=True, slots=True)
class Backends:
    """Both while they run.

    Attributes:
        database_url: of the notification service's database, which keeps the times of commits.
        endpoint: the URL of SQS.
        environment: what every process gets.
        data: pid files and logs.
        supervisor: starts processes beside them; they end with them.
    """

    database_url: str
    endpoint: str
    environment: dict[str, str]
    data: DataFolder
    supervisor: Supervisor


# its server speaks HTTP/1.0 unless told otherwise: SQS does not make its clients connect for each request
_KEEPING_CONNECTIONS = """
from werkzeug.serving import WSGIRequestHandler
WSGIRequestHandler.protocol_version = "HTTP/1.1"
from moto.server import main
main()
"""


def _tell(what: str) -> None:
    sys.stderr.write(f"{what}\n")


@asynccontextmanager
async def backends() -> AsyncIterator[Backends]:
    """Start both for the block, with nothing in them but the queue and its dead-letter queue."""
    os.environ.update(CREDENTIALS)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        data = DataFolder(Path(folder))
        data.run.mkdir()
        data.logs.mkdir()
        environment = {**inherited_environment(os.environ), **CREDENTIALS}
        supervisor = Supervisor(data, _tell)
        with socket_folder(data) as sockets:
            try:
                database_url, endpoint = await asyncio.gather(
                    _postgres(data, sockets, supervisor, environment), _sqs(supervisor, environment)
                )
                yield Backends(database_url, endpoint, environment, data, supervisor)
            finally:
                await supervisor.stop()


def free_port() -> int:
    """Return a port that nobody has right now."""
    return Ports.free().assign({"it": 0}, {})["it"][0]


async def _postgres(data: DataFolder, sockets: Path, supervisor: Supervisor, environment: dict[str, str]) -> str:
    container = read_compose(COMPOSE / "compose.yaml", {"SERVICE_TOKEN": "of nobody"})["postgres"]
    settings = (*container.command, "-c", "track_commit_timestamp=on")
    postgres = Postgres(
        container=replace(container, command=settings),
        folder=data.volume("postgres"),
        sockets=sockets,
        databases=COMPOSE / "databases.sql",
        environment=environment,
        report=_tell,
    )
    await postgres.initialise()
    await supervisor.start([postgres.spec(level=0)])
    await postgres.create_databases()
    return f"postgresql://notifications@{quote(str(sockets), safe='')}/notifications"


async def _sqs(supervisor: Supervisor, environment: dict[str, str]) -> str:
    port = free_port()
    endpoint = f"http://{LOOPBACK}:{port}"
    command = (sys.executable, "-c", _KEEPING_CONNECTIONS, "-H", LOOPBACK, "-p", str(port))
    await supervisor.start([ProcessSpec("sqs", command, environment)])

    async def answers() -> bool | None:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{endpoint}/moto-api/data.json") as response:
                return response.status == 200 or None
        except aiohttp.ClientError:
            return None

    await eventually(answers, "an answer of moto's server")
    await _create_queues(endpoint)
    return endpoint


async def _create_queues(endpoint: str) -> None:
    async with get_session().create_client("sqs", region_name="us-east-1", endpoint_url=endpoint) as sqs:
        dead = (await sqs.create_queue(QueueName=f"{QUEUE}-dlq"))["QueueUrl"]
        attributes = await sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
        policy = json.dumps({"deadLetterTargetArn": attributes["Attributes"]["QueueArn"], "maxReceiveCount": "5"})
        await sqs.create_queue(QueueName=QUEUE, Attributes={"RedrivePolicy": policy})
