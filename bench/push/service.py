"""The notification service as a process, as the demo runs it."""

from __future__ import annotations

import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from orderstream_local.ports import LOOPBACK
from orderstream_local.process import ProcessSpec, ServiceProcess
from tests.support.ports import free_port
from tests.support.waiting import eventually

from .backends import QUEUE, Backends

__all__ = ["Service", "notification_service"]

# all clients come from one address
ROOM = "20000"
_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Service:
    """The service while it runs."""

    port: int
    pid: int
    log: Path
    process: ServiceProcess

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def died(self) -> bool:
        """Whether it had to be started again."""
        return self.process.restarts > 0 or self.process.pid != self.pid

    async def metrics(self, prefix: str = "orderstream_push_") -> dict[str, float]:
        """Return what it counts, by name with the values of the labels: ``aborts_total stalled``."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/metrics") as response:
            text = await response.text()
        return {
            " ".join((sample.name.removeprefix(prefix), *sample.labels.values())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name.startswith(prefix) and not sample.name.endswith("_created")
        }


@asynccontextmanager
async def notification_service(backends: Backends, environ: Mapping[str, str] | None = None) -> AsyncIterator[Service]:
    """Run it for the block, with these settings beside the usual ones; it is ready when the block is entered."""
    port, name = free_port(), f"notification-service-{next(_NUMBERS)}"
    environment = {
        **backends.environment,
        "SERVICE_TOKEN": secrets.token_hex(16),
        "AUTH_MODE": "open",
        "REQUEST_LIMIT_ADDRESS_RATE": "0",
        "REQUEST_LIMIT_PRINCIPAL_RATE": "0",
        "HOST": LOOPBACK,
        "PORT": str(port),
        "DATABASE_URL": backends.database_url,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": backends.endpoint,
        "NOTIFICATION_QUEUE": QUEUE,
        "CLOUDWATCH": "false",
        "PUSH_CONNECTIONS": ROOM,
        "PUSH_CONNECTIONS_PER_ADDRESS": ROOM,
        **(environ or {}),
    }
    command = (sys.executable, "-m", "notification_service")
    await backends.supervisor.start([ProcessSpec(name, command, environment, level=1)])
    process = backends.supervisor.processes[name]
    assert process.pid is not None
    service = Service(port, process.pid, process.log, process)
    try:
        await eventually(lambda: _ready(service), "readiness")
        yield service
    finally:
        await process.stop(within_s=10)
        del backends.supervisor.processes[name]


async def _ready(service: Service) -> bool | None:
    if service.died:
        raise RuntimeError(f"the service ended: {service.log.read_text()[-1000:]}")
    try:
        async with aiohttp.ClientSession() as session, session.get(f"{service.url}/health/ready") as response:
            return response.status == 200 or None
    except aiohttp.ClientError:
        return None
