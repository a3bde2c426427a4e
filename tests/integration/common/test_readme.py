"""The example of the toolkit's README runs unchanged with only the wheel installed."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import boto3
import psycopg2
import pytest
from uv import find_uv_bin

from tests.support.ports import free_port

ROOT = Path(__file__).parents[3]
README = ROOT / "packages" / "common" / "README.md"
LIMIT_S = 40.0
LINES = 60
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(scope="module")
def example() -> str:
    [text] = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    return str(text)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment into which the wheel was installed, with the extras of the example."""
    folder = tmp_path_factory.mktemp("installed")

    def uv(*arguments: str | Path) -> None:
        subprocess.run([find_uv_bin(), "--quiet", *arguments], cwd=ROOT, check=True)

    uv("build", "--wheel", "--package", "orderstream-common", "--out-dir", folder / "dist")
    locked = ("--frozen", "--no-hashes", "--no-emit-workspace", "--all-extras", "--package", "orderstream-common")
    uv("export", *locked, "--output-file", folder / "locked.txt")
    uv("venv", "--python", sys.executable, folder / "env")
    [wheel] = (folder / "dist").glob("*.whl")
    installed = folder / "env" / "bin" / "python"
    uv("pip", "install", "--python", installed, "-c", folder / "locked.txt", f"{wheel}[http,postgres,sqs]")
    return installed


@pytest.fixture
def environ(database_url: str, aws_endpoint: str) -> dict[str, str]:
    """Database and queue of the example."""
    boto3.client("sqs", endpoint_url=aws_endpoint, region_name="us-east-1").create_queue(QueueName="billing-queue")
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE invoice (id text PRIMARY KEY, paid_at timestamptz)")
        cursor.execute("INSERT INTO invoice VALUES ('7')")
    connection.close()
    return {
        "AWS_ENDPOINT_URL": aws_endpoint,
        "CLOUDWATCH": "false",
        "DATABASE_URL": database_url,
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
        "SERVICE_TOKEN": "secret",
        "AUTH_MODE": "open",
    }


def test_example_is_short(example: str) -> None:
    assert len(example.splitlines()) <= LINES


async def test_event_of_the_example_is_handled(
    example: str, python: Path, tmp_path: Path, environ: dict[str, str]
) -> None:
    script = tmp_path / "billing.py"
    script.write_text(example, encoding="utf-8")
    payment = f"http://127.0.0.1:{environ['PORT']}/invoices/7/payment"
    headers = {"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01"}
    async with (
        asyncio.timeout(LIMIT_S),
        running(python, script, environ) as process,
        aiohttp.ClientSession() as client,
    ):
        await line(process, "service listening")
        async with client.post(payment, json={"cents": 1250}, headers=headers) as answer:
            assert answer.status == 202
        handled = await line(process, "invoice-paid")
    assert (handled["invoice"], handled["cents"]) == ("7", 1250)
    assert handled["traceId"] == TRACE_ID
    assert process.returncode == 0


@asynccontextmanager
async def running(python: Path, script: Path, environ: dict[str, str]) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(python, script, env=os.environ | environ, stdout=PIPE)
    try:
        yield process
    finally:
        process.terminate()
        await process.communicate()


async def line(process: Process, message: str) -> dict[str, Any]:
    """Read the log up to the line with *message*."""
    assert process.stdout is not None
    async for text in process.stdout:
        record: dict[str, Any] = json.loads(text)
        if record["message"] == message:
            return record
    raise AssertionError(f"the log ended without {message!r}")
