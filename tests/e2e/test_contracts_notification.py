"""The notification service keeps its history and its push protocols, whatever its clients do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest
import pytest_asyncio

from tests.support.problems import refused
from tests.support.system import System, as_pushed

pytestmark = pytest.mark.asyncio(loop_scope="session")

MEMBERS = {"id", "type", "kind", "orderId", "version", "message", "occurredAt", "traceId"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(system: System) -> list[dict[str, Any]]:
    """The notifications of one order, as the history has them."""
    async with system.sse() as watch:
        order_id = (await system.place({"123": 1})).json["id"]
        await watch.until(order_id, "CLOSED")
    return list((await history(system, f"orderId={order_id}"))["notifications"])


async def history(system: System, query: str) -> dict[str, Any]:
    answer = await system.call("notification", "GET", f"/notifications?{query}")
    assert answer.status == 200, answer
    return dict(answer.json)


@asynccontextmanager
async def socket(system: System, query: str = "") -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A WebSocket that has been welcomed."""
    async with system.session.ws_connect(f"{system.stack.url('notification')}/ws{query}") as connection:
        assert (await frame(connection))["type"] == "welcome"
        yield connection


async def frame(connection: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    return dict(orjson.loads(await connection.receive_str(timeout=10)))


async def test_notification_says_what_became_of_the_order(told: list[dict[str, Any]]) -> None:
    assert [each["kind"] for each in told] == ["CREATED", "CLOSED"]
    assert all(each.keys() == MEMBERS | {"recordedAt"} for each in told)
    assert all(each["recordedAt"] >= each["occurredAt"] for each in told)
    assert [each["type"] for each in told] == ["order-created", "order-processed"]


async def test_history_goes_on_after_an_id(system: System, told: list[dict[str, Any]]) -> None:
    order_id, first = told[0]["orderId"], told[0]["id"]
    page = await history(system, f"orderId={order_id}&limit=1")
    assert page["notifications"] == told[:1]
    assert (await history(system, f"orderId={order_id}&after={page['next']}"))["notifications"] == told[1:]
    assert (await history(system, f"orderId={order_id}&after={first}"))["notifications"] == told[1:]
    assert (await history(system, f"after={page['head']}"))["notifications"] == []


async def test_id_of_another_feed_is_told_and_begins_anew(system: System, told: list[dict[str, Any]]) -> None:
    page = await history(system, f"orderId={told[0]['orderId']}&after=another-1")
    assert (page["reset"], page["notifications"]) == (True, told)
    page = await history(system, f"orderId={told[0]['orderId']}&after={told[0]['id']}")
    assert page["reset"] is False


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=201",
        "limit=1.5",
        "limit=" + "9" * 5000,
        "after=1",
        "after=-1",
        "after=%00",
        "after=a-b",
        "after=abc-" + "9" * 30,
        "after=%ED%A0%80",
        "orderId=0",
        "orderId=-1",
        "orderId=x",
        "orderId=9223372036854775808",
        "orderId=1&orderId=x",
        "&".join(f"orderId={n}" for n in range(1, 258)),
        "offset=1",
    ],
    ids=lambda query: query[:20],
)
async def test_page_that_can_not_be_is_refused(system: System, query: str) -> None:
    refused(await system.call("notification", "GET", f"/notifications?{query}"), 422)


@pytest.mark.parametrize("path", ["/stream", "/ws"])
@pytest.mark.parametrize("query", ["orderId=0", "orderId=x", "orderId=9223372036854775808", "lastEventId=1"])
async def test_stream_that_can_not_be_is_refused(system: System, path: str, query: str) -> None:
    refused(await system.call("notification", "GET", f"{path}?{query}"), 422)


async def test_plain_request_is_no_websocket(system: System) -> None:
    refused(await system.call("notification", "GET", "/ws"), 400)


async def test_stream_goes_on_after_the_id_that_was_seen(system: System, told: list[dict[str, Any]]) -> None:
    order_id, first = told[0]["orderId"], told[0]["id"]
    async with system.sse(f"?orderId={order_id}&lastEventId={first}") as watch:
        await watch.until(order_id, "CLOSED")
    assert watch.notifications == [as_pushed(each) for each in told[1:]]
    # what the browser sends by itself wins over what stood in the address
    async with system.sse(f"?orderId={order_id}&lastEventId={told[-1]['id']}", **{"Last-Event-ID": first}) as watch:
        await watch.until(order_id, "CLOSED")
    async with system.websocket(f"?orderId={order_id}&lastEventId={first}") as watch:
        await watch.until(order_id, "CLOSED")
    assert watch.notifications == [as_pushed(each) for each in told[1:]]


@pytest.mark.parametrize("seen", ["another-1", "{epoch}-999999999999"])
async def test_id_that_this_feed_never_gave_is_reset(system: System, told: list[dict[str, Any]], seen: str) -> None:
    last = seen.format(epoch=told[0]["id"].partition("-")[0])
    head = (await history(system, "limit=1"))["head"]
    async with system.session.get(f"{system.stack.url('notification')}/stream?lastEventId={last}") as response:
        text = b""
        while b"event: reset" not in text or not text.endswith(b"\n\n"):
            text += await response.content.readany()
    assert f'data: {{"type":"reset","id":"{head}"}}' in text.decode()
    async with system.session.ws_connect(f"{system.stack.url('notification')}/ws?lastEventId={last}") as connection:
        frames = [await frame(connection), await frame(connection)]
    assert {"type": "reset", "id": head} in frames


async def test_page_of_another_origin_can_not_connect(system: System) -> None:
    url = f"{system.stack.url('notification')}/ws"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await system.session.ws_connect(url, origin="http://evil.example")
    assert refusal.value.status == 403
    answer = await system.call("notification", "GET", "/ws", headers={"Origin": "http://evil.example"})
    refused(answer, 403, "origin")


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "{",
        "[]",
        "null",
        "1",
        '"subscribe"',
        "{}",
        '{"type":"publish"}',
        '{"type":["subscribe"]}',
        '{"type":"subscribe","orderId":"x"}',
        '{"type":"subscribe","orderId":null}',
        '{"type":"subscribe","orderId":[0]}',
        '{"type":"subscribe","orderId":[1.0]}',
        '{"type":"subscribe","orderId":[true]}',
        '{"type":"subscribe","orderId":[9223372036854775808]}',
        '{"type":"subscribe","orderId":[1],"lastEventId":"x"}',
        '{"type":"subscribe","orderId":[' + ",".join(map(str, range(1, 258))) + "]}",
        r'{"type":"\ud800"}',
        "[" * 4000,
        "x" * 4096,
        b"\x00\xff",
    ],
    ids=lambda sent: repr(sent[:36]),
)
async def test_message_that_is_not_understood_is_answered_with_an_error(system: System, sent: str | bytes) -> None:
    async with socket(system) as connection:
        await (connection.send_bytes(sent) if isinstance(sent, bytes) else connection.send_str(sent))
        error = await frame(connection)
        assert error["type"] == "error"
        assert error["detail"]
        await connection.send_json({"type": "subscribe", "orderId": [1]})  # it is still there
        assert (await frame(connection))["type"] != "error"


async def test_message_that_is_too_long_ends_the_connection(system: System) -> None:
    async with socket(system) as connection:
        await connection.send_str("x" * 4097)
        assert (await connection.receive(timeout=10)).data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_flood_ends_the_connection(system: System) -> None:
    async with socket(system) as connection:
        for _ in range(100):
            await connection.send_str("{}")
        while (message := await connection.receive(timeout=10)).type is aiohttp.WSMsgType.TEXT:
            pass
        assert message.data == aiohttp.WSCloseCode.POLICY_VIOLATION


async def test_frame_that_is_no_websocket_ends_its_connection_only(system: System) -> None:
    async with socket(system) as other:
        async with socket(system) as connection:
            transport = connection._conn.transport if connection._conn else None
            assert transport is not None
            transport.write(b"\xff" * 64)
            assert (await connection.receive(timeout=10)).type is not aiohttp.WSMsgType.TEXT
        order_id = (await system.place({"123": 1})).json["id"]
        while (await frame(other)).get("data", {}).get("orderId") != order_id:
            pass
        await system.ended(order_id)
