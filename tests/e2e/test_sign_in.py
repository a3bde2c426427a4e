"""The whole system with access tokens: it fulfils the orders of customers, who see their own."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path

import aiohttp
import pytest

from tests.support.issuer import AUDIENCE, bearer, issuer
from tests.support.system import TERMINAL, System, running
from tests.support.waiting import eventually


@pytest.mark.asyncio
async def test_order_of_a_customer_is_fulfilled_with_tokens_required() -> None:
    async with issuer() as tokens:
        environ = {"AUTH_MODE": "oidc", "AUTH_ISSUER": tokens.url, "AUTH_AUDIENCE": AUDIENCE}
        async with running(environ=environ, web=False) as system:
            alice, bob = bearer(tokens.token("alice")), bearer(tokens.token("bob"))
            operator = bearer(tokens.token("olga", "operator"))
            refused = await system.place({"123": 1})
            placed = await system.place({"123": 1}, **alice)
            path = f"/orders/{placed.json['id']}"

            async def ended() -> str | None:
                order = (await system.call("order", "GET", path, headers=alice)).json
                return order["status"] if order["status"] in TERMINAL else None

            assert (refused.status, placed.status) == (401, 201)
            assert await eventually(ended, "the end of the order") == "CLOSED"
            assert (await system.call("order", "GET", path, headers=bob)).status == 404
            assert (await system.call("order", "GET", path, headers=operator)).status == 200
            sagas = f"/sagas/{placed.json['id']}"
            assert (await system.call("processing", "GET", sagas, headers=alice)).status == 200
            assert (await system.call("processing", "GET", sagas, headers=bob)).status == 404
            assert (await system.call("processing", "POST", f"{sagas}/retry", headers=alice)).status == 403

            async def done() -> bool | None:
                [saga] = (await system.call("processing", "GET", sagas, headers=operator)).json["sagas"]
                return saga["state"] == "DONE" or None

            await eventually(done, "the end of the saga, which comes after that of the order")


@pytest.mark.asyncio
async def test_no_token_and_no_ticket_is_in_a_log_at_debug_level() -> None:
    async with issuer() as tokens:
        environ = {"AUTH_MODE": "oidc", "AUTH_ISSUER": tokens.url, "AUTH_AUDIENCE": AUDIENCE, "LOG_LEVEL": "DEBUG"}
        async with running(environ=environ, web=False) as system:
            logs = Path(system.stack.processes["notification-service"].log).parent
            token, expired = tokens.token("alice"), tokens.token("alice", exp=1)
            assert (await system.place({"123": 1}, **bearer(token))).status == HTTPStatus.CREATED
            assert (await system.place({"123": 1}, **bearer(expired))).status == HTTPStatus.UNAUTHORIZED
            tickets = [await _ticket(system, token) for _ in range(5)]
            await _use(system, tickets)
            for service in ("notification-service", "order-service"):  # which writes the lines that it still has
                await system.stack.processes[service].stop(within_s=10)
            written = b"".join(path.read_bytes() for path in logs.rglob("*") if path.is_file()).decode(errors="replace")
    assert '"level":"DEBUG"' in written
    assert '"path":"/stream"' in written
    assert "request malformed" in written
    assert not [part for part in (*tickets, *token.split("."), *expired.split(".")) if part in written]


async def _ticket(system: System, token: str) -> str:
    answer = await system.call("notification", "POST", "/tickets", headers=bearer(token))
    assert answer.status == HTTPStatus.CREATED
    return str(answer.json["ticket"])


async def _use(system: System, tickets: list[str]) -> None:
    """Use tickets well and badly: twice, with wrong parameters, in a request that is not HTTP, at another service."""
    first, second, third, fourth, fifth = tickets
    service = system.service("notification")
    for query in (f"ticket={first}", f"ticket={first}", f"ticket={second}&nonsense=1"):
        async with service.session.get(f"{service.url}/stream?{query}") as answer:
            assert answer.status in {HTTPStatus.OK, HTTPStatus.UNAUTHORIZED, HTTPStatus.UNPROCESSABLE_ENTITY}
    async with service.session.ws_connect(f"{service.url}/ws?ticket={third}") as socket:
        assert (await socket.receive()).type is aiohttp.WSMsgType.TEXT
    assert (await system.call("order", "GET", f"/orders?ticket={fourth}")).status == HTTPStatus.UNAUTHORIZED
    for request in (f"GET /stream?ticket={fifth} HTTP/9", f"GE T /stream?ticket={fifth} HTTP/1.1"):
        host, port = service.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"{request}\r\nHost: x\r\n\r\n".encode())
        assert b"400" in await reader.readline()
        writer.close()
