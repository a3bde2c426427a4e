"""The services run with the command and the environment of their containers in compose.yaml."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from time import monotonic

import aiohttp
import psutil
import pytest
import pytest_asyncio
import yaml

from orderstream_local.layout import COMPOSE, SERVICES
from orderstream_local.ports import LOOPBACK
from orderstream_local.sign_in import CUSTOMER
from orderstream_local.stack import Stack
from orderstream_local.watcher import watching
from tests.support.system import running
from tests.support.waiting import PATIENCE_S

TOKEN = "token-of-the-test"
DOCUMENT = yaml.safe_load((COMPOSE / "compose.yaml").read_text(encoding="utf-8"))
WITHIN_S = 20.0
OF_THE_LOOPBACK = {"AUTH_MODE": "open", "REQUEST_LIMIT_ADDRESS_RATE": "0"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack() -> AsyncIterator[Stack]:
    async with running(token=TOKEN, scale={"notification": 2}) as system:
        yield system.stack


def process_of(stack: Stack, name: str) -> psutil.Process:
    pid = stack.processes[name].pid
    assert pid is not None
    return psutil.Process(pid)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", SERVICES)
async def test_service_runs_command_of_its_container(stack: Stack, name: str) -> None:
    command = DOCUMENT["services"][name]["command"]
    assert process_of(stack, f"{name}-service").cmdline() == [sys.executable, *command[1:]]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", SERVICES)
async def test_service_has_environment_of_its_container(stack: Stack, name: str) -> None:
    """Each variable has the same value, except for hosts, ports and folders."""
    given = DOCUMENT["services"][name]["environment"]
    actual = process_of(stack, f"{name}-service").environ()
    assert set(given) <= set(actual)
    for variable, text in given.items():
        plain = re.sub(r"\$\{\w+:?-([^}]*)\}", r"\1", text)
        if variable == "SERVICE_TOKEN":
            assert actual[variable] == TOKEN
        elif variable in OF_THE_LOOPBACK:
            assert actual[variable] == OF_THE_LOOPBACK[variable]
        elif variable == "EVENTS_PER_MESSAGE":
            assert actual[variable] == "50"  # every consumer is of this version
        elif not re.search(r"://|0\.0\.0\.0", plain) and variable != "PORT":
            assert actual[variable] == plain
    settings = {each for each in actual if each not in os.environ or actual[each] != os.environ[each]}
    assert settings - set(given) <= {"ORDERSTREAM_DATA"}


@pytest.mark.asyncio(loop_scope="module")
async def test_postgres_has_settings_of_its_container(stack: Stack) -> None:
    command = process_of(stack, "postgres").cmdline()
    settings = DOCUMENT["services"]["postgres"]["command"][1:]
    assert command[-len(settings) :] == settings


@pytest.mark.asyncio(loop_scope="module")
async def test_each_process_has_pid_file_and_log(stack: Stack) -> None:
    names = {f"{name}-service" for name in SERVICES} | {"notification-service-2", "web", "postgres", "emulator"}
    assert {path.stem for path in stack.data.run.glob("*.pid")} == names == set(stack.processes)
    assert {path.stem for path in stack.data.logs.glob("*.log")} == names


@pytest.mark.asyncio(loop_scope="module")
async def test_order_is_fulfilled_and_pushed_by_each_replica(stack: Stack) -> None:
    authorize = partial(stack.authorization, CUSTOMER)
    async with (
        aiohttp.ClientSession() as session,
        watching(session, stack.url("notification", 0), authorize) as first,
        watching(session, stack.url("notification", 1), authorize) as second,
    ):
        items = {"orderItems": [{"productId": "123", "quantity": 1}]}
        async with session.post(f"{stack.url('order')}/orders", json=items) as response:
            assert response.status == 201
            order_id = (await response.json())["id"]
        for watcher in (first, second):
            assert await watcher.wait_for(order_id, "CLOSED", WITHIN_S)
            assert watcher.kinds(order_id, "SSE") == ["CREATED", "CLOSED"]


@pytest.mark.asyncio(loop_scope="module")
async def test_services_allow_origin_of_page(stack: Stack) -> None:
    async with aiohttp.ClientSession(headers={"Origin": stack.url("web")}) as session:
        async with session.get(f"{stack.url('web')}/config.json") as response:
            endpoints = await response.json()
        for name, path in (("order", "/orders"), ("inventory", "/inventory"), ("notification", "/notifications")):
            async with session.get(f"{endpoints[name]}{path}") as response:
                assert response.status == 200
                assert response.headers["Access-Control-Allow-Origin"] == stack.url("web")


@pytest.mark.asyncio(loop_scope="module")
async def test_second_demo_on_same_data_is_refused(stack: Stack) -> None:
    status, output = await _demo("--data", str(stack.data.path), "--free-ports")
    assert status == 2
    assert f"already running on {stack.data.path}, as pid {os.getpid()}" in output


async def test_port_in_use_is_reported_before_any_start(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind((LOOPBACK, 8083))
            taken.listen()
        except OSError:
            pass  # already in use by another process
        status, output = await _demo("--data", str(tmp_path))
    assert status == 2
    assert "already in use on 127.0.0.1: port" in output
    assert "8083" in output
    assert not (tmp_path / "postgres").exists()


async def test_ctrl_c_stops_demo_and_its_processes(data_folder: Path) -> None:
    demo = await asyncio.create_subprocess_exec(
        *_command("--data", str(data_folder), "--free-ports"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(data_folder)},
    )
    began_s = monotonic()
    await _until_ready(demo)
    started_s = monotonic() - began_s
    processes = psutil.Process(demo.pid).children(recursive=True)
    assert len(processes) >= 8
    demo.send_signal(signal.SIGINT)
    async with asyncio.timeout(max(10.0, started_s)):  # a busy machine takes its time for either
        assert await demo.wait() == 0
    assert [process for process in processes if process.is_running()] == []
    assert _names(data_folder) == {"run", "logs", "postgres", "emulator"}
    assert _names(data_folder / "run") == set()


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def _until_ready(demo: asyncio.subprocess.Process) -> None:
    assert demo.stdout is not None
    shown = []
    async with asyncio.timeout(300):  # the first one builds the page
        async for line in demo.stdout:
            shown.append(line.decode())
            if "ready after" in shown[-1]:
                return
    pytest.fail(f"it ended: {''.join(shown)}")


def _command(*options: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "orderstream_local", "demo", *options)


async def _demo(*options: str) -> tuple[int | None, str]:
    demo = await asyncio.create_subprocess_exec(*_command(*options), stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(PATIENCE_S):
        output, _ = await demo.communicate()
    return demo.returncode, " ".join(output.decode().split())
