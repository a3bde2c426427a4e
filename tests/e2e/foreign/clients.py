"""The clients of others: who they are, whether they are here, and how to have them follow."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
from yarl import URL

from tests.clients import with_aiohttp, with_websockets

from .browser import BROWSER, CLIENTS, Site
from .heard import Heard

__all__ = ["KINDS", "absent", "following", "node_path", "path_of"]

PROGRAMS = {
    "curl": ("sh", "follow-with-curl.sh"),
    "wscat": ("sh", "follow-with-wscat.sh"),
    "npm-ws": ("node", "ws.mjs"),
    "npm-eventsource": ("node", "eventsource.mjs"),
}
DOINGS = {"browser-eventsource": "stream", "browser-websocket": "socket"}
FUNCTIONS: dict[str, Callable[[str, str], AsyncIterator[dict[str, Any]]]] = {
    "aiohttp": with_aiohttp.follow,
    "websockets": with_websockets.follow,
}
# the others take it from the address
TAKE_LAST_ID = frozenset({"curl", "wscat", *FUNCTIONS})
KINDS = (*PROGRAMS, *DOINGS, *FUNCTIONS)


def path_of(kind: str) -> str:
    """Return the endpoint that a client of this kind follows."""
    return "/ws" if kind in {"wscat", "npm-ws", "browser-websocket", "websockets"} else "/stream"


def absent(kind: str, without_packages: str | None) -> str | None:
    """Return why there is no client of this kind here; None when there is."""
    if kind in DOINGS and BROWSER is None:
        return "Chromium is not installed"
    if kind == "curl" and shutil.which("curl") is None:
        return "curl is not installed"
    return without_packages if kind in {"wscat", "npm-ws", "npm-eventsource"} else None


def node_path() -> dict[str, str]:
    """Return the environment in which the programs of the npm packages are found."""
    return {**os.environ, "PATH": f"{CLIENTS / 'node_modules' / '.bin'}:{os.environ['PATH']}"}


@asynccontextmanager
async def following(kind: str, name: str, url: URL, last: str, site: Site) -> AsyncIterator[Heard]:
    """Have a client follow *url*, from *last* on, for the block; *name* tells it from others of the page."""
    if path_of(kind) == "/ws":
        url = url.with_scheme("ws")
    if last and kind not in TAKE_LAST_ID:
        url = url.update_query(lastEventId=last)
    if kind in DOINGS:
        yield await site.do(DOINGS[kind], name, str(url))
        return
    heard = Heard()
    if kind in FUNCTIONS:
        working = _running(_collect(FUNCTIONS[kind](str(url), last), heard))
    else:
        given = (last,) if kind in TAKE_LAST_ID else ()
        working = _program((*PROGRAMS[kind], str(url), *given), heard)
    async with working:
        yield heard


@asynccontextmanager
async def _program(command: Sequence[str], heard: Heard) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=CLIENTS,
        env=node_path(),
        stdin=asyncio.subprocess.PIPE,  # open as a terminal would be
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        async with _running(_read(process.stdout, heard)):
            yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()


@asynccontextmanager
async def _running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _read(lines: asyncio.StreamReader, heard: Heard) -> None:
    async for line in lines:
        await heard.take(orjson.loads(line))


async def _collect(followed: AsyncIterator[dict[str, Any]], heard: Heard) -> None:
    async for told in followed:
        await heard.take(told)
