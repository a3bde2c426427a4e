"""`orderstream status --watch`: the screen, and the stream for programs."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.command import Forked
from tests.support.waiting import PATIENCE_S

NOWHERE = "http://127.0.0.1:9"  # the port of the discard service, where nothing listens
LOOKS = 3
STYLE = re.compile(r"\x1b\[[0-9;]*m")
CLEAR = b"\x1b[2J"


@asynccontextmanager
async def service() -> AsyncIterator[tuple[dict[str, str], asyncio.Event]]:
    """Serve what is ready when it is first looked at, and not any more then; the event is set by the third look."""
    looks, watched = 0, asyncio.Event()

    async def ready(_: web.Request) -> web.Response:
        nonlocal looks
        looks += 1
        if looks == LOOKS:
            watched.set()
        return web.json_response({"status": "?"}, status=200 if looks == 1 else 503)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(text="orderstream_sagas_late 0.0\n")

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics), web.get("/health/ready", ready)])
    async with TestServer(app) as server:
        urls = {f"{name}_URL": NOWHERE for name in ("ORDER", "INVENTORY", "NOTIFICATION")}
        yield {"AWS_ENDPOINT_URL": NOWHERE, **urls, "PROCESSING_URL": str(server.make_url("")).rstrip("/")}, watched


def read_all(terminal: int) -> bytes:
    """Return what is written until the other side is closed, which Linux reports as an error."""
    read = b""
    with suppress(OSError):
        while more := os.read(terminal, 1 << 16):
            read += more
    return read


async def test_watch_tells_programs_each_look_on_a_line_until_it_is_interrupted() -> None:
    async with service() as (environ, watched):
        process = Forked(environ, "status", "--watch", "--interval", "0.5", "--json")
        await asyncio.wait_for(watched.wait(), PATIENCE_S)
        process.send(signal.SIGINT)
        done = await process.end(128 + signal.SIGINT)
    replicas = [orjson.loads(line)["replicas"] for line in done.out.splitlines()]
    states = [each["state"] for look in replicas for each in look if each["service"] == "processing-service"]
    assert states[0] == "ready"
    assert set(states[1:]) == {"not ready"}
    assert "Traceback" not in done.err


async def test_watch_draws_the_screen_anew_on_a_terminal() -> None:
    ours, terminal = pty.openpty()
    async with service() as (environ, watched):
        command = (sys.executable, "-m", "orderstream_command", "status", "--watch", "--interval", "0.5")
        process = await asyncio.create_subprocess_exec(
            *command, env={**os.environ, **environ, "TERM": "xterm"}, stdin=terminal, stdout=terminal, stderr=terminal
        )
        os.close(terminal)
        shown = asyncio.create_task(asyncio.to_thread(read_all, ours))
        await asyncio.wait_for(watched.wait(), PATIENCE_S)
        process.terminate()
        assert await process.wait() == 128 + signal.SIGTERM
    screens = (await shown).split(CLEAR)[1:]
    os.close(ours)
    assert len(screens) >= LOOKS - 1
    first, second = (STYLE.sub("", screen.decode()) for screen in screens[:2])
    for screen, state in ((first, "ready"), (second, "not ready")):
        [line] = [line for line in screen.splitlines() if line.startswith("processing ")]
        assert state in line
        assert "SERVICE" in screen
        assert "broken" in screen
    assert "not ready" not in first
