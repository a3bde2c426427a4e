"""Which clients are refused or closed, and how that is counted."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network

import pytest
from aiohttp import ClientSession, WSCloseCode, WSMsgType
from aiohttp.test_utils import TestServer

from notification_service.config import Config
from notification_service.http import BROADCASTER
from notification_service.notification import Position
from service_common.http_server import METRICS
from tests.integration.notification.conftest import Replica
from tests.support.waiting import eventually


async def closes(server: TestServer, reason: str) -> float:
    """Wait until there is a close for *reason* and return how many there are."""
    assert server.app is not None
    registry = server.app[METRICS].registry

    async def look() -> float | None:
        return registry.get_sample_value("orderstream_push_closes_total", {"reason": reason})

    return await eventually(look, f"a close for {reason}")


@pytest.mark.parametrize(
    ("frame", "code", "reason"),
    [
        (b"\xff" * 64, WSCloseCode.PROTOCOL_ERROR, "protocol-error"),
        (b"\x81\x82\0\0\0\0\xff\xff", WSCloseCode.INVALID_TEXT, "invalid-text"),
        (b"\x81\xfe\x10\x02\0\0\0\0" + b"x" * 4098, WSCloseCode.MESSAGE_TOO_BIG, "too-big"),
    ],
)
async def test_close_is_counted_by_its_reason(
    frame: bytes, code: int, reason: str, replica: Replica, http: ClientSession
) -> None:
    server = await replica()
    async with http.ws_connect(server.make_url("/ws")) as connection:
        assert connection._conn is not None
        assert connection._conn.transport is not None
        connection._conn.transport.write(frame)
        while (message := await connection.receive()).type is WSMsgType.TEXT:
            pass
        assert message.data == code
    assert await closes(server, reason) == 1


async def test_flood_is_counted_as_close_and_not_as_abort(
    replica: Replica, config: Config, http: ClientSession
) -> None:
    server = await replica(replace(config, push=replace(config.push, message_burst=5, messages_per_s=0.1)))
    async with http.ws_connect(server.make_url("/ws")) as connection:
        for _ in range(6):
            await connection.send_str("{}")
        while (message := await connection.receive()).type is WSMsgType.TEXT:
            pass
        assert message.data == WSCloseCode.POLICY_VIOLATION
    assert await closes(server, "flood") == 1
    assert server.app is not None
    assert b"push_aborts_total{" not in server.app[METRICS].exposition()


@pytest.mark.parametrize("path", ["/stream", "/ws"])
async def test_client_that_disconnects_before_its_stream_begins_is_no_error(
    path: str, replica: Replica, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    server = await replica()
    assert server.app is not None
    assert server.handler is not None
    broadcaster, open_connections, gone = server.app[BROADCASTER], server.handler, asyncio.Event()
    admit = broadcaster.admit

    async def admit_late(address: str, last_seen: Position | None) -> tuple[str | None, int | None]:
        await gone.wait()
        return await admit(address, last_seen)

    async def none_open() -> bool | None:
        return not open_connections.connections or None

    monkeypatch.setattr(broadcaster, "admit", admit_late)
    target = server.make_url(path).update_query(lastEventId="deadbeef-1").path_qs
    clients = 100
    for _ in range(clients):
        _, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(
            f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        wire = writer.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    await eventually(none_open, "the end of each connection")
    gone.set()

    async def statuses() -> list[int] | None:
        found = [vars(each)["status"] for each in caplog.records if each.message == "request handled"]
        return found if len(found) == clients else None

    assert set(await eventually(statuses, "the end of each request")) == {499}
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_request_that_is_no_websocket_is_told_so(replica: Replica, http: ClientSession) -> None:
    async with http.get((await replica()).make_url("/ws")) as response:
        assert response.status == 400
        problem = await response.json(content_type="application/problem+json")
        assert problem["type"] == "urn:orderstream:problem:malformed"
        assert "the header Upgrade has to be websocket" in problem["detail"]


@pytest.mark.parametrize("version", ["8", "14", "x", ""])
async def test_other_websocket_version_is_refused_with_the_one_there_is(
    version: str, replica: Replica, http: ClientSession
) -> None:
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": version}
    async with http.get((await replica()).make_url("/ws"), headers=headers) as response:
        assert response.status == 426
        assert response.headers["Sec-WebSocket-Version"] == "13"
        assert response.headers["Upgrade"] == "websocket"
        assert response.content_type == "application/problem+json"


@pytest.fixture
def one_each(config: Config) -> Callable[..., Config]:
    """A configuration with one connection per address, behind proxies that are trusted."""
    return lambda *proxies: replace(
        config,
        push=replace(config.push, connections_per_address=1),
        trusted_proxies=tuple(ip_network(each) for each in proxies),
    )


async def test_clients_behind_a_trusted_proxy_count_separately(
    replica: Replica, one_each: Callable[..., Config], http: ClientSession
) -> None:
    server = await replica(one_each("127.0.0.0/8"))
    url = server.make_url("/ws")
    async with (
        http.ws_connect(url, headers={"X-Forwarded-For": "203.0.113.7"}) as first,
        http.ws_connect(url, headers={"X-Forwarded-For": "203.0.113.8"}) as second,
        http.ws_connect(url, headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.7"}) as again,
    ):
        assert (await first.receive()).type is WSMsgType.TEXT
        assert (await second.receive()).type is WSMsgType.TEXT
        assert '"reason":"full"' in (await again.receive()).data
        assert (await again.receive()).data == WSCloseCode.TRY_AGAIN_LATER


async def test_forwarded_address_of_an_untrusted_peer_is_ignored(
    replica: Replica, one_each: Callable[..., Config], http: ClientSession
) -> None:
    server = await replica(one_each("10.0.0.0/8"))
    url = server.make_url("/stream")
    async with http.get(url, headers={"X-Forwarded-For": "203.0.113.7"}) as first:
        assert b"retry" in await first.content.readline()
        async with http.get(url, headers={"X-Forwarded-For": "203.0.113.8"}) as second:
            assert b'"reason":"full"' in await second.read()
