"""The order service as a process whose background task dies, because the table that it works on is missing."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import Any

import aiohttp
import orjson
import psycopg2
import pytest

from order_service.config import Config
from tests.support.ports import free_port
from tests.support.waiting import eventually

WORKING_AGAIN_S = 5.0
BUSY_S = 2.0  # what a busy machine may add
GIVEN_UP_S = 40.0
EVENT = "INSERT INTO outbox_event (destination, type, subject) VALUES (%s, 'order-created', 1)"
UNSENT = "SELECT count(*) FROM outbox_event WHERE sent_at IS NULL"


class Service:
    """The running process, its log and its database."""

    def __init__(self, process: Process, url: str, log: Path, database: psycopg2.extensions.cursor) -> None:
        self.process = process
        self.url = url
        self._log = log
        self._database = database

    def sql(self, statement: str, *parameters: object) -> Any:
        self._database.execute(statement, parameters)
        return self._database.fetchone() if self._database.description else None

    def logged(self, message: str) -> list[dict[str, Any]]:
        lines = [orjson.loads(line) for line in self._log.read_bytes().splitlines() if line.endswith(b"}")]
        return [line for line in lines if line["message"] == message]

    async def check(self, name: str) -> str | None:
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/health/ready") as answer:
            checks: dict[str, str] = (await answer.json())["checks"]
            return checks.get(name)

    async def until_check(self, name: str, outcome: str) -> None:
        async def look() -> bool | None:
            try:
                return await self.check(name) == outcome or None
            except aiohttp.ClientError:
                return None

        await eventually(look, f"{name} {outcome}")


@pytest.fixture
async def service(config: Config, tmp_path: Path) -> AsyncIterator[Service]:
    environ = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "PATH", "PYTHON"))} | {
        "AUTH_MODE": "open",
        "AWS_ENDPOINT_URL": config.aws.endpoint_url or "",
        "CLOUDWATCH": "false",
        "DATABASE_URL": config.database_url,
        "HOST": "127.0.0.1",
        "INVENTORY_URL": "http://127.0.0.1:1",
        "NOTIFICATION_QUEUE": config.notification_queue,
        "PORT": str(free_port()),
        "PROCESSING_QUEUE": config.processing_queue,
        "SERVICE_TOKEN": "token-of-the-services",
    }
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "order_service", env=environ, stdout=output, stderr=DEVNULL
        )
    connection = psycopg2.connect(config.database_url)
    connection.autocommit = True
    try:
        service = Service(process, f"http://127.0.0.1:{environ['PORT']}", log, connection.cursor())
        await service.until_check("relay", "ok")
        yield service
    finally:
        connection.close()
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_relay_that_died_works_again_within_five_seconds(service: Service, config: Config) -> None:
    service.sql("ALTER TABLE outbox_event RENAME TO gone")
    await service.until_check("relay", "restarting")
    service.sql("ALTER TABLE gone RENAME TO outbox_event")
    began_s = monotonic()
    service.sql(EVENT, config.notification_queue)

    async def sent() -> bool | None:
        return service.sql(UNSENT) == (0,) or None

    await eventually(sent, "the event in the queue", WORKING_AGAIN_S + BUSY_S)
    await service.until_check("relay", "ok")
    assert monotonic() - began_s < WORKING_AGAIN_S + BUSY_S
    assert "UndefinedTable" in service.logged("background task died")[0]["exc_info"]
    service.process.terminate()
    assert await service.process.wait() == 0


async def test_relay_that_keeps_dying_ends_the_process(service: Service) -> None:
    service.sql("ALTER TABLE outbox_event RENAME TO gone")
    async with asyncio.timeout(GIVEN_UP_S):
        assert await service.process.wait() == 1
    assert [line["deaths"] for line in service.logged("background task died")] == [1, 2, 3, 4, 5, 6, 7]
    assert service.logged("service stopped")
