"""A service as a process: it reports an invalid environment, serves, and stops in time."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_S

PROGRAM = """
import asyncio, os, time
from aiohttp import web
from service_common.http_server import new_app, run
from service_common.config import ServiceConfig, read_environment, shared_fields

def load(environ):
    with read_environment(environ) as env:
        return ServiceConfig(**shared_fields(env, name="any-service", port=8080))

async def slow(request):
    print("handling", flush=True)
    await asyncio.sleep(float(request.query["s"]))
    return web.Response(text="done")

{more}

def create(config):
    app = new_app("any-service")
    app.add_routes([web.get("/slow", slow)])
    {compose}
    return app

run("any-service", load, create)
"""


class Service:
    """A running process and the lines of its log so far."""

    def __init__(self, process: Process, port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.log: list[dict[str, Any]] = []
        self._other: list[str] = []

    async def until(self, message: str) -> dict[str, Any]:
        """Read on to the line *message* and return it."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while text := await self.process.stdout.readline():
                line = json.loads(text) if text.startswith(b"{") else {"message": text.decode().strip()}
                self.log.append(line)
                if line["message"] == message:
                    return line
        raise AssertionError(f"never said {message!r}: {self.log}")

    async def end(self) -> int:
        """Read the rest of the log and return the exit status."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            rest = await self.process.stdout.read()
            self.log += [json.loads(text) for text in rest.decode().splitlines()]
            return await self.process.wait()

    async def errors(self) -> str:
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()

    def said(self) -> list[str]:
        return [line["message"] for line in self.log]


Start = Callable[..., Any]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    @asynccontextmanager
    async def started(
        *, more: str = "", compose: str = "", environ: Mapping[str, str] | None = None, inside: Sequence[str] = ()
    ) -> AsyncIterator[Service]:
        program = tmp_path / "program.py"
        program.write_text(PROGRAM.format(more=textwrap.dedent(more), compose=compose))
        port = free_port()
        settings = {
            "PATH": os.environ["PATH"],
            "SERVICE_TOKEN": "s3cret",
            "AUTH_MODE": "open",
            "DATABASE_URL": "postgresql://nowhere/none",
            "CLOUDWATCH": "false",
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "SHUTDOWN_GRACE_S": "4",
        }
        process = await asyncio.create_subprocess_exec(
            *inside, sys.executable, str(program), env=settings | dict(environ or {}), stdout=PIPE, stderr=PIPE
        )
        try:
            yield Service(process, port)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    return started


@pytest.fixture
def silent_name_server(tmp_path: Path) -> Sequence[str]:
    """Return a command that runs another in a network in which names are asked for at 127.0.0.1."""
    configuration = tmp_path / "resolv.conf"
    configuration.write_text("nameserver 127.0.0.1\noptions timeout:30 attempts:1\n")
    namespaces = ("unshare", "--user", "--map-root-user", "--mount", "--net", "--fork", "--kill-child")
    script = 'ip link set lo up; mount --bind "$0" /etc/resolv.conf; exec "$@"'
    command = (*namespaces, "sh", "-ec", script, str(configuration))
    if subprocess.run([*command, "true"], check=False, capture_output=True).returncode:
        pytest.skip("the kernel refuses new namespaces")
    return command


async def test_invalid_environment_is_reported_in_one_message(start: Start) -> None:
    async with start(environ={"SERVICE_TOKEN": "", "PORT": "http"}) as service:
        assert await service.end() == 2
        errors = await service.errors()

    assert errors.splitlines() == [
        "any-service: wrong environment:",
        "  PORT: Not a valid integer.",
        "  SERVICE_TOKEN: Environment variable not set.",
    ]
    assert service.log == []


async def test_port_in_use_is_reported_before_anything_starts(start: Start) -> None:
    compose = 'app.on_startup.append(lambda app: print("started"))'
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with start(environ={"PORT": str(port)}, compose=compose) as service:
            assert await service.end() == 1
            assert await service.errors() == ""

    assert service.said() == [
        "service starting",
        f"any-service cannot listen: port {port} of 127.0.0.1 is in use by another process",
    ]


async def test_configuration_is_logged_at_start_without_its_secrets(start: Start) -> None:
    async with start() as service:
        line = await service.until("service starting")

    assert line["config"]["service_token"] == "***"
    assert line["config"]["shutdown_grace_s"] == 4.0
    assert "s3cret" not in str(service.log)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signal_stops_the_process_in_order(start: Start, number: signal.Signals) -> None:
    async with start() as service:
        await service.until("service listening")
        service.process.send_signal(number)

        assert await service.end() == 0
        assert await service.errors() == ""
    assert service.said()[-2:] == ["service stopping", "service stopped"]


async def test_request_in_flight_is_answered_and_new_ones_are_refused(start: Start) -> None:
    async with start() as service, aiohttp.ClientSession(service.url) as session:
        await service.until("service listening")
        answer = asyncio.create_task(session.get("/slow?s=0.5"))
        await service.until("handling")
        service.process.terminate()
        await service.until("service stopping")

        with pytest.raises(aiohttp.ClientConnectorError):
            async with aiohttp.ClientSession() as another:
                await another.get(f"{service.url}/health/live")
        async with await answer as response:
            assert await response.text() == "done"
        assert await service.end() == 0


async def test_long_request_does_not_delay_the_stop(start: Start) -> None:
    async with start() as service, aiohttp.ClientSession(service.url) as session:
        await service.until("service listening")
        answer = asyncio.create_task(session.get("/slow?s=60"))
        await service.until("handling")
        service.process.terminate()

        assert await service.end() == 0
        with pytest.raises(aiohttp.ClientError):
            await answer


async def test_look_up_that_is_not_answered_does_not_delay_the_stop(
    start: Start, silent_name_server: Sequence[str]
) -> None:
    more = """
    import socket

    async def resource(app):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as name_server:
            name_server.setblocking(False)
            name_server.bind(("127.0.0.1", 53))
            loop = asyncio.get_running_loop()
            asking = loop.create_task(loop.getaddrinfo("queue", 4566))
            await loop.sock_recv(name_server, 512)
            print("asked", flush=True)
            yield
            asking.cancel()
    """
    compose = "app.cleanup_ctx.append(resource)"
    async with start(more=more, compose=compose, inside=silent_name_server) as service:
        await service.until("asked")
        await service.until("service listening")
        [program] = psutil.Process(service.process.pid).children()
        program.terminate()

        assert await service.end() == 0
    assert service.said()[-2:] == ["service stopping", "service stopped"]


@pytest.mark.parametrize("hold", ["await asyncio.sleep(60)", "time.sleep(60)"], ids=["waiting", "blocking"])
async def test_process_exits_at_the_end_of_the_grace_period_when_the_stop_hangs(start: Start, hold: str) -> None:
    more = f"""
    async def resource(app):
        yield
        {hold}
    """
    compose = "app.cleanup_ctx.append(resource)"
    async with start(more=more, compose=compose, environ={"SHUTDOWN_GRACE_S": "0.5"}) as service:
        await service.until("service listening")
        service.process.terminate()
        await service.until("service stopping")

        async with asyncio.timeout(5):
            assert await service.end() == 1
    [line] = [line for line in service.log if line["level"] == "CRITICAL"]
    assert line["message"] == "shutdown timed out"


@pytest.mark.parametrize(
    ("block", "status", "limit_s"),
    [
        pytest.param("time.sleep(600)", 1, 1, id="waiting"),
        pytest.param("while True: pass", 1, 1, id="computing"),
        pytest.param("re.match('(a|aa)+$', 'a' * 60 + 'b')", -signal.SIGVTALRM, 0.5, id="with the interpreter's lock"),
    ],
)
async def test_process_with_a_blocked_event_loop_ends(start: Start, block: str, status: int, limit_s: float) -> None:
    more = f"""
    import re
    from service_common.http_server import watchdog
    watchdog.BLOCKED_LIMIT_S = {limit_s}

    async def resource(app):
        asyncio.get_running_loop().call_later(0.5, blocking)
        yield

    def blocking():
        {block}
    """
    async with start(more=more, compose="app.cleanup_ctx.append(resource)") as service:
        await service.until("service listening")
        async with asyncio.timeout(PATIENCE_S):
            assert await service.end() == status
        stacks = await service.errors() if status < 0 else service.log[-1]["stacks"]["MainThread"]
    assert "in blocking" in stacks
    assert status < 0 or (service.log[-1]["level"], service.log[-1]["message"]) == ("CRITICAL", "event loop blocked")


async def test_suspended_process_continues(start: Start) -> None:
    more = """
    from service_common.http_server import watchdog
    watchdog.BLOCKED_LIMIT_S = 1
    """
    async with start(more=more) as service, aiohttp.ClientSession(service.url) as session:
        await service.until("service listening")
        for suspended_s in (3, 0.1, 0.1):
            service.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(suspended_s)
            service.process.send_signal(signal.SIGCONT)
            await asyncio.sleep(0.3)
        async with session.get("/slow?s=0") as answer:
            assert await answer.text() == "done"
        await service.until("handling")
        service.process.terminate()
        assert await service.end() == 0


async def test_process_whose_task_keeps_dying_stops_in_order_and_fails(start: Start) -> None:
    more = """
    from service_common.backoff import Backoff
    from service_common.http_server import READINESS
    from service_common.lifecycle import background, background_tasks
    background_tasks.BACKOFF = Backoff(base_s=0.01, cap_s=0.01)

    async def dies():
        raise LookupError("relation does not exist")

    async def resource(app):
        async with background(app[READINESS], "relay", dies):
            yield
        print("closed", flush=True)
    """
    async with start(more=more, compose="app.cleanup_ctx.append(resource)") as service:
        await service.until("closed")
        assert await service.end() == 1
    died = [line for line in service.log if line["message"] == "background task died"]
    assert [(line["task"], line["deaths"]) for line in died] == [("relay", number) for number in range(1, 8)]
    assert "relation does not exist" in died[0]["exc_info"]
    assert service.said()[-1] == "service stopped"


async def test_signal_during_start_ends_the_start(start: Start) -> None:
    more = """
    async def resource(app):
        print("waiting", flush=True)
        try:
            await asyncio.sleep(60)
        finally:
            print("given up", flush=True)
        yield
    """
    async with start(more=more, compose="app.cleanup_ctx.append(resource)") as service:
        await service.until("waiting")
        service.process.terminate()
        await service.until("given up")

        assert await service.end() == 0
    assert service.said()[-1] == "service stopped"


async def test_failed_start_is_logged_with_its_reason_and_cleaned_up(start: Start) -> None:
    more = """
    async def first(app):
        yield
        print("first closed", flush=True)

    async def second(app):
        raise RuntimeError("no such schema")
        yield
    """
    async with start(more=more, compose="app.cleanup_ctx.extend([first, second])") as service:
        await service.until("first closed")
        assert await service.end() == 1
    line = service.log[-1]
    assert (line["level"], line["message"]) == ("CRITICAL", "any-service failed")
    assert "no such schema" in line["exc_info"]
