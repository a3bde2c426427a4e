"""Customers who try every way of the push protocol and of the history to hear others, on two replicas with sign-in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

import orjson
import pytest
from aiohttp import ClientSession, WSServerHandshakeError
from aiohttp.test_utils import TestServer

from notification_service.config import Config
from notification_service.feed import SqlFeed
from notification_service.http import BROADCASTER
from order_contracts import EventType, OrderEvent
from service_common.config import AuthConfig
from service_common.scope import ANONYMOUS
from tests.support.in_memory.notification import blocks
from tests.support.issuer import AUDIENCE, Issuer, bearer, issuer
from tests.support.waiting import PATIENCE_S, eventually

Replica: TypeAlias = Callable[..., Awaitable[TestServer]]
Document: TypeAlias = dict[str, Any]
# of the order with that number, in turn
OWNERS = ("alice", "bob", ANONYMOUS, "carol")
BEFORE, AFTER = range(1, 41), range(41, 61)


def owner(order: int) -> str:
    return OWNERS[order % len(OWNERS)]


def orders_of(customer: str, orders: Sequence[int]) -> list[int]:
    return [order for order in orders if owner(order) == customer]


@dataclass(frozen=True)
class Service:
    """Two replicas, their feed, and who calls."""

    replicas: Sequence[TestServer]
    feed: SqlFeed
    tokens: Issuer

    async def append(self, orders: Sequence[int]) -> str:
        """Append a notification of each order, and return the position after them once every replica is there."""
        created = [
            OrderEvent(EventType.ORDER_CREATED, "/test", order, 1, datetime.now(UTC), customer_id=owner(order))
            for order in orders
        ]
        await self.feed.append(created)
        state = await self.feed.state()
        await self.feed.notify_replicas(state.head)

        async def everywhere() -> bool | None:
            apps = [server.app for server in self.replicas if server.app is not None]
            return all(app[BROADCASTER].hub.head >= state.head for app in apps) or None

        await eventually(everywhere, "the notifications on every replica")
        return f"{state.epoch}-{state.head}"

    def headers(self, who: str, *roles: str) -> Mapping[str, str]:
        return bearer(self.tokens.token(who, *roles))


@pytest.fixture
async def service(replica: Replica, config: Config, feed: SqlFeed) -> AsyncIterator[Service]:
    async with issuer() as tokens:
        signed_in = replace(config, auth=AuthConfig(issuer=tokens.url, audiences=(AUDIENCE,)))
        yield Service([await replica(signed_in), await replica(signed_in)], feed, tokens)


class Listener:
    """One stream; it has heard everything when it is told that it is at the head."""

    def __init__(self, frames: AsyncIterator[Document]) -> None:
        self._frames = frames
        self.resets = 0
        self.heard: list[Document] = []

    async def opened(self) -> None:
        assert (await anext(self._frames))["type"] == "welcome"

    async def until(self, head: str) -> None:
        async for frame in self._frames:
            if frame["type"] == "event":
                self.heard.append(frame["data"])
            self.resets += frame["type"] == "reset"
            if frame["type"] == "heartbeat" and frame["id"] == head:
                return

    @property
    def orders(self) -> list[int]:
        return [each["orderId"] for each in self.heard]

    @property
    def customers(self) -> set[str]:
        return {each["customerId"] for each in self.heard}


async def over_sse(
    stack: AsyncExitStack, http: ClientSession, server: TestServer, query: str, headers: Mapping[str, str]
) -> Listener:
    response = await stack.enter_async_context(http.get(server.make_url(f"/stream{query}"), headers=headers))
    assert response.status == 200

    async def frames() -> AsyncIterator[Document]:
        async for block in blocks(aiter(response.content)):
            document = orjson.loads(block.data or "")
            yield {"type": "event", "data": document} if block.event is None else document

    return Listener(frames())


async def over_ws(
    stack: AsyncExitStack, http: ClientSession, server: TestServer, query: str, headers: Mapping[str, str]
) -> tuple[Listener, Callable[[str], Awaitable[None]]]:
    socket = await stack.enter_async_context(http.ws_connect(server.make_url(f"/ws{query}"), headers=headers))

    async def frames() -> AsyncIterator[Document]:
        async for message in socket:
            yield orjson.loads(message.data)

    return Listener(frames()), socket.send_str


async def test_customer_hears_own_notifications_whatever_it_asks_for(service: Service, http: ClientSession) -> None:
    state = await service.feed.state()
    middle = await service.append(BEFORE[:20])
    await service.append(BEFORE[20:])
    own = orders_of("alice", [*BEFORE, *AFTER])
    bobs = "&".join(f"orderId={order}" for order in orders_of("bob", [*BEFORE, *AFTER]))
    start = f"{state.epoch}-0"
    # query, and what comes
    asked = {
        "": orders_of("alice", AFTER),
        "?customer=alice": orders_of("alice", AFTER),
        "?kind=CREATED": orders_of("alice", AFTER),
        "?lastEventId=earliest": own,
        "?lastEventId=earliest&kind=CREATED": own,
        f"?lastEventId={start}": own,
        f"?lastEventId={middle}": orders_of("alice", [*BEFORE[20:], *AFTER]),
        # resets: the first is of another feed, the second beyond this one
        "?lastEventId=another-5": orders_of("alice", AFTER),
        f"?lastEventId={state.epoch}-9999": orders_of("alice", AFTER),
        f"?{bobs}": [],
        f"?{bobs}&lastEventId=earliest": [],
        f"?{bobs}&lastEventId={start}&customer=alice": [],
        f"?{bobs}&orderId=44&lastEventId=earliest": [44],
    }
    assert owner(44) == "alice"
    alice = service.headers("alice")
    async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE_S):
        listening: list[tuple[Listener, list[int]]] = []
        for server in service.replicas:
            for query, orders in asked.items():
                listening.append((await over_sse(stack, http, server, query, alice), orders))
                listening.append(((await over_ws(stack, http, server, query, alice))[0], orders))
        for listener, _ in listening:
            await listener.opened()
        head = await service.append(AFTER)
        await asyncio.gather(*(listener.until(head) for listener, _ in listening))
    for listener, orders in listening:
        assert listener.orders == orders
        assert listener.customers <= {"alice"}
    assert sum(listener.resets for listener, _ in listening) == 2 * 2 * len(service.replicas)


async def test_subscribing_changes_no_scope(service: Service, http: ClientSession) -> None:
    bobs = orders_of("bob", [*BEFORE, *AFTER])
    start = await service.append(BEFORE)
    async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE_S):
        alice, send = await over_ws(stack, http, service.replicas[0], f"?lastEventId={start}", service.headers("alice"))
        operator, narrow = await over_ws(
            stack, http, service.replicas[1], "?customer=bob&lastEventId=earliest", service.headers("olga", "operator")
        )
        for listener in (alice, operator):
            await listener.opened()
        for message in (
            {"type": "subscribe", "orderId": [*bobs, 44]},
            {"type": "subscribe", "kind": ["CREATED"], "customer": "bob"},
            {"type": "subscribe", "customerId": "bob"},
            {"type": "subscribe", "scope": None},
        ):
            await send(orjson.dumps(message).decode())
        await narrow('{"type":"subscribe","kind":["CREATED"]}')
        middle = await service.append(AFTER)
        await asyncio.gather(alice.until(middle), operator.until(middle))
        await send('{"type":"subscribe","kind":["CREATED"]}')
        head = await service.append(range(61, 69))
        await asyncio.gather(alice.until(head), operator.until(head))
    assert alice.orders == [44, *orders_of("alice", range(61, 69))]
    assert operator.orders == orders_of("bob", range(1, 69))


async def test_history_has_own_notifications_page_by_page(service: Service, http: ClientSession) -> None:
    await service.append([*BEFORE, *AFTER])
    epoch = (await service.feed.state()).epoch
    bobs = "&".join(f"orderId={order}" for order in orders_of("bob", BEFORE))

    async def read(
        query: str, server: TestServer, headers: Mapping[str, str], position: str = "after"
    ) -> list[Document]:
        found: list[Document] = []
        after = ""
        while True:
            url = server.make_url(f"/notifications?limit=3{query}{after}")
            async with http.get(url, headers=headers) as answer:
                assert answer.status == 200
                page = await answer.json()
            found += page["notifications"]
            if page["next"] is None:
                return found
            after = f"&{position}={page['next']}"

    for server in service.replicas:
        for who in ("alice", "bob", "carol", "dora"):
            own = orders_of(who, [*BEFORE, *AFTER])
            for query in ("", f"&customer={who}", "&kind=CREATED"):
                found = await read(query, server, service.headers(who))
                assert [each["orderId"] for each in found] == own
                assert all(each["customerId"] == who for each in found)
            backwards = await read("&order=desc", server, service.headers(who), position="before")
            assert [each["orderId"] for each in backwards] == own[::-1]
        for query in (f"&{bobs}", f"&{bobs}&customer=alice", "&kind=FAILED"):
            assert await read(query, server, service.headers("alice")) == []
        async with http.get(
            server.make_url(f"/notifications?after={epoch}-99999&limit=1"), headers=service.headers("bob")
        ) as answer:
            page = await answer.json()
        assert (page["reset"], [each["customerId"] for each in page["notifications"]]) == (True, ["bob"])
        for role in ("operator", "viewer"):
            staff = service.headers("olga", role)
            assert [each["orderId"] for each in await read("", server, staff)] == [*BEFORE, *AFTER]
            for who in OWNERS:
                found = await read(f"&customer={who}", server, staff)
                assert [each["orderId"] for each in found] == orders_of(who, [*BEFORE, *AFTER])


@pytest.mark.parametrize("path", ["/stream", "/ws", "/notifications"])
async def test_customer_that_names_another_is_refused(service: Service, http: ClientSession, path: str) -> None:
    url, alice = service.replicas[0].make_url(path), service.headers("alice")
    for other in ("bob", ANONYMOUS, "Alice"):
        if path == "/ws":
            with pytest.raises(WSServerHandshakeError, match="403"):
                await http.ws_connect(url.with_query(customer=other), headers=alice)
        async with http.get(url.with_query(customer=other), headers=alice) as answer:
            document = await answer.json()
            assert (answer.status, document["type"]) == (403, "urn:orderstream:problem:insufficient-scope")
    for wrong in ("customer=", "customer=alice&customer=bob", "customerId=alice", "customer=%00"):
        async with http.get(f"{url}?{wrong}", headers=alice) as answer:
            assert answer.status == 422, wrong
