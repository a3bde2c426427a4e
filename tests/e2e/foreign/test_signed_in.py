"""Our client library, signed in: it outlives its tokens without a loss, and stops when it is told to."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from service_common.auth.claims import LEEWAY_S
from tests.support.issuer import AUDIENCE, bearer, issuer
from tests.support.system import running
from tests.support.waiting import eventually

from .browser import CLIENTS
from .clients import node_path

# of a token, in seconds
LIVES_S = 2.0
ORDERS = 6


@asynccontextmanager
async def serving(token: Callable[[str], str]) -> AsyncIterator[str]:
    """Serve tokens for the block, as an issuer would; yield the address."""

    async def give(request: web.Request) -> web.Response:
        return web.Response(text=token(request.query_string))

    app = web.Application()
    app.add_routes([web.get("/token", give)])
    async with TestServer(app) as server:
        yield str(server.make_url("/token"))


@asynccontextmanager
async def following(protocol: str, url: str, token_url: str) -> AsyncIterator[list[dict[str, Any]]]:
    """Run the client for the block; yield what it prints."""
    printed: list[dict[str, Any]] = []
    command = ("node", "orderstream-client-signed-in.mjs", url, f"{token_url}?{protocol}", protocol)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=CLIENTS, env=node_path(), stdout=asyncio.subprocess.PIPE
    )

    async def read(lines: asyncio.StreamReader) -> None:
        async for line in lines:
            printed.append(orjson.loads(line))  # noqa: PERF401 - as they come

    assert process.stdout is not None
    reading = asyncio.create_task(read(process.stdout))
    try:
        yield printed
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await reading


@pytest.mark.asyncio
async def test_client_outlives_its_tokens_and_stops_when_disconnected_or_denied(without_packages: str | None) -> None:
    if without_packages is not None:
        pytest.skip(without_packages)
    async with issuer() as tokens:
        given: Counter[str] = Counter()
        denied = False

        def token(client: str) -> str:
            given[client] += 1
            return tokens.token("alice", exp=1.0 if denied else time.time() + LIVES_S - LEEWAY_S)

        environ = {"AUTH_MODE": "oidc", "AUTH_ISSUER": tokens.url, "AUTH_AUDIENCE": AUDIENCE}
        async with running(environ=environ, web=False) as system, serving(token) as token_url:
            url = system.service("notification").url
            async with following("sse", url, token_url) as sse, following("ws", url, token_url) as ws:
                placed = []

                async def place() -> None:
                    placed.append((await system.place({"123": 1}, **bearer(tokens.token("alice")))).json["id"])
                    await system.place({"123": 1}, **bearer(tokens.token("bob")))

                async def renewed() -> bool | None:
                    return min(given["sse"], given["ws"]) > 1 or None

                async def heard() -> bool | None:
                    return all(len(each) >= 2 * len(placed) for each in (sse, ws)) or None

                for _ in range(ORDERS):
                    await place()
                    await asyncio.sleep(LIVES_S * 2 / 3)  # so that tokens expire between them
                await eventually(renewed, "a second token of both")
                await place()
                await eventually(heard, "all notifications")
                for printed in (sse, ws):
                    assert [each["orderId"] for each in printed if each["kind"] == "CREATED"] == placed
                    assert sorted(each["orderId"] for each in printed if each["kind"] == "CLOSED") == placed
                    seqs = [int(each["id"].rpartition("-")[2]) for each in printed]
                    assert seqs == sorted(set(seqs))

                operator = bearer(tokens.token("olga", "operator"))

                async def ended() -> bool | None:
                    # again, as it may be between two connections
                    body = {"customerId": "alice"}
                    await system.call("notification", "POST", "/connections/disconnect", json=body, headers=operator)
                    return all(each[-1].get("reason") == "disconnected" for each in (sse, ws)) or None

                await eventually(ended, "the end of both", every_s=0.3)
                times = given.copy()
                await asyncio.sleep(2 * LIVES_S)
                assert given == times
            denied = True
            async with following("sse", url, token_url) as sse, following("ws", url, token_url) as ws:

                async def refused() -> bool | None:
                    return bool(sse and ws) or None

                await eventually(refused, "the end of both")
                assert sse == ws == [{"type": "end", "reason": "denied", "status": 401}]
