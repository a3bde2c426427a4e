"""HTTP between the simulated nodes: a session for the real client, which calls the real application of another node.

What lies between them, sockets and the parser of aiohttp, is not simulated; what they may do is: refused connections,
resets, no answer, answers lost or cut after the work was done, answers of a proxy, requests that a proxy repeats.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
from aiohttp import web
from aiohttp.http import HttpVersion11, RawRequestMessage
from aiohttp.streams import StreamReader
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from tests.simulation.loop import current_process
from tests.simulation.world import Node, World

__all__ = ["Answer", "SimulatedSession", "serve"]

HTML = b"<html><body>not here</body></html>"
# what proxies and ingresses answer for a service that they can't reach
FOREIGN: Sequence[tuple[int, Mapping[str, str], bytes]] = (
    (404, {"Content-Type": "text/html"}, HTML),
    (404, {"Content-Type": "application/json"}, b'{"detail": "no route"}'),
    (409, {"Content-Type": "text/html"}, HTML),
    (422, {"Content-Type": "text/html"}, HTML),
    (403, {"Content-Type": "text/html"}, HTML),
    (302, {"Content-Type": "text/html", "Location": "http://elsewhere/login"}, HTML),
    (200, {"Content-Type": "text/html"}, HTML),
    (200, {"Content-Type": "application/json"}, b"{}"),
    (502, {"Content-Type": "text/html"}, HTML),
    (503, {"Content-Type": "text/html", "Retry-After": "2"}, HTML),
)


class Answer:
    """The part of `aiohttp.ClientResponse` that the client reads."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes, *, cut: bool = False) -> None:
        self.status = status
        self.headers = CIMultiDict(headers)
        self.content_type = self.headers.get("Content-Type", "").partition(";")[0]
        self.content_length = len(body)
        self._body = body
        self._cut = cut

    async def read(self) -> bytes:
        if self._cut:
            raise aiohttp.ClientPayloadError("Response payload is not completed")
        return self._body

    def close(self) -> None:
        return


class SimulatedSession:
    """The part of `aiohttp.ClientSession` that the client uses."""

    def __init__(self, world: World, headers: Mapping[str, str]) -> None:
        self._world = world
        self._headers = headers

    async def close(self) -> None:
        return

    async def request(
        self, method: str, url: URL, *, data: bytes | None, headers: Mapping[str, str], **_options: Any
    ) -> Answer:
        """Send a request to the node whose name is the host of *url*, and return its answer."""
        world, node = self._world, self._world.nodes[url.host or ""]
        where = f"{current_process().name} to {node.name}"
        await world.reach(where)
        if world.happens("http no answer", where):
            await asyncio.Event().wait()  # until the client's time limit
        if node.serve is None or world.happens("http refused", where):
            raise aiohttp.ClientConnectorError(cast(Any, SimpleNamespace(ssl=False)), OSError("refused"))
        if world.happens("http foreign answer", where):
            return Answer(*world.decisions.choice("foreign answer", FOREIGN))
        if world.happens("http reset", where):
            raise aiohttp.ClientOSError("reset")
        request = {**self._headers, **headers}, data or b""
        if world.happens("http delivered late", where):
            world.loop.call_later(
                world.decisions.uniform("late", 1.0, 12.0), self._deliver, node, method, url, *request
            )
            await asyncio.Event().wait()
        if world.happens("http repeated", where):
            await self._work(node, method, url, *request)
        answer = await self._work(node, method, url, *request)
        await world.reach(where)
        if world.happens("http answer lost", where):
            raise aiohttp.ServerDisconnectedError
        answer._cut = world.happens("http answer truncated", where)
        return answer

    async def _work(self, node: Node, method: str, url: URL, headers: Mapping[str, str], body: bytes) -> Answer:
        """Let *node* do the work, in its own process, and wait for the answer; cancelled, the work goes on."""
        answered = self._deliver(node, method, url, headers, body)
        node.calls.add(answered)
        try:
            return await answered
        except ConnectionResetError as error:
            raise aiohttp.ServerDisconnectedError from error
        finally:
            node.calls.discard(answered)

    def _deliver(
        self, node: Node, method: str, url: URL, headers: Mapping[str, str], body: bytes
    ) -> asyncio.Future[Answer]:
        answered = self._world.loop.create_future()
        if node.process is None or node.serve is None:
            answered.set_exception(ConnectionResetError())
            answered.exception()  # also where nobody waits for it
        else:
            self._world.loop.start_task(node.process, node.serve(method, url, headers, body, answered))
        return answered


def serve(app: web.Application) -> Any:
    """Return how a node answers requests by *app*."""

    async def answer(
        method: str, url: URL, headers: Mapping[str, str], body: bytes, answered: asyncio.Future[Answer]
    ) -> None:
        try:
            response = await app._handle(_request(app, method, url, headers, body))
        except web.HTTPException as redirection:
            response = redirection
        except Exception as error:  # the middlewares answer every error
            answered.set_exception(error)
            return
        assert isinstance(response, web.Response)
        if not answered.done():
            answered.set_result(Answer(response.status, response.headers, cast(bytes, response.body or b"")))

    return answer


class _Protocol:
    """What a request reads of its connection."""

    ssl_context = peername = sockname = transport = writer = None
    _reading_paused = False

    def resume_reading(self, **_: object) -> None:
        """Nothing more comes."""


def _request(app: web.Application, method: str, url: URL, headers: Mapping[str, str], body: bytes) -> web.Request:
    loop = asyncio.get_running_loop()
    fields = CIMultiDict({"Host": url.authority, "Content-Length": str(len(body)), **headers})
    message = RawRequestMessage(
        method,
        url.raw_path_qs,
        HttpVersion11,
        CIMultiDictProxy(fields),
        tuple((name.encode(), value.encode()) for name, value in fields.items()),
        False,  # should close
        None,  # compression
        False,  # upgrade
        False,  # chunked
        url.relative(),
    )
    protocol = cast(Any, _Protocol())
    payload = StreamReader(protocol, 2**16, loop=loop)
    payload.feed_data(body)
    payload.feed_eof()
    task = cast(Any, asyncio.current_task())
    return web.Request(message, payload, protocol, cast(Any, None), task, loop, client_max_size=app._client_max_size)
