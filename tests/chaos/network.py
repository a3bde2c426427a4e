"""HTTP proxies between the services, and between them and AWS: faults are what they do to requests on the way.

There is one proxy for each pair of a process and a server that it calls, so that a fault can strike one of them. A
process learns of its proxies by the variables that name its servers (`INVENTORY_URL`, `ORDER_URL`,
`AWS_ENDPOINT_URL`); the services know nothing of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Self

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from orderstream_local.ports import LOOPBACK

__all__ = ["AWS", "ConnectionCutError", "Forward", "Meddler", "Network", "Request", "Response", "Wire"]

AWS = "emulator"
CALLS = {
    "order": ("inventory", AWS),
    "inventory": (AWS,),
    "processing": ("inventory", "order", AWS),
    "notification": ("order", AWS),
}
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})  # RFC 9110, 7.6.1
_BAD_GATEWAY = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


class ConnectionCutError(Exception):
    """The caller's connection is to be reset instead of answered."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request on its way."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def operation(self) -> str:
        """The AWS operation, such as ``AmazonSQS.ReceiveMessage``; empty between services."""
        return self.headers.get("X-Amz-Target", "")


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to it."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Forward = Callable[[Request], Awaitable[Response]]
Meddler = Callable[[Request, Forward], Awaitable[Response]]
Observer = Callable[["Wire", Request, Response], None]


@dataclass(eq=False, slots=True)
class Wire:
    """The proxy on the way from one process to one server.

    Attributes:
        caller: the process that calls, such as ``order-service-2``.
        target: the container that it calls; `replica` is which one.
        url: where the proxy listens.
        faults: what is done to each request at the moment, the innermost first.
    """

    caller: str
    target: str
    replica: int
    url: str = ""
    faults: list[Meddler] = field(default_factory=list)

    @contextmanager
    def meddling(self, meddler: Meddler) -> Iterator[None]:
        """Have *meddler* treat each request that comes within the block."""
        self.faults.append(meddler)
        try:
            yield
        finally:
            self.faults.remove(meddler)


class Network:
    """All proxies of a system with *replicas* of each service; entering the block has them listen.

    Args:
        replicas: of each service.
        upstream: gives the URL of a replica of a container; asked for each request, since the proxies come first.
        observe: is told of each answer as the caller gets it, or would if it were still there.
    """

    def __init__(self, replicas: int, upstream: Callable[[str, int], str], observe: Observer) -> None:
        self._replicas = replicas
        self._upstream = upstream
        self._observe = observe
        self._answering: set[asyncio.Future[Response | None]] = set()
        self._exit = AsyncExitStack()
        self.wires = [
            Wire(_process(service, caller), target, replica)
            for service, targets in CALLS.items()
            for caller in range(replicas)
            for target in targets
            for replica in range(1 if target == AWS else replicas)
        ]

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=0)
        self._session = await self._exit.enter_async_context(
            aiohttp.ClientSession(
                connector=connector, auto_decompress=False, timeout=aiohttp.ClientTimeout(total=None, sock_connect=5)
            )
        )
        for wire in self.wires:
            server = web.Server(partial(self._handle, wire), handler_cancellation=True, access_log=None)
            runner = web.ServerRunner(server, shutdown_timeout=0)
            await runner.setup()
            self._exit.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, LOOPBACK, 0).start()
            wire.url = f"http://{LOOPBACK}:{runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        for answering in self._answering:  # some wait for ever
            answering.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)
        await self._exit.aclose()

    def environment(self, service: str, replica: int) -> dict[str, str]:
        """Return the variables that lead a process to its proxies; each replica prefers another server."""
        urls: dict[str, str] = {}
        for target in CALLS[service]:
            name = "AWS_ENDPOINT_URL" if target == AWS else f"{target.upper()}_URL"
            found = [wire.url for wire in self.between(service, target) if wire.caller == _process(service, replica)]
            first = replica % len(found)
            urls[name] = ",".join([*found[first:], *found[:first]])
        return urls

    def between(self, service: str, target: str) -> list[Wire]:
        """Return the proxies from all replicas of a service to a container; an empty *service* stands for all."""
        return [wire for wire in self.wires if wire.target == target and wire.caller.startswith(service)]

    async def _handle(self, wire: Wire, incoming: web.BaseRequest) -> web.StreamResponse:
        request = Request(incoming.method, incoming.raw_path, incoming.headers, await incoming.read())
        answering = asyncio.ensure_future(self._answer(wire, request))
        self._answering.add(answering)
        answering.add_done_callback(self._answering.discard)
        # of a caller that dies, what is done is seen all the same; a receive ends with it, or would take messages
        response = await (answering if request.operation.endswith("ReceiveMessage") else asyncio.shield(answering))
        if response is None:
            if incoming.transport is not None:
                incoming.transport.abort()
            return web.Response()
        return web.Response(status=response.status, body=response.body, headers=response.headers)

    async def _answer(self, wire: Wire, request: Request) -> Response | None:
        """Return what the caller gets; None when its connection is cut."""
        forward: Forward = partial(self._forward, wire)
        for meddler in wire.faults:
            forward = _through(meddler, forward)
        try:
            response = await forward(request)
        except ConnectionCutError:
            return None
        self._observe(wire, request, response)
        return response

    async def _forward(self, wire: Wire, request: Request) -> Response:
        """Send the request on; a server that is away is answered for as a load balancer does."""
        url = self._upstream(wire.target, wire.replica) + request.path
        try:
            async with self._session.request(
                request.method,
                URL(url, encoded=True),
                data=request.body or None,
                headers=_end_to_end(request.headers),
                allow_redirects=False,
            ) as response:
                return Response(response.status, await response.read(), _end_to_end(response.headers))
        except aiohttp.ClientConnectorError:
            return Response(502, _BAD_GATEWAY, {"Content-Type": "text/html"})
        except (aiohttp.ClientError, OSError):
            raise ConnectionCutError from None


def _through(meddler: Meddler, forward: Forward) -> Forward:
    return lambda request: meddler(request, forward)


def _process(service: str, replica: int) -> str:
    return f"{service}-service" if replica == 0 else f"{service}-service-{replica + 1}"


def _end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in _HOP_BY_HOP)
