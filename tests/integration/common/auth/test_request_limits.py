"""A service limits the requests of each address and of each person, and of nobody else."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from ipaddress import ip_network
from typing import Any, TypeAlias

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.pytest_plugin import AiohttpClient
from aiohttp.test_utils import TestClient

from service_common.auth import PRINCIPAL, PUBLIC, Caller
from service_common.auth.access_control import REFUSED_TOKEN_COST
from service_common.config import AuthConfig, RateLimit, ServiceConfig
from service_common.http_server import METRICS, new_app
from service_common.openapi import Api, Operation
from tests.support.issuer import AUDIENCE, Issuer, bearer, issuer
from tests.support.waiting import eventually

Client: TypeAlias = TestClient[web.Request, web.Application]
Headers: TypeAlias = Mapping[str, str]
Start: TypeAlias = Callable[..., Awaitable[Client]]

SERVICE = bearer("right")
ENDLESS = RateLimit(rate_per_s=0.01, burst=20)


async def who(request: web.Request) -> web.Response:
    return web.json_response(request[PRINCIPAL].subject)


API = Api(
    name="any-service",
    description="Says who calls.",
    own_operations=tuple(
        Operation("GET", f"/{name}", who, name=name, access=access, answers={})
        for name, access in {
            "own": Caller.CUSTOMER | Caller.OPERATOR | Caller.SERVICE,
            "internal": Caller.SERVICE,
            "public": PUBLIC,
        }.items()
    ),
)


@pytest_asyncio.fixture
async def tokens() -> AsyncIterator[Issuer]:
    async with issuer() as found:
        yield found


@pytest.fixture
def start(tokens: Issuer, service_config: ServiceConfig, aiohttp_client: AiohttpClient) -> Start:
    """Starts the service with settings of `ServiceConfig`."""

    async def started(**settings: Any) -> Client:
        defaults: dict[str, Any] = {
            "auth": AuthConfig(issuer=tokens.url, audiences=(AUDIENCE,)),
            "trusted_proxies": (ip_network("127.0.0.0/8"),),
        }
        app = new_app("any-service")
        API.serve(app, dataclasses.replace(service_config, **(defaults | settings)))
        return await aiohttp_client(app)

    return started


def at(address: str, headers: Headers | None = None) -> Headers:
    return {**(headers or {}), "X-Forwarded-For": address}


async def status(client: Client, path: str, headers: Headers | None = None) -> int:
    async with client.get(path, headers=headers) as answer:
        return answer.status


async def admitted(client: Client, path: str, headers: Headers, at_most: int = 50) -> int:
    """Ask until a request is refused, and return how many were not."""
    for number in range(at_most):
        if await status(client, path, headers) == 429:
            return number
    return at_most


def refusals(client: Client, limit: str) -> float | None:
    assert client.app is not None
    name = "orderstream_http_requests_refused_total"
    return client.app[METRICS].registry.get_sample_value(name, {"limit": limit})


@pytest.mark.parametrize("limit", ["principal", "address"])
async def test_refusal_says_what_and_when(start: Start, tokens: Issuer, limit: str) -> None:
    client = await start(**{f"{limit}_limit": RateLimit(rate_per_s=0.5, burst=1)})
    headers = bearer(tokens.token("alice"))
    assert await status(client, "/own", headers) == 200
    async with client.get("/own", headers={**headers, "Origin": "http://localhost:4200"}) as answer:
        document = await answer.json()
        assert (answer.status, answer.content_type) == (429, "application/problem+json")
        assert (document["type"], document["status"]) == ("urn:orderstream:problem:too-many-requests", 429)
        assert (document["title"], document["instance"]) == ("Too many requests", "/own")
        assert document["detail"] == f"There are too many requests of this {limit}."
        assert answer.headers["Retry-After"] == "2"
        assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:4200"
        assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
    assert refusals(client, limit) == 1


async def test_request_is_admitted_again_after_the_time_that_was_told(start: Start, tokens: Issuer) -> None:
    client = await start(principal_limit=RateLimit(rate_per_s=20, burst=2))
    headers = bearer(tokens.token("alice"))
    assert await admitted(client, "/own", headers) >= 2
    await eventually(lambda: _is_admitted(client, headers), "the next request admitted")


async def _is_admitted(client: Client, headers: Headers) -> bool | None:
    return await status(client, "/own", headers) == 200 or None


async def test_principals_do_not_disturb_each_other(start: Start, tokens: Issuer) -> None:
    client = await start(principal_limit=ENDLESS)
    for name in ("alice", "bob"):
        assert await admitted(client, "/own", bearer(tokens.token(name))) == ENDLESS.burst
    assert await status(client, "/own", bearer(tokens.token("alice", "operator"))) == 429  # whatever its roles
    assert await status(client, "/own", bearer(tokens.token("carol"))) == 200


async def test_principal_is_limited_on_many_addresses(start: Start, tokens: Issuer) -> None:
    client = await start(principal_limit=ENDLESS, address_limit=RateLimit(0.01, 1))
    headers = bearer(tokens.token("alice"))
    answers = [await status(client, "/own", at(f"203.0.113.{number}", headers)) for number in range(25)]
    assert answers == [200] * 20 + [429] * 5
    assert (refusals(client, "principal"), refusals(client, "address")) == (5, 0)


async def test_address_is_limited_with_many_principals(start: Start, tokens: Issuer) -> None:
    client = await start(address_limit=ENDLESS, principal_limit=RateLimit(0.01, 1))
    headers = [at("203.0.113.7", bearer(tokens.token(f"person-{number}"))) for number in range(25)]
    answers = [await status(client, "/own", each) for each in headers]
    assert answers == [200] * 20 + [429] * 5
    assert (refusals(client, "principal"), refusals(client, "address")) == (0, 5)
    assert await status(client, "/public", at("203.0.113.8")) == 200


async def test_addresses_of_a_network_of_64_bits_are_one(start: Start) -> None:
    client = await start(address_limit=ENDLESS)
    answers = [await status(client, "/public", at(f"2001:db8::{number:x}")) for number in range(25)]
    assert answers.count(429) == 5
    assert await status(client, "/public", at("2001:db8:0:1::1")) == 200


async def test_address_that_a_client_claims_for_itself_does_not_count(start: Start) -> None:
    client = await start(address_limit=ENDLESS, trusted_proxies=())
    answers = [await status(client, "/public", at(f"203.0.113.{number}")) for number in range(25)]
    assert answers.count(429) == 5


@pytest.mark.parametrize("path", ["/own", "/internal", "/public"])
async def test_refused_token_costs_its_address(start: Start, path: str) -> None:
    client = await start(address_limit=ENDLESS)
    assert await admitted(client, path, at("203.0.113.7", bearer("guess"))) == ENDLESS.burst // (REFUSED_TOKEN_COST + 1)
    assert await admitted(client, path, at("203.0.113.8")) == ENDLESS.burst


async def test_token_that_can_not_be_checked_costs_one_request(start: Start, tokens: Issuer) -> None:
    tokens.away = True
    client = await start(address_limit=ENDLESS)
    headers = bearer(tokens.token())
    assert await status(client, "/own", headers) == 503
    assert await admitted(client, "/public", {}) == ENDLESS.burst - 1


async def test_services_are_not_limited(start: Start) -> None:
    client = await start(address_limit=RateLimit(0.01, 1), principal_limit=RateLimit(0.01, 1))
    assert await admitted(client, "/public", {}) == 1
    for path in ("/own", "/internal", "/public", "/metrics"):
        assert await admitted(client, path, SERVICE) == 50


async def test_health_checks_are_not_limited(start: Start, tokens: Issuer) -> None:
    client = await start(address_limit=RateLimit(0.01, 1), principal_limit=RateLimit(0.01, 1))
    for headers in ({}, bearer("guess"), bearer(tokens.token("olga", "operator"))):
        for path in ("/health/live", "/health/ready"):
            assert await admitted(client, path, headers) == 50
    assert await status(client, "/public") == 429  # the guesses counted


async def test_health_checks_verify_no_more_tokens_than_the_address_may_send(start: Start, tokens: Issuer) -> None:
    client = await start(address_limit=RateLimit(0.01, 1))
    operator = bearer(tokens.token("olga", "operator"))
    seen = []
    for _ in range(2):
        async with client.get("/health/ready", headers=operator) as answer:
            seen.append("checks" in await answer.json())
    assert seen == [True, False]


async def test_unknown_path_counts(start: Start) -> None:
    client = await start(address_limit=ENDLESS)
    assert await admitted(client, "/nothing", {}) == ENDLESS.burst


async def test_everybody_together_is_not_limited_as_one_principal(start: Start) -> None:
    client = await start(auth=AuthConfig(issuer=None), principal_limit=RateLimit(0.01, 1), address_limit=ENDLESS)
    for number in range(10):
        assert await admitted(client, "/own", at(f"203.0.113.{number}")) == ENDLESS.burst


async def test_refusals_are_logged_once_a_second(
    start: Start, tokens: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client = await start(address_limit=RateLimit(0.01, 1), principal_limit=RateLimit(0.01, 1))
    alice = bearer(tokens.token("alice"))
    began_s = time.monotonic()
    for number in range(20):
        await status(client, "/own", at(f"203.0.113.{number}", alice))
        await asyncio.gather(*(status(client, "/public", at(f"203.0.113.{number}")) for _ in range(4)))

    def lines(limit: str) -> list[dict[str, Any]]:
        told = [vars(record) for record in caplog.records if record.getMessage() == "requests refused"]
        return [line for line in told if line["limit"] == limit]

    async def logged() -> bool | None:
        counted = [sum(line["requests"] for line in lines(limit)) for limit in ("principal", "address")]
        return counted == [19, 80] or None

    await eventually(logged, "the refusals logged")
    for limit in ("principal", "address"):
        assert len(lines(limit)) <= 2 + time.monotonic() - began_s
    for line in lines("address"):  # four refusals a caller, of whom five are named
        assert min(5, line["requests"] / 4) <= len(line["callers"]) <= 5
    assert not any("callers" in line for line in lines("principal"))
    handled = [vars(record) for record in caplog.records if record.getMessage() == "request handled"]
    assert [each["status"] for each in handled] == [200]
