"""The proxies of the page on clients pass on each event at once, over TLS, HTTP/2 and WebSocket."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from tests.e2e.foreign.browser import CLIENTS
from tests.support.folders import reachable_folder
from tests.support.ports import free_port
from tests.support.system import System, running
from tests.support.waiting import eventually

SBIN = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
PROXIES = {"nginx.conf": shutil.which("nginx", path=SBIN), "haproxy.cfg": shutil.which("haproxy", path=SBIN)}
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
# the next heartbeat, which would push out an event that was held back, is later
AT_ONCE_S = 5.0
PRODUCT = "proxied"

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system() -> AsyncIterator[System]:
    """The running system, which is told nothing of the proxies' names."""
    async with running(web=False) as system:
        await system.product(PRODUCT, stock=100)
        yield system


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=PROXIES)
async def proxy(request: pytest.FixtureRequest, system: System) -> AsyncIterator[str]:
    """The authority of a proxy in front of the notification service."""
    program = PROXIES[request.param]
    if program is None:
        pytest.skip(f"there is no program for {request.param}")
    authority = f"127.0.0.1:{free_port()}"
    service = system.stack.url("notification").removeprefix("http://")
    text = (CLIENTS / "proxies" / request.param).read_text("utf-8")
    with reachable_folder("proxy-") as folder:
        certify(folder)
        file = folder / request.param
        file.write_text(text.replace("127.0.0.1:8443", authority).replace("127.0.0.1:8082", service))
        foreground = ("-p", folder, "-e", "stderr", "-g", f"daemon off; pid {folder}/pid;", "-c", file)
        options = foreground if request.param == "nginx.conf" else ("-db", "-C", folder, "-f", file)
        process = await asyncio.create_subprocess_exec(program, *options, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT)
        try:
            await eventually(lambda: listening(process, authority), request.param)
            yield authority
        finally:
            if process.returncode is None:
                process.terminate()
            await process.communicate()


def certify(folder: Path) -> None:
    """Make a certificate of its own for the proxy."""
    command = ("openssl", "req", "-x509", *KEY, "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.crt")
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (folder / "server.pem").write_text((folder / "server.crt").read_text() + (folder / "server.key").read_text())


async def listening(process: Process, authority: str) -> bool | None:
    if process.returncode is not None:
        assert process.stdout is not None
        pytest.fail((await process.stdout.read()).decode())
    try:
        _, writer = await asyncio.open_connection(*authority.split(":"))
    except OSError:
        return None
    writer.close()
    return True


@asynccontextmanager
async def curl(*arguments: str) -> AsyncIterator[asyncio.StreamReader]:
    """Run curl for the block, and read what it writes."""
    command = ("curl", "--silent", "--no-buffer", "--insecure", "--include", "--compressed", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE)
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.terminate()
        await process.communicate()


async def place(system: System) -> int:
    return int((await system.place({PRODUCT: 1})).json["id"])


async def notification(socket: ClientConnection) -> dict[str, Any]:
    while (frame := orjson.loads(await socket.recv()))["type"] == "heartbeat":
        pass
    assert frame["type"] == "event", frame
    told: dict[str, Any] = frame["data"]
    return told


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
async def test_event_passes_at_once(version: str, system: System, proxy: str) -> None:
    async with curl(version, f"https://{proxy}/stream") as stream:
        status = await stream.readline()
        assert status.startswith(b"HTTP/2 200" if version == "--http2" else b"HTTP/1.1 200")
        head = await stream.readuntil(b'"type":"welcome"')
        assert b"content-encoding" not in head.lower()
        order = await place(system)
        async with asyncio.timeout(AT_ONCE_S):
            for kind in ("CREATED", "CLOSED"):
                await stream.readuntil(f"Notification {kind} for order {order}".encode())


async def test_websocket_of_a_page_of_the_proxy_is_open(system: System, proxy: str) -> None:
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    async with connect(f"wss://{proxy}/ws", ssl=trusting, origin=Origin(f"https://{proxy}")) as socket:
        assert orjson.loads(await socket.recv())["type"] == "welcome"
        order = await place(system)
        async with asyncio.timeout(AT_ONCE_S):
            told = [await notification(socket) for _ in range(2)]
    assert [(each["orderId"], each["kind"]) for each in told] == [(order, "CREATED"), (order, "CLOSED")]
