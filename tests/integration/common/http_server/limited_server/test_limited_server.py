"""Slow clients, too many clients and malformed requests, over real sockets."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import socket
import struct
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import orjson
import pytest
from aiohttp import web
from marshmallow import INCLUDE, Schema

from service_common.http_server import METRICS, new_app, read_body
from service_common.http_server.connection_limits import ConnectionLimiter, ConnectionLimits
from service_common.http_server.limited_server import LimitedRunner, _Connection
from tests.support.waiting import PATIENCE_S, eventually

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

    def reset(self) -> None:
        wire = self._writer.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


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

    def requests(self, method: str, route: str, status: int) -> float:
        labels = {"method": method, "route": route, "status": str(status)}
        return self._app[METRICS].registry.get_sample_value("orderstream_http_request_seconds_count", labels) or 0.0

    async def held(self, size_bytes: int) -> None:
        """Wait until incomplete bodies hold so many bytes."""

        async def look() -> bool | None:
            return self.limiter.bodies_bytes >= size_bytes or None

        await eventually(look, f"{size_bytes} bytes of incomplete bodies")

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


async def _disconnected(request: web.Request) -> None:
    async def look() -> bool | None:
        return request.transport is None or None

    await eventually(look, "a client that disconnects")


async def late(request: web.Request) -> web.StreamResponse:
    """Answer when the client is gone."""
    await _disconnected(request)
    response = web.StreamResponse()
    await response.prepare(request)
    return response


Serving = Callable[..., Awaitable[Service]]


@asynccontextmanager
async def _served(limits: ConnectionLimits) -> AsyncIterator[Service]:
    app = new_app("any-service")
    app.add_routes([web.get("/echo", echo), web.post("/echo", echo), web.get("/large", large), web.get("/late", late)])
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
        b"GET / HTTP/1.1\r\n\r\n",
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
    detail = str(problem["detail"])
    assert detail.strip(".") + "." == detail
    assert not re.search(r"\n|aaaa|bbbb", detail)
    assert problem["traceId"]
    await client.ended()
    assert service.cuts("malformed") == 1
    assert not [record for record in caplog.records if record.levelname not in {"INFO", "DEBUG"}]


def encoded(path: bytes, coding: bytes, length: int) -> bytes:
    return (
        b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Encoding: " + coding + b"\r\nContent-Length: %d\r\n\r\n" % length
    )


@pytest.mark.parametrize(
    ("path", "coding"),
    [
        *((path, b"gzip") for path in (b"/echo", b"/large", b"/nowhere")),
        *((b"/echo", coding) for coding in (b"GZIP", b"deflate", b"br", b"zstd", b"identity, gzip", b"nonsense")),
    ],
)
async def test_encoded_body_is_refused_without_inflating(
    path: bytes, coding: bytes, serve: Serving, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    inflated: list[object] = []
    monkeypatch.setattr("aiohttp.http_parser.DeflateBuffer.feed_data", lambda *args: inflated.append(args))
    service = await serve()
    client = await service.client()
    client.send(encoded(path, coding, 10) + b"no gzip")
    answer = await client.answer()
    assert (answer.status, answer.headers["connection"]) == (415, "close")
    assert answer.headers["accept-encoding"] == "identity"
    assert answer.problem()["type"] == "about:blank"
    assert await client.ended() == b""
    await service.left(0)
    assert inflated == []
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_identity_is_no_coding(serve: Serving) -> None:
    client = await (await serve()).client()
    client.send(encoded(b"/echo", b"Identity", 2) + b"{}")
    assert (await client.answer()).status == 200


async def test_answer_reaches_a_client_that_is_still_sending_and_ends_the_connection(serve: Serving) -> None:
    service = await serve()
    client = await service.client()
    client.send(encoded(b"/echo", b"gzip", LARGE) + bytes(4 << 20))
    answer = await client.answer()
    assert (answer.status, answer.headers["connection"]) == (415, "close")
    assert await client.ended() == b""
    sending = asyncio.create_task(client.trickle(bytes(100_000), 0.001))
    await service.left(0)
    await sending


async def test_unknown_expectation_is_answered_with_a_problem(serve: Serving, caplog: pytest.LogCaptureFixture) -> None:
    client = await (await serve()).client()
    client.send(POST.replace(b"Host", b"Expect: foo\r\nHost"))
    answer = await client.answer()
    assert answer.status == 417
    assert answer.problem()["traceId"]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("chunks", [[b"zz\r\n"], [b"2\r\n{}\r\n", b"-1\r\n"], [b"1\r\n{no\r\n"]])
async def test_malformed_chunk_is_answered_at_once(chunks: list[bytes], serve: Serving) -> None:
    service = await serve()
    client = await service.client()
    client.send(POST.replace(b"Content-Length: 10", b"Transfer-Encoding: chunked"))
    for chunk in chunks:
        await service.settled(1)
        await asyncio.sleep(0.05)  # each in its own segment
        client.send(chunk)
    answer = await client.answer()
    assert (answer.status, answer.headers["connection"]) == (400, "close")
    assert answer.problem()["type"] == "urn:orderstream:problem:malformed"
    assert await client.ended() == b""
    await service.left(0)


async def test_oldest_incomplete_bodies_are_cut_when_all_hold_too_much(serve: Serving) -> None:
    service = await serve(bodies_bytes=100_000)
    head = POST.replace(b"Length: 10", b"Length: 60002")
    older, newer = await service.client(), await service.client()
    older.send(head + b" " * 60_000)
    await service.held(60_000)
    newer.send(head + b" " * 60_000)
    answer = await older.answer()
    assert (answer.status, answer.headers["connection"], answer.headers["retry-after"]) == (503, "close", "1")
    assert await older.ended() == b""
    newer.send(b"{}")
    assert (await newer.answer()).status == 200
    assert service.cuts("bodies") == 1
    assert service.limiter.bodies_bytes == 0


async def test_dropped_body_is_freed_without_a_garbage_collection(serve: Serving) -> None:
    service = await serve()
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(20):
            client = await service.client()
            client.send(POST.replace(b"Length: 10", b"Length: 200002") + b" " * 200_000)
            await service.held(200_000)
            client.reset()
            await service.left(0)
        assert tracemalloc.get_traced_memory()[0] < 2_000_000
    finally:
        tracemalloc.stop()
        gc.enable()


async def test_malformed_connection_is_freed_without_a_garbage_collection(serve: Serving) -> None:
    async def freed() -> bool | None:
        return not any(type(each) is _Connection for each in gc.get_objects()) or None

    service = await serve()
    gc.collect()
    gc.disable()
    try:
        client = await service.client()
        client.send(b"noise\r\n\r\n")
        await client.answer()
        await client.ended()
        await eventually(freed, "the end of the connection")
    finally:
        gc.enable()


async def test_incomplete_body_behind_another_request_counts_too(serve: Serving) -> None:
    service = await serve(bodies_bytes=100_000)
    client = await service.client()
    client.send(GET.replace(b"/echo", b"/late") + POST.replace(b"Length: 10", b"Length: 200000") + bytes(110_000))
    await service.cut("bodies")
    await client.ended()
    await service.left(0)


async def test_client_that_disconnects_before_its_answer_is_counted_as_499(
    serve: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    service = await serve()
    for _ in range(20):
        client = await service.client()
        client.send(GET.replace(b"/echo", b"/late"))
        await service.settled(1)
        client.reset()
    slow = await service.client()
    slow.send(POST + b"{")
    await service.settled(1)
    slow.reset()

    async def counted() -> bool | None:
        return (service.requests("GET", "/late", 499), service.requests("POST", "/echo", 499)) == (20, 1) or None

    await eventually(counted, "requests counted as 499")
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_client_that_disconnects_before_it_is_told_to_continue_is_no_error(
    serve: Serving, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    service = await serve()
    resolve, resolved = service._app.router.resolve, asyncio.Event()

    async def slow(request: web.Request) -> web.UrlMappingMatchInfo:
        await _disconnected(request)
        resolved.set()
        return await resolve(request)

    monkeypatch.setattr(service._app.router, "resolve", slow)
    client = await service.client()
    client.send(POST.replace(b"Host", b"Expect: 100-continue\r\nHost"))
    await service.settled(1)
    client.reset()
    await asyncio.wait_for(resolved.wait(), PATIENCE_S)
    await service.left(0)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


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
