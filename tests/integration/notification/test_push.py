from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any, TypeAlias

import orjson
import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from notification_service.config import Config
from notification_service.feed import SqlFeed
from notification_service.http import BROADCASTER
from notification_service.notification import FeedState
from notification_service.push import PushCounters, PushLimits, open_broadcaster
from order_contracts import EventType, OrderEvent
from service_common.errors import UnavailableError
from service_common.http_server import METRICS
from tests.support.in_memory.notification import Block, InMemoryFeed, blocks
from tests.support.waiting import PATIENCE_S

Replica: TypeAlias = Callable[..., Awaitable[TestServer]]
CREATED, CLOSED, FAILED = EventType.ORDER_CREATED, EventType.ORDER_PROCESSED, EventType.ORDER_FAILED


def event(event_type: EventType, order: int) -> OrderEvent:
    reason = "out of stock" if event_type is FAILED else None
    return OrderEvent(event_type, "/test", order, 1, datetime.now(UTC), reason=reason)


async def append(feed: SqlFeed, *orders: int) -> None:
    written = await feed.append([event(CREATED, order) for order in orders])
    await feed.notify_replicas(max(each.seq for notifications in written for each in notifications))


@asynccontextmanager
async def sse(
    http: ClientSession, server: TestServer, query: str = "", last_id: str | None = None
) -> AsyncIterator[AsyncIterator[Block]]:
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    async with http.get(server.make_url(f"/stream{query}"), headers=headers) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        assert response.headers["Connection"] == "close"
        yield blocks(aiter(response.content))


@asynccontextmanager
async def ws(server: TestServer, query: str = "", **options: Any) -> AsyncIterator[ClientConnection]:
    url = str(server.make_url(f"/ws{query}")).replace("http", "ws", 1)
    async with connect(url, ping_interval=None, **options) as connection:
        yield connection


async def next_orders(stream: AsyncIterator[Block], count: int) -> list[int]:
    found: list[int] = []
    async for block in stream:
        if block.data is not None and block.event is None:
            found.append(orjson.loads(block.data)["orderId"])
        if len(found) == count:
            break
    return found


async def receive(connection: ClientConnection, kind: str = "event") -> dict[str, Any]:
    while True:
        message: dict[str, Any] = orjson.loads(await connection.recv())
        if message["type"] == kind:
            return message


async def test_first_block_has_the_reconnect_delay_and_the_position(
    replica: Replica, http: ClientSession, feed: SqlFeed
) -> None:
    server = await replica()
    state = await feed.state()
    async with sse(http, server) as stream:
        first = await anext(stream)
    assert first.id == f"{state.epoch}-0"
    assert first.retry is not None
    assert first.retry.isdecimal()
    assert first.event == "welcome"
    assert orjson.loads(first.data or "") == {
        "type": "welcome",
        "id": first.id,
        "head": first.id,
        "resumed": False,
        "heartbeatMs": 500,
    }


async def test_notification_reaches_both_protocols_as_the_same_document(
    replica: Replica, http: ClientSession, feed: SqlFeed
) -> None:
    server = await replica()
    async with sse(http, server) as stream, ws(server) as connection:
        await anext(stream)
        assert (await receive(connection, "welcome"))["resumed"] is False
        await feed.append([event(FAILED, 12)])
        await feed.notify_replicas(2)
        events = [block async for block in take(stream, 2)]
        frames = [await receive(connection), await receive(connection)]
    assert [orjson.loads(each.data or "") for each in events] == [frame["data"] for frame in frames]
    assert [each.id for each in events] == [frame["id"] for frame in frames]
    created, failed = (frame["data"] for frame in frames)
    assert created["message"] == "Notification CREATED for order 12"
    assert failed["message"] == "Notification FAILED for order 12"
    assert failed["reason"] == "out of stock"
    members = {"id", "type", "kind", "orderId", "customerId", "version", "message", "occurredAt", "traceId"}
    assert set(created) == members


async def take(stream: AsyncIterator[Block], count: int) -> AsyncIterator[Block]:
    async for block in stream:
        if block.data is not None and block.event is None:
            yield block
            count -= 1
        if not count:
            return


async def test_filter_selects_orders(replica: Replica, http: ClientSession, feed: SqlFeed) -> None:
    server = await replica()
    async with sse(http, server, "?orderId=2&orderId=4") as stream, ws(server, "?orderId=3") as connection:
        await anext(stream)
        await receive(connection, "welcome")
        await append(feed, 1, 2, 3, 4)
        assert await next_orders(stream, 2) == [2, 4]
        assert (await receive(connection))["data"]["orderId"] == 3


@pytest.mark.parametrize("by", ["header", "query", "websocket"])
async def test_client_resumes_on_another_replica_without_loss_or_repeat(
    by: str, replica: Replica, http: ClientSession, feed: SqlFeed
) -> None:
    one, other = await replica(), await replica()
    async with sse(http, one) as stream:
        await anext(stream)
        await append(feed, *range(1, 6))
        last = [block async for block in take(stream, 3)][-1]
    await append(feed, *range(6, 300))
    if by == "websocket":
        async with ws(other, f"?lastEventId={last.id}") as connection:
            assert (await receive(connection, "welcome"))["resumed"] is True
            seen = [(await receive(connection))["data"]["orderId"] for _ in range(296)]
    else:
        query, header = (f"?lastEventId={last.id}", None) if by == "query" else ("?lastEventId=x-1", last.id)
        async with sse(http, other, query, header) as stream:
            assert (await anext(stream)).id == last.id
            seen = await next_orders(stream, 296)
    assert seen == list(range(4, 300))


async def test_resume_from_beyond_the_buffer_is_served_from_the_table(
    replica: Replica, http: ClientSession, feed: SqlFeed, config: Config
) -> None:
    await feed.append([event(CREATED, order) for order in range(1, 1_200)])
    server = await replica(replace(config, push=replace(config.push, ring_bytes=20_000)))
    epoch = (await feed.state()).epoch
    async with sse(http, server, f"?lastEventId={epoch}-0") as stream:
        assert await next_orders(stream, 1_199) == list(range(1, 1_200))
        await append(feed, 1_200)
        assert await next_orders(stream, 1) == [1_200]
    async with sse(http, server, f"?lastEventId={epoch}-0&orderId=3&orderId=1190") as stream:
        assert await next_orders(stream, 2) == [3, 1190]


@pytest.mark.parametrize("ahead", [10, None])
async def test_resume_from_an_unknown_position_gets_a_reset(
    ahead: int | None, replica: Replica, http: ClientSession, feed: SqlFeed
) -> None:
    await feed.append([event(CREATED, 1), event(CREATED, 2)])
    server = await replica()
    epoch = (await feed.state()).epoch
    wanted = "other-1" if ahead is None else f"{epoch}-{2 + ahead}"
    async with sse(http, server, last_id=wanted) as stream:
        await anext(stream)
        told = await anext(stream)
        assert (told.event, told.id) == ("reset", f"{epoch}-2")
        assert orjson.loads(told.data or "") == {"type": "reset", "id": f"{epoch}-2"}
        await append(feed, 3)
        assert await next_orders(stream, 1) == [3]
    async with ws(server, f"?lastEventId={wanted}") as connection:
        assert (await receive(connection, "welcome"))["resumed"] is False
        assert (await receive(connection, "reset"))["id"] == f"{epoch}-3"


async def test_resume_from_an_expired_position_gets_a_reset(
    replica: Replica, http: ClientSession, feed: SqlFeed
) -> None:
    await feed.append([event(CLOSED, 1)])
    await feed.expire(0)
    await feed.append([event(CREATED, 2)])
    server = await replica()
    epoch = (await feed.state()).epoch
    async with sse(http, server, last_id=f"{epoch}-1") as stream:
        await anext(stream)
        assert (await anext(stream)).event == "reset"
    async with sse(http, server, last_id=f"{epoch}-2") as stream:
        assert await next_orders(stream, 1) == [2]


async def test_resume_from_a_position_ahead_of_this_replica_waits_for_it(
    replica: Replica, http: ClientSession, feed: SqlFeed, config: Config
) -> None:
    server = await replica(replace(config, feed_poll_s=1.0))
    epoch = (await feed.state()).epoch
    await feed.append([event(CREATED, order) for order in (1, 2, 3)])  # without NOTIFY
    async with sse(http, server, last_id=f"{epoch}-2") as stream:
        assert (await anext(stream)).id == f"{epoch}-2"
        assert await next_orders(stream, 1) == [3]


async def test_heartbeat_moves_the_position_of_a_quiet_filtered_client(
    replica: Replica, http: ClientSession, feed: SqlFeed
) -> None:
    server = await replica()
    epoch = (await feed.state()).epoch
    async with sse(http, server, "?orderId=999") as stream, ws(server, "?orderId=999") as connection:
        await append(feed, 1, 2, 3)
        async for block in stream:
            assert block.event in {"welcome", "heartbeat"}
            if block.id == f"{epoch}-3":
                break
        while (await receive(connection, "heartbeat"))["id"] != f"{epoch}-3":
            pass


async def test_subscribe_changes_the_filter(replica: Replica, feed: SqlFeed) -> None:
    server = await replica()
    async with ws(server, "?orderId=1") as connection:
        await connection.send('{"type":"subscribe","orderId":[2]}')
        await receive(connection, "heartbeat")
        await append(feed, 1, 2)
        assert (await receive(connection))["data"]["orderId"] == 2
        await connection.send('{"type":"subscribe","kind":["CREATED"]}')
        await receive(connection, "heartbeat")
        await feed.append([event(CLOSED, 2), event(CLOSED, 3)])
        await feed.notify_replicas(5)
        assert [(await receive(connection))["data"]["orderId"] for _ in range(1)] == [3]
        await connection.send('{"type":"subscribe","orderId":[3],"kind":["FAILED","CLOSED"]}')
        await receive(connection, "heartbeat")
        await append(feed, 4)
        await connection.send('{"type":"subscribe","kind":[]}')
        assert "/kind" in (await receive(connection, "error"))["detail"]


@pytest.mark.parametrize(
    "message",
    [
        "nonsense",
        "[]",
        "{}",
        '{"type":"dance"}',
        '{"type":"subscribe"}',
        '{"type":"subscribe","orderId":[]}',
        '{"type":"subscribe","orderId":null,"kind":["CLOSED"]}',
        '{"type":"subscribe","kind":["closed"]}',
        '{"type":"subscribe","order":[1]}',
        '{"type":"subscribe","orderId":["a"]}',
        b"\x00\xff",
        "{" * 4_000,
    ],
)
async def test_invalid_message_gets_an_error_frame(message: str | bytes, replica: Replica, feed: SqlFeed) -> None:
    server = await replica()
    async with ws(server) as connection:
        await connection.send(message)
        assert (await receive(connection, "error"))["detail"]
        await append(feed, 1)
        assert (await receive(connection))["data"]["orderId"] == 1


async def test_message_over_4_kib_closes_with_1009(replica: Replica) -> None:
    server = await replica()
    async with ws(server) as connection:
        await connection.send("x" * 4096)
        await receive(connection, "error")
        await connection.send("x" * 4097)
        with pytest.raises(ConnectionClosed) as closed:
            await receive(connection)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


async def test_flood_of_messages_closes_with_1008(replica: Replica, config: Config) -> None:
    server = await replica(replace(config, push=replace(config.push, message_burst=5, messages_per_s=0.1)))
    async with ws(server) as connection:
        for _ in range(6):
            await connection.send("{}")
        with pytest.raises(ConnectionClosed) as closed:
            await receive(connection)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


@pytest.mark.parametrize("path", ["/stream", "/ws"])
@pytest.mark.parametrize(
    "query",
    [
        "?orderId=abc",
        "?orderId=0",
        "?orderId=1&orderId=-4",
        "?lastEventId=nonsense",
        "?lastEventId=a-b",
        "?orderId=",
        "?kind=",
        "?kind=closed",
        "?orderid=5",
        "?lastEventId=",
    ],
)
async def test_invalid_query_gets_a_problem_document(
    path: str, query: str, replica: Replica, http: ClientSession
) -> None:
    server = await replica()
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    async with http.get(server.make_url(path + query), headers=headers if path == "/ws" else {}) as response:
        assert response.status == 422
        assert response.content_type == "application/problem+json"
        assert (await response.json(content_type=None))["errors"][0]["pointer"].split("/")[1] in query


async def test_request_without_upgrade_gets_a_problem_document(replica: Replica, http: ClientSession) -> None:
    server = await replica()
    async with http.get(server.make_url("/ws")) as response:
        assert response.status == 400
        assert response.content_type == "application/problem+json"
    async with http.post(server.make_url("/stream")) as response:
        assert response.status == 405


async def test_origin_that_is_not_allowed_is_refused_before_the_upgrade(replica: Replica) -> None:
    server = await replica()
    with pytest.raises(InvalidStatus) as refused:
        async with ws(server, origin=Origin("http://evil.example")):
            pass
    assert refused.value.response.status_code == 403
    assert refused.value.response.headers["Content-Type"].startswith("application/problem+json")
    own = str(server.make_url("/").origin())
    for origin in ("http://shop.example", own, own.upper()):
        async with ws(server, origin=Origin(origin)) as connection:
            await receive(connection, "welcome")


async def test_name_that_only_a_trusted_proxy_tells_is_an_origin(replica: Replica, config: Config) -> None:
    forwarded: dict[str, Any] = {
        "origin": Origin("https://shop.test"),
        "additional_headers": {"X-Forwarded-Host": "shop.test"},
    }
    with pytest.raises(InvalidStatus):
        async with ws(await replica(), **forwarded):
            pass
    async with ws(await replica(replace(config, trusted_proxies=(ip_network("127.0.0.0/8"),))), **forwarded) as behind:
        await receive(behind, "welcome")


@pytest.mark.parametrize("by", ["header", "query", "websocket"])
async def test_client_begins_with_the_earliest_of_its_filter(
    by: str, replica: Replica, http: ClientSession, feed: SqlFeed, config: Config
) -> None:
    await feed.append([event(CLOSED, 1)])
    await feed.expire(0)
    await feed.append([event(CREATED, order) for order in range(2, 300)])
    await feed.append([event(FAILED, 200), event(CLOSED, 7)])
    server = await replica(replace(config, push=replace(config.push, ring_bytes=20_000)))
    query = "orderId=7&orderId=200&orderId=1&kind=CREATED&kind=FAILED"
    epoch = (await feed.state()).epoch
    if by == "websocket":
        async with ws(server, f"?{query}&lastEventId=earliest") as connection:
            welcome = await receive(connection, "welcome")
            assert (welcome["id"], welcome["resumed"]) == (f"{epoch}-2", True)
            told = [(await receive(connection))["data"] for _ in range(3)]
    else:
        address, header = (f"?{query}", "earliest") if by == "header" else (f"?{query}&lastEventId=earliest", None)
        async with sse(http, server, address, header) as stream:
            told = [orjson.loads(block.data or "") async for block in take(stream, 3)]
    assert [(each["orderId"], each["kind"]) for each in told] == [(7, "CREATED"), (200, "CREATED"), (200, "FAILED")]


async def test_rare_kind_is_found_beyond_the_positions_of_one_read(
    replica: Replica, http: ClientSession, feed: SqlFeed, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notification_service.feed.postgres.ROWS_PER_READ", 50)
    await feed.append([event(CREATED, order) for order in range(1, 300)])
    await feed.append([event(FAILED, 299)])
    server = await replica(replace(config, push=replace(config.push, ring_bytes=0)))
    async with sse(http, server, "?kind=FAILED&lastEventId=earliest") as stream:
        assert await next_orders(stream, 1) == [299]
    found, pages, query = [], 0, "?kind=FAILED"
    while query:
        async with http.get(server.make_url(f"/notifications{query}")) as response:
            page = await response.json()
        found += page["notifications"]
        pages += 1
        query = page["next"] and f"?kind=FAILED&after={page['next']}"
    assert ([each["orderId"] for each in found], pages) == ([299], 6)


async def test_only_allowed_origins_get_cors_headers(replica: Replica, http: ClientSession) -> None:
    server = await replica()
    for origin, allowed in (("http://shop.example", "http://shop.example"), ("http://evil.example", None)):
        async with http.get(server.make_url("/stream"), headers={"Origin": origin}) as response:
            assert response.headers.get("Access-Control-Allow-Origin") == allowed


async def test_http_1_0_client_gets_an_unchunked_stream(replica: Replica, feed: SqlFeed) -> None:
    server = await replica()
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(b"GET /stream?orderId=5 HTTP/1.0\r\n\r\n")
    async with asyncio.timeout(PATIENCE_S):
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"chunked" not in head
        await reader.readuntil(b"\n\n")
        await append(feed, 5, 6)
        body = await reader.readuntil(b"data: ")
        assert body.startswith((b"id: ", b"event: heartbeat"))
        assert orjson.loads(await reader.readline())["orderId"] == 5
    writer.close()


async def test_client_over_the_limit_is_told_to_reconnect_later(
    replica: Replica, http: ClientSession, config: Config
) -> None:
    server = await replica(replace(config, push=PushLimits(connections=1)))
    async with ws(server) as connection:
        await receive(connection, "welcome")
        async with http.get(server.make_url("/stream")) as response:
            assert response.status == 200
            (bye,) = [block async for block in blocks(aiter(response.content))]
            assert (bye.event, orjson.loads(bye.data or "")["reason"]) == ("bye", "full")
        async with ws(server) as refused:
            assert (await receive(refused, "bye"))["reason"] == "full"
            with pytest.raises(ConnectionClosed) as closed:
                await refused.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1013


async def test_client_is_told_to_reconnect_later_while_its_position_cannot_be_checked(
    replica: Replica, http: ClientSession, config: Config
) -> None:
    class AwayFeed(InMemoryFeed):
        away = False

        async def state(self) -> FeedState:
            if self.away:
                raise UnavailableError("away")
            return await super().state()

    async def pushing_in_memory(app: web.Application) -> AsyncIterator[None]:
        feed, counters = AwayFeed(), PushCounters(app[METRICS])
        app[BROADCASTER] = await open_broadcaster(feed, await feed.state(), config.push, counters)
        feed.away = True
        yield

    server = await replica(config, (pushing_in_memory,))
    async with http.get(server.make_url("/stream?lastEventId=test-5")) as response:
        assert response.status == 200
        assert b'"reason":"unavailable"' in await response.content.read()
    async with ws(server, "?lastEventId=test-5") as refused:
        assert (await receive(refused, "bye"))["reason"] == "unavailable"
        with pytest.raises(ConnectionClosed) as closed:
            await refused.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1013
    async with ws(server, "?lastEventId=test-0") as connection:
        assert (await receive(connection, "welcome"))["resumed"] is True


async def test_no_frame_follows_the_close_frame(replica: Replica, feed: SqlFeed) -> None:
    server = await replica()
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    async with asyncio.timeout(PATIENCE_S):
        await reader.readuntil(b"welcome")
        writer.write(b"\x83\x80\x00\x00\x00\x00")  # opcode 3 is not defined
        await reader.readuntil(b"\x03\xea")  # close code 1002
        await append(feed, 1)
        assert b"Notification" not in await reader.read()
    writer.close()


async def test_connection_over_its_maximum_age_is_closed(replica: Replica, http: ClientSession, config: Config) -> None:
    server = await replica(replace(config, push=replace(config.push, age_s=0.3)))
    async with sse(http, server) as stream, ws(server) as connection:
        last = [block async for block in stream][-1]
        bye = await receive(connection, "bye")
        assert bye["reason"] == "age"
        assert bye["retryMs"] > 0
        assert last.retry is not None
        assert orjson.loads(last.data or "") == {"type": "bye", "reason": "age", "retryMs": int(last.retry)}
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012


async def test_shutdown_tells_every_client_to_reconnect(replica: Replica, http: ClientSession, config: Config) -> None:
    server = await replica()
    async with sse(http, server) as stream, ws(server) as connection:
        await anext(stream)
        await receive(connection, "welcome")
        loop = asyncio.get_running_loop()
        started = loop.time()
        stopped = asyncio.create_task(server.close())
        assert (await receive(connection, "bye"))["reason"] == "drain"
        with pytest.raises(ConnectionClosed):
            await connection.recv()
        assert [block async for block in stream][-1].retry is not None
        await stopped
        assert loop.time() - started < config.shutdown_grace_s + 2


async def test_history_is_read_in_pages_with_the_head(replica: Replica, http: ClientSession, feed: SqlFeed) -> None:
    await feed.append([event(CREATED, order) for order in range(1, 6)])
    await feed.append([event(CLOSED, 2)])
    server = await replica()
    epoch = (await feed.state()).epoch

    async def ask(query: str) -> dict[str, Any]:
        async with http.get(server.make_url(f"/notifications{query}")) as response:
            assert response.status == 200
            document: dict[str, Any] = await response.json()
            return document

    first = await ask("?limit=4")
    assert [each["orderId"] for each in first["notifications"]] == [1, 2, 3, 4]
    assert (first["next"], first["head"], first["reset"]) == (f"{epoch}-4", f"{epoch}-6", False)
    second = await ask(f"?limit=4&after={first['next']}")
    assert [each["kind"] for each in second["notifications"]] == ["CREATED", "CLOSED"]
    assert second["next"] is None
    assert all(each["recordedAt"] > each["occurredAt"] for each in first["notifications"])
    assert [each["kind"] for each in (await ask("?orderId=2"))["notifications"]] == ["CREATED", "CLOSED"]
    assert (await ask("?after=other-3"))["reset"] is True
    assert len((await ask("?after=other-3"))["notifications"]) == 6


@pytest.mark.parametrize("query", ["?limit=0", "?limit=201", "?after=x", "?orderId=no", "?colour=red", "?kind="])
async def test_invalid_history_query_gets_a_problem(query: str, replica: Replica, http: ClientSession) -> None:
    server = await replica()
    async with http.get(server.make_url(f"/notifications{query}")) as response:
        assert response.status == 422
        assert response.content_type == "application/problem+json"
