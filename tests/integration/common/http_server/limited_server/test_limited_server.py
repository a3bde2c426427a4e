"""Slow clients, too many clients and malformed requests, over real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import orjson
import pytest
from aiohttp import web
from marshmallow import INCLUDE, Schema

from service_common.config import AwsConfig, ServiceConfig
from service_common.http_server import METRICS, new_app, read_body
from service_common.http_server.connection_limits import ConnectionLimiter, ConnectionLimits
from service_common.http_server.limited_server import LimitedRunner
from tests.support.waiting import PATIENCE_S, eventually

CONFIG = ServiceConfig(
    host="127.0.0.1",
    port=0,
    database_url="postgresql://nowhere/none",
    pool_size=1,
    service_token="right",
    aws=AwsConfig("us-east-1"),
    log_level="INFO",
    cloudwatch=False,
    log_group="any-service-logs",
    shutdown_grace_s=2.0,
    allowed_origins=(),
)
NEVER_S = 3600.0
PATIENT = ConnectionLimits(
    files=10_000, head_s=NEVER_S, body_s=NEVER_S, unread_s=NEVER_S, keepalive_s=NEVER_S, sweep_s=0.05
)
GET = b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n"
LARGE = 64 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def problem(self) -> dict[str, object]:
        assert self.headers["content-type"] == "application/problem+json"
        document: dict[str, object] = orjson.loads(self.body)
        assert document["status"] == self.status
        return document


class Client:
    """A connection of bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def trickle(self, data: bytes, every_s: float) -> None:
        """Send *data* byte by byte until the end of it or of the connection."""
        with suppress(ConnectionError, RuntimeError):  # the latter is uvloop's, when it is closed already
            for byte in data:
                self.send(bytes((byte,)))
                await self._writer.drain()
                await asyncio.sleep(every_s)

    async def answer(self) -> Answer:
        """Read one answer."""
        async with asyncio.timeout(PATIENCE_S):
            status, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().splitlines()
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(status.split()[1]), headers, body)

    async def ended(self) -> bytes:
        """Wait for the end of the connection and return what came before."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self._reader.read()
            except ConnectionError:
                return b""

    async def close(self) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


class Service:
    """A service with limited connections."""

    def __init__(self, app: web.Application, limiter: ConnectionLimiter, address: tuple[str, int]) -> None:
        self.limiter = limiter
        self._app = app
        self._address = address
        self._clients: list[Client] = []

    async def client(self, *, receive_bytes: int | None = None) -> Client:
        """Connect."""
        wire = socket.socket()
        if receive_bytes is not None:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        wire.setblocking(False)
        await asyncio.get_running_loop().sock_connect(wire, self._address)
        self._clients.append(Client(*await asyncio.open_connection(sock=wire)))
        return self._clients[-1]

    async def close(self) -> None:
        for client in self._clients:
            await client.close()

    def cuts(self, reason: str) -> float:
        value = self._app[METRICS].registry.get_sample_value(
            "orderstream_http_connections_cut_total", {"reason": reason}
        )
        return value or 0.0

    async def cut(self, reason: str, times: int = 1) -> None:
        """Wait until connections were cut for *reason*."""

        async def look() -> bool | None:
            return self.cuts(reason) == times or None

        await eventually(look, f"cut for {reason}")

    async def settled(self, connections: int) -> None:
        """Wait until so many connections were taken or refused."""

        async def look() -> bool | None:
            return self.limiter.open + self.cuts("full") >= connections or None

        await eventually(look, f"{connections} connections taken or refused")

    async def left(self, connections: int) -> None:
        """Wait until so many connections are open."""

        async def look() -> bool | None:
            return self.limiter.open == connections or None

        await eventually(look, f"{connections} connections")


ANYTHING = Schema(unknown=INCLUDE)


async def echo(request: web.Request) -> web.Response:
    return web.json_response(await read_body(request, ANYTHING) if request.can_read_body else {})


async def large(_request: web.Request) -> web.Response:
    return web.Response(body=bytes(LARGE))


Serving = Callable[..., Awaitable[Service]]


@asynccontextmanager
async def _served(limits: ConnectionLimits) -> AsyncIterator[Service]:
    app = new_app("any-service", CONFIG)
    app.add_routes([web.get("/echo", echo), web.post("/echo", echo), web.get("/large", large)])
    limiter = ConnectionLimiter(limits, app[METRICS])
    runner = LimitedRunner(app, limiter, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sweep = asyncio.create_task(limiter.run())
    service = Service(app, limiter, runner.addresses[0])
    try:
        yield service
    finally:
        await service.close()
        await runner.cleanup()
        assert not sweep.done()
        sweep.cancel()
        await asyncio.gather(sweep, return_exceptions=True)


@pytest.fixture
async def serve() -> AsyncIterator[Serving]:
    async with AsyncExitStack() as stack:

        async def started(**limits: Any) -> Service:
            return await stack.enter_async_context(_served(replace(PATIENT, **limits)))

        yield started


async def test_slow_head_is_answered_with_408_and_closed(serve: Serving) -> None:
    service = await serve(head_s=0.3)
    client = await service.client()
    trickle = asyncio.create_task(client.trickle(b"GET /echo HTTP/1.1\r\n" + b"a: b\r\n" * 10_000, 0.02))
    answer = await client.answer()
    assert (answer.status, answer.headers["connection"]) == (408, "close")
    assert answer.problem()["detail"] == "The head of the request did not arrive in time."
    assert await client.ended() == b""
    await service.left(0)
    await trickle
    assert service.cuts("head") == 1


async def test_silent_connection_is_closed_without_an_answer(serve: Serving) -> None:
    service = await serve(head_s=0.3)
    assert await (await service.client()).ended() == b""
    await service.left(0)
    assert service.cuts("head") == 1


async def test_head_in_pieces_within_the_time_is_answered(serve: Serving) -> None:
    service = await serve(head_s=5.0)
    client = await service.client()
    await client.trickle(GET, 0.005)
    assert (await client.answer()).status == 200


async def test_head_after_a_request_has_its_time_from_its_first_byte(serve: Serving) -> None:
    service = await serve(head_s=0.4)
    client = await service.client()
    for _ in range(3):
        client.send(GET)
        assert (await client.answer()).status == 200
    await asyncio.sleep(0.8)  # idle for longer than a head may take
    client.send(GET[:20])
    assert service.cuts("head") == 0
    assert (await client.answer()).status == 408
    await service.left(0)


async def test_idle_connection_is_closed_without_an_answer(serve: Serving) -> None:
    service = await serve(keepalive_s=0.3)
    client = await service.client()
    client.send(GET)
    assert (await client.answer()).status == 200
    assert await client.ended() == b""
    await service.left(0)


async def test_busy_connection_is_never_cut(serve: Serving) -> None:
    service = await serve(head_s=1.0, body_s=1.0, unread_s=1.0, keepalive_s=1.0)
    client = await service.client()
    started = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() < started + 1.5:
        client.send(GET[:10])
        await asyncio.sleep(0.01)
        client.send(GET[10:] + POST + b'{"a": ')
        await asyncio.sleep(0.01)
        client.send(b"123}")
        assert (await client.answer()).status == 200
        assert (await client.answer()).body == b'{"a": 123}'
    assert service.limiter.open == 1


async def test_slow_body_is_answered_with_408_and_closed(serve: Serving) -> None:
    service = await serve(body_s=0.3, head_s=0.1)
    client = await service.client()
    client.send(POST + b"{")
    trickle = asyncio.create_task(client.trickle(b" " * 8, 0.2))
    answer = await client.answer()
    assert (answer.status, answer.headers["connection"]) == (408, "close")
    assert answer.problem()["detail"] == "The body did not arrive in time."
    assert await client.ended() == b""
    await service.left(0)
    await trickle
    assert (service.cuts("body"), service.cuts("head")) == (1, 0)


async def test_connection_with_an_unread_answer_is_cut(serve: Serving) -> None:
    service = await serve(unread_s=0.3)
    client = await service.client(receive_bytes=4096)
    client.send(GET.replace(b"/echo", b"/large"))
    await service.cut("unread")
    await service.left(0)


async def test_answer_that_is_read_slowly_is_sent_completely(serve: Serving) -> None:
    service = await serve(unread_s=0.5)
    client = await service.client(receive_bytes=64 << 10)
    client.send(GET.replace(b"/echo", b"/large"))
    read = 0
    started = asyncio.get_running_loop().time()
    while read < LARGE:
        read += len(await client._reader.read(1 << 20))
        if asyncio.get_running_loop().time() < started + 1.5:
            await asyncio.sleep(0.02)
    assert service.cuts("unread") == 0


async def test_connections_beyond_the_limit_are_closed_and_the_others_served(serve: Serving) -> None:
    with socket.socket() as probe:
        service = await serve(files=probe.fileno() + 20)
    held = []
    while not service.cuts("full"):
        held.append(await service.client())
        assert len(held) < 20
        await service.settled(len(held))
    assert await held.pop().ended() == b""
    for client in held:
        client.send(GET)
        assert (await client.answer()).status == 200
    for client in held[:3]:
        await client.close()
    await service.left(len(held) - 3)
    client = await service.client()
    client.send(GET)
    assert (await client.answer()).status == 200


async def test_slow_clients_do_not_keep_others_from_being_served(serve: Serving) -> None:
    service = await serve(head_s=3.0)  # the others are fast enough even on a busy machine
    slow = [await service.client() for _ in range(50)]
    for client in slow:
        client.send(GET[:-2])
    client = await service.client()
    while service.limiter.open > 1:
        client.send(GET)
        assert (await client.answer()).status == 200
    assert [(await each.answer()).status for each in slow] == [408] * 50
    assert service.cuts("head") == 50


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\na: " + b"b" * 10_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 500 + b"\r\n",
    ],
)
async def test_malformed_request_is_answered_with_a_problem_and_logged_at_info(
    garbage: bytes, serve: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    service = await serve()
    client = await service.client()
    client.send(garbage)
    answer = await client.answer()
    assert answer.status == 400
    problem = answer.problem()
    assert problem["type"] == "urn:orderstream:problem:malformed"
    assert problem["detail"]
    assert problem["traceId"]
    assert "\n" not in str(problem["detail"])
    await client.ended()
    assert service.cuts("malformed") == 1
    assert not [record for record in caplog.records if record.levelname not in {"INFO", "DEBUG"}]


async def test_error_outside_the_middlewares_is_answered_with_a_problem(
    serve: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await serve()

    async def broken(_request: web.Request) -> web.UrlMappingMatchInfo:
        raise LookupError("the router is broken")

    monkeypatch.setattr(service._app.router, "resolve", broken)
    client = await service.client()
    client.send(GET)
    answer = await client.answer()
    assert (answer.status, answer.problem()["type"]) == (500, "about:blank")
    assert b"router" not in answer.body
