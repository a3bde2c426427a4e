"""What faults strike, and what they note."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import psycopg2

from tests.chaos.deliveries import Deliveries
from tests.chaos.network import CALLS, Network
from tests.support.system import System
from tests.support.waiting import eventually

__all__ = [
    "PROCESSES",
    "QUEUES",
    "RECOVERED_WITHIN_S",
    "REPLICAS",
    "Poison",
    "Stage",
    "Stop",
    "place_of",
    "replica_name",
]

REPLICAS = 2
QUEUES = ("processing-queue", "notification-queue")
RECOVERED_WITHIN_S = 60.0


def replica_name(service: str, replica: int) -> str:
    """Return the process of a replica, counted from 0."""
    return f"{service}-service" if replica == 0 else f"{service}-service-{replica + 1}"


def place_of(process: str) -> tuple[str, int]:
    """Return the service and the replica of a process."""
    service, _, replica = process.partition("-service")
    return service, int(replica[1:] or 1) - 1


PROCESSES = tuple(replica_name(service, replica) for service in CALLS for replica in range(REPLICAS))


@dataclass(frozen=True, slots=True)
class Stop:
    """A process that was asked to end: how long it took, in seconds, and how many messages it still held then."""

    process: str
    took_s: float
    held: int
    at: float


@dataclass(frozen=True, slots=True)
class Poison:
    """A message that nobody can understand, and when it was sent."""

    queue: str
    body: str
    at: float


@dataclass(slots=True)
class Stage:
    """What faults strike, and what they note.

    Attributes:
        locked: the product whose row is locked.
        clocks: process to the file with the offset of its clock; empty without libfaketime.
        queues_lost_at: when the emulator was last killed, in seconds since the epoch.
    """

    system: System
    network: Network
    deliveries: Deliveries
    locked: str = ""
    clocks: Mapping[str, Path] = field(default_factory=dict)
    queues_lost_at: float = 0.0
    stops: list[Stop] = field(default_factory=list)
    poison: list[Poison] = field(default_factory=list)

    async def ready(self, name: str) -> None:
        """Wait until a process of a service is ready."""
        await self.system.ready(*place_of(name), RECOVERED_WITHIN_S)

    def superuser(self, database: str) -> psycopg2.extensions.connection:
        """Connect as PostgreSQL's superuser, who may write even while nobody else may."""
        url, options = self.system.stack.database_url(database), "-c default_transaction_read_only=off"
        return psycopg2.connect(url, connect_timeout=5, options=options)

    async def sql(self, statement: str) -> None:
        """Have PostgreSQL's superuser execute a statement; repeated until the server accepts it."""

        def execute() -> bool | None:
            try:
                with closing(self.superuser("postgres")) as connection:
                    connection.autocommit = True
                    connection.cursor().execute(statement)
            except psycopg2.OperationalError:  # it is starting again
                return None
            return True

        await eventually(lambda: asyncio.to_thread(execute), f"PostgreSQL: {statement}", RECOVERED_WITHIN_S)

    async def sqs(self, operation: str, queue: str, **members: Any) -> dict[str, Any]:
        """Ask SQS directly; an answer that is no success is empty."""
        url = f"{self.system.stack.aws_endpoint}/000000000000/{queue}"
        name = {"QueueName": queue} if operation == "GetQueueUrl" else {"QueueUrl": url}
        return await self.aws(f"AmazonSQS.{operation}", name | members)

    async def aws(self, operation: str, members: dict[str, Any]) -> dict[str, Any]:
        """Ask the emulator directly; an answer that is no success is empty."""
        headers = {"X-Amz-Target": operation, "Content-Type": "application/x-amz-json-1.1"}
        timeout = aiohttp.ClientTimeout(total=10)
        async with self.system.session.post(
            self.system.stack.aws_endpoint, data=orjson.dumps(members), headers=headers, timeout=timeout
        ) as response:
            body: dict[str, Any] = orjson.loads(await response.read() or b"{}")
            return body if response.status == 200 else {}
