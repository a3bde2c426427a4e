"""What the notification service stands on: PostgreSQL as the demo runs it, and a queue that answers at once.

The demo's emulator looks every 100 ms, so that messages would arrive joined.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from orderstream_local.compose import read_compose
from orderstream_local.environment import inherited_environment
from orderstream_local.instance import socket_folder
from orderstream_local.layout import COMPOSE, DataFolder
from orderstream_local.postgres import Postgres
from orderstream_local.supervisor import Supervisor
from tests.support.ports import free_port

from ..sqs_stub import sqs_stub

__all__ = ["QUEUE", "Backends", "backends"]

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


def _tell(what: str) -> None:
    sys.stderr.write(f"{what}\n")


@asynccontextmanager
async def backends() -> AsyncIterator[Backends]:
    """Start both for the block, with nothing in them."""
    os.environ.update(CREDENTIALS)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        data = DataFolder(Path(folder))
        data.run.mkdir()
        data.logs.mkdir()
        environment = {**inherited_environment(os.environ), **CREDENTIALS}
        supervisor = Supervisor(data, _tell)
        with socket_folder(data) as sockets:
            try:
                database_url = await _postgres(data, sockets, supervisor, environment)
                async with sqs_stub(free_port()) as endpoint:
                    yield Backends(database_url, endpoint, environment, data, supervisor)
            finally:
                await supervisor.stop()


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
