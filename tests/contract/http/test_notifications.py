"""The notification service keeps its history and its push protocols: on PostgreSQL in this process, and as it runs."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson
import pytest
import pytest_asyncio

from notification_service.app import NOTIFIER, pushing
from order_contracts import EventType, Item, OrderEvent
from tests.support.http_service import HttpService, serving
from tests.support.in_memory.services import SERVICES
from tests.support.problems import refused
from tests.support.waiting import PATIENCE_S
from tests.support.watch import as_pushed, sse, websocket

from .conftest import POSTGRES, WIRE

if TYPE_CHECKING:
    from tests.support.system import System

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

pytestmark = pytest.mark.asyncio(loop_scope="session")

MEMBERS = {"id", "type", "kind", "orderId", "customerId", "version", "message", "occurredAt", "traceId"}


@dataclass(frozen=True, slots=True)
class Pushing:
    """The notification service.

    Attributes:
        service: to ask.
        tell: has it told of a new order, from its creation to its end, and returns the order's id.
    """

    service: HttpService
    tell: Callable[[], Awaitable[int]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pushing_postgres(module_database_url: str) -> AsyncIterator[Pushing]:
    app = SERVICES["notification"].app(pushing, DATABASE_URL=module_database_url)
    order_ids = count(1)

    async def tell() -> int:
        order_id = next(order_ids)
        for event, source in (
            (EventType.ORDER_CREATED, "/order-service"),
            (EventType.ORDER_PROCESSED, "/processing-service"),
        ):
            items = (Item("123", 1),) if event is EventType.ORDER_CREATED else ()
            await app[NOTIFIER].notify(OrderEvent(event, source, order_id, 1, datetime.now(UTC), TRACE, items))
        return order_id

    async with serving(app, lambda: None) as service:
        yield Pushing(service, tell)


@pytest.fixture(scope="module")
def pushing_wire(system: System) -> Pushing:
    async def tell() -> int:
        order_id = int((await system.place({"123": 1})).json["id"])
        await system.ended(order_id)
        return order_id

    return Pushing(system.service("notification"), tell)


@pytest.fixture(scope="module", params=[POSTGRES, WIRE])
def pushed(request: pytest.FixtureRequest) -> Pushing:
    found: Pushing = request.getfixturevalue(f"pushing_{request.param}")
    return found


@pytest.fixture(scope="module")
def service(pushed: Pushing) -> HttpService:
    """The notification service."""
    return pushed.service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(pushed: Pushing, service: HttpService) -> list[dict[str, Any]]:
    """The notifications of one order, as the history has them."""
    async with sse(service) as watch:
        order_id = await pushed.tell()
        await watch.until(order_id, "CLOSED")
    return list((await history(service, f"orderId={order_id}"))["notifications"])


async def history(service: HttpService, query: str) -> dict[str, Any]:
    answer = await service.call("GET", f"/notifications?{query}")
    assert answer.status == 200, answer
    return dict(answer.json)


@asynccontextmanager
async def socket(service: HttpService, query: str = "") -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A WebSocket that has been welcomed."""
    async with service.session.ws_connect(f"{service.url}/ws{query}") as connection:
        assert (await frame(connection))["type"] == "welcome"
        yield connection


async def frame(connection: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    return dict(orjson.loads(await connection.receive_str(timeout=PATIENCE_S)))


async def test_notification_says_what_became_of_the_order(told: list[dict[str, Any]]) -> None:
    assert [each["kind"] for each in told] == ["CREATED", "CLOSED"]
    assert all(each.keys() == MEMBERS | {"recordedAt"} for each in told)
    assert all(each["recordedAt"] >= each["occurredAt"] for each in told)
    assert [each["type"] for each in told] == ["order-created", "order-processed"]


async def test_history_goes_on_after_an_id(service: HttpService, told: list[dict[str, Any]]) -> None:
    order_id, first = told[0]["orderId"], told[0]["id"]
    page = await history(service, f"orderId={order_id}&limit=1")
    assert page["notifications"] == told[:1]
    assert (await history(service, f"orderId={order_id}&after={page['next']}"))["notifications"] == told[1:]
    assert (await history(service, f"orderId={order_id}&after={first}"))["notifications"] == told[1:]
    assert (await history(service, f"after={page['head']}"))["notifications"] == []


async def test_history_backwards_goes_on_before_an_id(service: HttpService, told: list[dict[str, Any]]) -> None:
    query = f"orderId={told[0]['orderId']}&order=desc&limit=1"
    page = await history(service, query)
    assert page["notifications"] == told[1:]
    assert (await history(service, f"{query}&before={page['next']}"))["notifications"] == told[:1]
    assert (await history(service, f"{query}&before={told[0]['id']}"))["notifications"] == []
    assert (await history(service, f"{query}&before=another-1"))["reset"] is True


async def test_stream_goes_on_from_the_head_of_the_history_without_gap_or_repetition(
    service: HttpService, pushed: Pushing
) -> None:
    await pushed.tell()
    page = await history(service, "order=desc&limit=3")
    assert page["notifications"][0]["id"] == page["head"]
    between = await pushed.tell()
    async with sse(service, f"?lastEventId={page['head']}") as watch:
        await watch.until(between, "CLOSED")
        later = await pushed.tell()
        await watch.until(later, "CLOSED")
    everything = await history(service, f"after={page['head']}&limit=200")
    pushes = [each["id"] for each in watch.notifications]
    assert pushes == [each["id"] for each in everything["notifications"]][: len(pushes)]
    assert {each["orderId"] for each in watch.notifications} >= {between, later}


async def test_id_of_another_feed_is_told_and_begins_anew(service: HttpService, told: list[dict[str, Any]]) -> None:
    page = await history(service, f"orderId={told[0]['orderId']}&after=another-1")
    assert (page["reset"], page["notifications"]) == (True, told)
    page = await history(service, f"orderId={told[0]['orderId']}&after={told[0]['id']}")
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
        "before=a-1",
        "before=a-1&order=asc",
        "after=a-1&order=desc",
        "before=a&order=desc",
        "before=&order=desc",
        "order=",
        "order=DESC",
        "order=desc&order=desc",
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
async def test_page_that_can_not_be_is_refused(service: HttpService, query: str) -> None:
    refused(await service.call("GET", f"/notifications?{query}"), 422)


@pytest.mark.parametrize("path", ["/stream", "/ws"])
@pytest.mark.parametrize("query", ["orderId=0", "orderId=x", "orderId=9223372036854775808", "lastEventId=1"])
async def test_stream_that_can_not_be_is_refused(service: HttpService, path: str, query: str) -> None:
    refused(await service.call("GET", f"{path}?{query}"), 422)


async def test_plain_request_is_no_websocket(service: HttpService) -> None:
    refused(await service.call("GET", "/ws"), 400)


async def test_stream_goes_on_after_the_id_that_was_seen(service: HttpService, told: list[dict[str, Any]]) -> None:
    order_id, first = told[0]["orderId"], told[0]["id"]
    async with sse(service, f"?orderId={order_id}&lastEventId={first}") as watch:
        await watch.until(order_id, "CLOSED")
    assert watch.notifications == [as_pushed(each) for each in told[1:]]
    # what the browser sends by itself wins over what stood in the address
    async with sse(service, f"?orderId={order_id}&lastEventId={told[-1]['id']}", **{"Last-Event-ID": first}) as watch:
        await watch.until(order_id, "CLOSED")
    async with websocket(service, f"?orderId={order_id}&lastEventId={first}") as watch:
        await watch.until(order_id, "CLOSED")
    assert watch.notifications == [as_pushed(each) for each in told[1:]]


@pytest.mark.parametrize("seen", ["another-1", "{epoch}-999999999999"])
async def test_id_that_this_feed_never_gave_is_reset(
    service: HttpService, told: list[dict[str, Any]], seen: str
) -> None:
    last = seen.format(epoch=told[0]["id"].partition("-")[0])
    head = place((await history(service, "limit=1"))["head"])
    async with service.session.get(f"{service.url}/stream?lastEventId={last}") as response:
        text = b""
        while b"event: reset" not in text or not text.endswith(b"\n\n"):
            text += await response.content.readany()
    (reset,) = re.findall(r'data: (\{"type":"reset".*\})', text.decode())
    assert place(orjson.loads(reset)["id"]) >= head
    async with service.session.ws_connect(f"{service.url}/ws?lastEventId={last}") as connection:
        frames = [await frame(connection), await frame(connection)]
    (reset,) = [each for each in frames if each["type"] == "reset"]
    assert place(reset["id"]) >= head


def place(event_id: str) -> tuple[str, int]:
    epoch, _, number = event_id.rpartition("-")
    return epoch, int(number)


async def test_page_of_another_origin_can_not_connect(service: HttpService) -> None:
    url = f"{service.url}/ws"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await service.session.ws_connect(url, origin="http://evil.example")
    assert refusal.value.status == 403
    answer = await service.call("GET", "/ws", headers={"Origin": "http://evil.example"})
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
async def test_message_that_is_not_understood_is_answered_with_an_error(
    service: HttpService, sent: str | bytes
) -> None:
    async with socket(service) as connection:
        await (connection.send_bytes(sent) if isinstance(sent, bytes) else connection.send_str(sent))
        error = await frame(connection)
        while error["type"] in {"event", "heartbeat"}:  # of others that order
            error = await frame(connection)
        assert error["type"] == "error"
        assert error["detail"]
        await connection.send_json({"type": "subscribe", "orderId": [1]})  # it is still there
        assert (await frame(connection))["type"] != "error"


async def test_message_that_is_too_long_ends_the_connection(service: HttpService) -> None:
    async with socket(service) as connection:
        await connection.send_str("x" * 4097)
        assert (await connection.receive(timeout=PATIENCE_S)).data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_flood_ends_the_connection(service: HttpService) -> None:
    async with socket(service) as connection:
        for _ in range(100):
            await connection.send_str("{}")
        while (message := await connection.receive(timeout=PATIENCE_S)).type is aiohttp.WSMsgType.TEXT:
            pass
        assert message.data == aiohttp.WSCloseCode.POLICY_VIOLATION


async def test_frame_that_is_no_websocket_ends_its_connection_only(pushed: Pushing, service: HttpService) -> None:
    async with websocket(service) as other:
        async with socket(service) as connection:
            transport = connection._conn.transport if connection._conn else None
            assert transport is not None
            transport.write(b"\xff" * 64)
            assert (await connection.receive(timeout=PATIENCE_S)).type is not aiohttp.WSMsgType.TEXT
        await other.until(await pushed.tell(), "CLOSED")
