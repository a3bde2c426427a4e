"""The clients of others: who they are, whether they are here, and how to have them follow."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
from yarl import URL

from tests.clients import with_aiohttp, with_aiosseclient, with_httpx_sse, with_websockets

from .browser import BROWSERS, CLIENTS, Site
from .heard import Heard

__all__ = ["KINDS", "LIBRARY", "absent", "following", "node_path", "path_of"]

PROGRAMS = {
    "curl": ("sh", "follow-with-curl.sh"),
    "wscat": ("sh", "follow-with-wscat.sh"),
    "npm-ws": ("node", "ws.mjs"),
    "npm-eventsource": ("node", "eventsource.mjs"),
    "npm-eventsource-2": ("node", "others/eventsource.mjs", "eventsource-2"),
    "npm-eventsource-3": ("node", "others/eventsource.mjs", "eventsource-3"),
    "npm-eventsource-client": ("node", "eventsource-client.mjs"),
    "npm-undici": ("node", "others/eventsource.mjs", "undici"),
    "sseclient-py": (sys.executable, "with_sseclient.py"),
    "websocket-client": (sys.executable, "with_websocket_client.py"),
}
# our own library, over each protocol
LIBRARY = {"orderstream-client-sse": "sse", "orderstream-client-ws": "ws"}
DOINGS = {
    "chromium-eventsource": "stream",
    "chromium-fetch-event-source": "fetchSource",
    "chromium-websocket": "socket",
    "firefox-eventsource": "stream",
    "firefox-websocket": "socket",
}
FUNCTIONS: dict[str, Callable[[str, str], AsyncIterator[dict[str, Any]]]] = {
    "aiohttp": with_aiohttp.follow,
    "aiosseclient": with_aiosseclient.follow,
    "httpx-sse": with_httpx_sse.follow,
    "websockets": with_websockets.follow,
}
# the others take it from the address
TAKE_LAST_ID = frozenset({"curl", "wscat", "sseclient-py", "websocket-client", *FUNCTIONS})
KINDS = (*PROGRAMS, *LIBRARY, *DOINGS, *FUNCTIONS)
SOCKETS = frozenset(
    {"wscat", "npm-ws", "websockets", "websocket-client", "orderstream-client-ws"}
    | {kind for kind, doing in DOINGS.items() if doing == "socket"}
)
PACKAGES = frozenset({"wscat", "chromium-fetch-event-source", *LIBRARY, *(kind for kind in PROGRAMS if "npm" in kind)})


def path_of(kind: str) -> str:
    """Return the endpoint that a client of this kind follows."""
    return "/ws" if kind in SOCKETS else "/stream"


def absent(kind: str, without_packages: str | None) -> str | None:
    """Return why there is no client of this kind here; None when there is."""
    if kind in DOINGS and _browser_of(kind) not in BROWSERS:
        return f"{_browser_of(kind)} is not installed"
    if kind == "curl" and shutil.which("curl") is None:
        return "curl is not installed"
    return without_packages if kind in PACKAGES else None


def node_path() -> dict[str, str]:
    """Return the environment in which the programs of the npm packages are found."""
    return {**os.environ, "PATH": f"{CLIENTS / 'node_modules' / '.bin'}:{os.environ['PATH']}"}


@asynccontextmanager
async def following(kind: str, name: str, url: URL, last: str, sites: Mapping[str, Site]) -> AsyncIterator[Heard]:
    """Have a client follow *url*, from *last* on, for the block; *name* tells it from others of the page."""
    if kind in LIBRARY:
        service = str(url.with_path(url.path.removesuffix(path_of(kind))).with_query(None))
        command = ("node", "orderstream-client.mjs", service, LIBRARY[kind], last, *url.query.getall("orderId", ()))
        heard = Heard()
        async with _program(command, heard):
            yield heard
        return
    if path_of(kind) == "/ws":
        url = url.with_scheme("ws")
    if last and kind not in TAKE_LAST_ID:
        url = url.update_query(lastEventId=last)
    if kind in DOINGS:
        yield await sites[_browser_of(kind)].do(DOINGS[kind], name, str(url))
        return
    heard = Heard()
    if kind in FUNCTIONS:
        working = _running(_collect(FUNCTIONS[kind](str(url), last), heard))
    else:
        given = (last,) if kind in TAKE_LAST_ID else ()
        working = _program((*PROGRAMS[kind], str(url), *given), heard)
    async with working:
        yield heard


def _browser_of(kind: str) -> str:
    return kind.partition("-")[0]


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
