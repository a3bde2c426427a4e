"""A service takes the access tokens of its issuer, says by RFC 6750 what is wrong with others, and logs none."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import jwt
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.pytest_plugin import AiohttpClient
from aiohttp.test_utils import TestClient

from service_common.auth import PRINCIPAL, PUBLIC, Caller
from service_common.auth.claims import LEEWAY_S
from service_common.auth.signing_keys import FLOOR_S
from service_common.config import AuthConfig, ServiceConfig
from service_common.http_server import METRICS, READINESS, new_app
from service_common.openapi import Api, Operation
from tests.support.issuer import AUDIENCE, Issuer, SigningKey, bearer, issuer
from tests.support.waiting import eventually

Client: TypeAlias = TestClient[web.Request, web.Application]
Headers: TypeAlias = Mapping[str, str]

SERVICE = bearer("right")


async def who(request: web.Request) -> web.Response:
    principal = request[PRINCIPAL]
    return web.json_response([principal.kind.name, principal.subject])


API = Api(
    name="any-service",
    description="Says who calls.",
    own_operations=tuple(
        Operation(method, f"/{name}", who, name=f"{method} {name}", access=access, answers={})
        for name, access in {
            "own": Caller.CUSTOMER | Caller.OPERATOR,
            "staff": Caller.OPERATOR | Caller.VIEWER,
            "internal": Caller.SERVICE,
            "public": PUBLIC,
        }.items()
        for method in ("GET", "POST", "PUT", "DELETE")
    ),
)


@pytest_asyncio.fixture
async def tokens() -> AsyncIterator[Issuer]:
    async with issuer() as found:
        yield found


@pytest.fixture
def asking(
    tokens: Issuer, service_config: ServiceConfig, aiohttp_client: AiohttpClient
) -> Callable[..., Awaitable[Client]]:
    """Starts the service, for access tokens or with other settings of `AuthConfig`."""

    async def start(**settings: Any) -> Client:
        auth = AuthConfig(**{"issuer": tokens.url, "audiences": (AUDIENCE,), **settings})
        app = new_app("any-service")
        API.serve(app, dataclasses.replace(service_config, auth=auth))
        return await aiohttp_client(app)

    return start


@pytest_asyncio.fixture
async def client(asking: Callable[..., Awaitable[Client]]) -> Client:
    return await asking()


async def asked(client: Client, path: str, headers: Headers) -> list[str]:
    async with client.get(path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        found: list[str] = await answer.json()
        return found


async def refused(client: Client, path: str, headers: Any, status: int, slug: str) -> tuple[str, Headers]:
    """Check the refusal, and return its detail and its headers."""
    async with client.get(path, headers=headers) as answer:
        document = await answer.json()
        assert (answer.status, document["type"]) == (status, f"urn:orderstream:problem:{slug}"), document
        assert answer.content_type == "application/problem+json"
        return document["detail"], answer.headers


async def test_handler_finds_who_calls(client: Client, tokens: Issuer) -> None:
    assert await asked(client, "/own", bearer(tokens.token("alice"))) == ["CUSTOMER", "alice"]
    assert await asked(client, "/own", bearer(tokens.token("olga", "operator"))) == ["OPERATOR", "olga"]
    assert await asked(client, "/staff", bearer(tokens.token("victor", "viewer"))) == ["VIEWER", "victor"]
    assert await asked(client, "/internal", SERVICE) == ["SERVICE", ""]
    assert await asked(client, "/public", bearer("nonsense")) == ["ANONYMOUS", ""]
    assert await asked(client, "/own", {"Authorization": f"bEARER  {tokens.token('alice')}"}) == ["CUSTOMER", "alice"]


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic YWxpY2U6cHc=", "DPoP x"])
async def test_request_without_a_token_is_asked_for_one(client: Client, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for path in ("/own", "/internal"):
        _, answered = await refused(client, path, headers, 401, "unauthorized")
        assert answered["WWW-Authenticate"] == "Bearer"  # RFC 6750, 3.1: no error without a token


async def test_head_is_for_those_who_may_get(client: Client, tokens: Issuer) -> None:
    for headers, status in (({}, 401), (bearer("nonsense"), 401), (SERVICE, 403), (bearer(tokens.token()), 200)):
        async with client.head("/own", headers=headers) as answer:
            assert answer.status == status


WRONG: Mapping[str, tuple[str, Callable[[Issuer], str]]] = {
    "not a JWT": ("The token is malformed.", lambda _: "nonsense"),
    "the token of the services, nearly": ("The token is malformed.", lambda _: "righ"),
    "encrypted": ("The token is malformed.", lambda _: "a.b.c.d.e"),
    "none": (
        "The token is not signed with RS256 or ES256.",
        lambda tokens: jwt.encode(tokens.claims(), "", "none", {"kid": "first"}),
    ),
    "HS256": (
        "The token is not signed with RS256 or ES256.",
        lambda tokens: jwt.encode(tokens.claims(), tokens.keys[0].jwk["n"], "HS256", {"kid": "first"}),
    ),
    "signature": ("The signature of the token is not valid.", lambda tokens: tokens.token(key=SigningKey("first"))),
    "unknown key": ("The issuer has no such key.", lambda tokens: tokens.token(key=SigningKey("unknown"))),
    "issuer": ("The token is from another issuer.", lambda tokens: tokens.token(iss="https://elsewhere.example")),
    "audience": ("The token is for another audience.", lambda tokens: tokens.token(aud="another", client_id=AUDIENCE)),
    "identity token": ("The token is not an access token.", lambda tokens: tokens.token(token_use="id", aud=AUDIENCE)),
    "expired": ("The token has expired.", lambda tokens: tokens.token(exp=int(time.time() - LEEWAY_S))),
    "not yet": ("The token is not valid yet.", lambda tokens: tokens.token(nbf=int(time.time() + LEEWAY_S + 60))),
    "no subject": ("The token has no subject.", lambda tokens: tokens.token(sub=None)),
    "huge": ("The token is too long.", lambda tokens: tokens.token(note="x" * 5000)),
}


@pytest.mark.parametrize(("detail", "make"), WRONG.values(), ids=WRONG)
async def test_token_that_is_not_accepted_is_refused_and_not_logged(
    client: Client,
    tokens: Issuer,
    caplog: pytest.LogCaptureFixture,
    detail: str,
    make: Callable[[Issuer], str],
) -> None:
    caplog.set_level(logging.DEBUG)
    token = make(tokens)
    for _ in range(2):
        told, answered = await refused(client, "/own", bearer(token), 401, "invalid-token")
        assert told == detail
        challenge = f'Bearer error="invalid_token", error_description="{detail}"'
        assert answered["WWW-Authenticate"] == challenge
    assert await asked(client, "/own", bearer(tokens.token("alice")))
    logged = " ".join(str(vars(record)) for record in caplog.records)
    assert "request handled" in logged
    assert not [part for part in ("alice", *token.split("."), token) if len(part) > 4 and part in logged]


async def test_caller_without_the_role_is_refused(client: Client, tokens: Issuer) -> None:
    for path, headers in (
        ("/staff", bearer(tokens.token("alice"))),
        ("/own", bearer(tokens.token("victor", "viewer"))),
        ("/own", SERVICE),
    ):
        _, answered = await refused(client, path, headers, 403, "insufficient-scope")
        assert answered["WWW-Authenticate"] == 'Bearer error="insufficient_scope"'


async def test_internal_endpoint_takes_the_token_of_the_services_alone(client: Client, tokens: Issuer) -> None:
    for token in ("wrong", "right!", tokens.token("olga", "operator")):
        _, answered = await refused(client, "/internal", bearer(token), 403, "forbidden")
        assert "WWW-Authenticate" not in answered
    assert await asked(client, "/internal", {"Authorization": "bearer right"})


async def test_token_of_the_services_is_changed_without_a_refusal(
    service_config: ServiceConfig, aiohttp_client: AiohttpClient
) -> None:
    async def replica(token: str, other: str | None) -> Client:
        config = dataclasses.replace(service_config, service_token=token, other_service_token=other)
        app = new_app("any-service")
        API.serve(app, config)
        return await aiohttp_client(app)

    former, latter = "of yesterday", "of tomorrow"
    # beside each other while a restart is under way: what they send, and what they accept as well
    restarts = [
        [(former, "made up"), (former, latter)],
        [(former, latter), (latter, former)],
        [(latter, former), (latter, "made up")],
    ]
    for beside in restarts:
        replicas = [await replica(*tokens) for tokens in beside]
        for client in replicas:
            for sent, _ in beside:
                assert await asked(client, "/internal", bearer(sent))
    await refused(client, "/internal", bearer(former), 403, "forbidden")
    await refused(await replica(latter, None), "/internal", bearer("None"), 403, "forbidden")


async def test_two_tokens_are_none(client: Client, tokens: Issuer) -> None:
    for path, token in (("/own", tokens.token()), ("/internal", "right")):
        headers = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
        await refused(client, path, headers, 400, "malformed")


async def test_clocks_may_differ(client: Client, tokens: Issuer) -> None:
    now = int(time.time())
    for token in (tokens.token(exp=now - 20), tokens.token(nbf=now + 20), tokens.token(iat=now + 20)):
        assert await asked(client, "/own", bearer(token))


async def test_keys_are_rotated_under_load_without_a_refusal(client: Client, tokens: Issuer) -> None:
    statuses: Counter[int] = Counter()
    rotations, over = 3, asyncio.Event()

    async def call(number: int) -> None:
        while not over.is_set():
            headers = bearer(tokens.token(f"{number}-{sum(statuses.values())}"))
            async with client.get("/own", headers=headers) as answer:
                statuses[answer.status] += 1

    async def flood() -> None:
        junk = SigningKey("junk")
        while not over.is_set():
            headers = bearer(tokens.token(key=junk, headers={"kid": f"junk-{time.monotonic_ns()}"}))
            async with client.get("/own", headers=headers) as answer:
                assert answer.status == 401

    async def rotate() -> None:
        for number in range(rotations):
            tokens.keys.append(SigningKey(f"key-{number}"))
            done = statuses[200]

            async def used(done: int = done) -> bool | None:
                return statuses[200] > done + 20 or None

            await eventually(used, "tokens of the new key accepted")
        over.set()

    began_s = time.monotonic()
    await asyncio.gather(rotate(), *(call(number) for number in range(5)), flood())
    assert statuses.keys() == {200}
    assert tokens.fetched <= 2 + (time.monotonic() - began_s) / FLOOR_S


async def test_service_starts_and_serves_its_own_while_the_issuer_is_away(
    asking: Callable[..., Awaitable[Client]], tokens: Issuer
) -> None:
    tokens.away = True
    client = await asking()

    detail, answered = await refused(client, "/own", bearer(tokens.token()), 503, "unavailable")
    assert int(answered["Retry-After"]) >= 1
    assert tokens.url not in detail
    assert await asked(client, "/internal", SERVICE)
    assert await asked(client, "/public", {})
    await refused(client, "/own", {}, 401, "unauthorized")
    assert client.app is not None
    assert (await client.app[READINESS].report()).ready

    tokens.away = False

    async def accepted() -> bool | None:
        async with client.get("/own", headers=bearer(tokens.token())) as answer:
            assert answer.status in {200, 503}
            return answer.status == 200 or None

    await eventually(accepted, "the token accepted")


async def test_known_keys_are_used_while_the_issuer_is_away(client: Client, tokens: Issuer) -> None:
    assert await asked(client, "/own", bearer(tokens.token("alice")))
    tokens.away = True

    assert await asked(client, "/own", bearer(tokens.token("bob"))) == ["CUSTOMER", "bob"]
    await refused(client, "/own", bearer(tokens.token(key=SigningKey("new"))), 503, "unavailable")


async def test_metadata_of_another_issuer_are_not_believed(
    asking: Callable[..., Awaitable[Client]], tokens: Issuer
) -> None:
    client = await asking(issuer="https://pool.example", discovery_url=tokens.url)
    await refused(client, "/own", bearer(tokens.token(iss="https://pool.example")), 503, "unavailable")


async def test_metadata_may_be_elsewhere(asking: Callable[..., Awaitable[Client]], tokens: Issuer) -> None:
    address, tokens.url = tokens.url, "https://pool.example"
    client = await asking(issuer="https://pool.example", discovery_url=f"{address}/")
    assert await asked(client, "/own", bearer(tokens.token("alice"))) == ["CUSTOMER", "alice"]


async def test_calls_of_the_issuer_are_counted(client: Client, tokens: Issuer) -> None:
    assert await asked(client, "/own", bearer(tokens.token()))
    assert client.app is not None
    assert b'client="identity-provider"' in client.app[METRICS].exposition()


async def test_everybody_is_one_operator_in_open_mode(
    asking: Callable[..., Awaitable[Client]], caplog: pytest.LogCaptureFixture
) -> None:
    client = await asking(issuer=None)
    for headers in ({}, bearer("nonsense"), {"Authorization": "Basic eA=="}):
        for path in ("/own", "/staff"):
            assert await asked(client, path, headers) == ["OPERATOR", "anonymous"]
    assert await asked(client, "/internal", SERVICE) == ["SERVICE", ""]
    await refused(client, "/internal", {}, 401, "unauthorized")
    await refused(client, "/internal", bearer("wrong"), 403, "forbidden")
    assert [record.levelname for record in caplog.records if record.message == "authentication disabled"] == ["WARNING"]


async def test_page_under_another_name_of_the_loopback_is_refused_in_open_mode(
    asking: Callable[..., Awaitable[Client]],
) -> None:
    client = await asking(issuer=None, allowed_hosts=("orders.example",))
    for path in ("/own", "/public", "/internal"):
        await refused(client, path, {"Host": "evil.example"}, 421, "misdirected")
    assert (await client.get("/nowhere", headers={"Host": "evil.example"})).status == 421
    assert await asked(client, "/own", {"Host": "orders.example:8080"})
    assert await asked(client, "/internal", {**SERVICE, "Host": "order"})  # one container to another


async def test_name_of_the_host_does_not_matter_to_tokens(client: Client, tokens: Issuer) -> None:
    assert await asked(client, "/own", {**bearer(tokens.token()), "Host": "shop.example"})


async def test_handler_that_declares_no_access_can_not_be_called(
    service_config: ServiceConfig, aiohttp_client: AiohttpClient
) -> None:
    app = new_app("any-service")
    API.serve(app, service_config)
    app.add_routes([web.get("/undeclared", who)])
    client = await aiohttp_client(app)
    for headers in ({}, SERVICE):
        async with client.get("/undeclared", headers=headers) as answer:
            assert answer.status == 500


async def test_preflight_needs_no_token(client: Client) -> None:
    headers = {"Origin": "http://localhost:4200", "Access-Control-Request-Method": "GET"}
    async with client.options("/own", headers={**headers, "Access-Control-Request-Headers": "authorization"}) as answer:
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Headers"].lower() == "authorization"


FOREIGN: list[Headers] = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:4201"},
    {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://evil.example", "X-Forwarded-Host": "evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]
KNOWN: list[Headers] = [
    {},
    {"Origin": "http://localhost:4200", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://shop.example", "Host": "shop.example"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
]


@pytest.mark.parametrize("mode", ["open", "oidc"])
async def test_page_of_another_origin_changes_nothing(
    asking: Callable[..., Awaitable[Client]], tokens: Issuer, mode: str
) -> None:
    client = await asking(**({"issuer": None, "allowed_hosts": ("*",)} if mode == "open" else {}))
    caller = bearer(tokens.token("olga", "operator"))
    for path, token in (("/own", caller), ("/public", {}), ("/internal", SERVICE)):
        for method in ("POST", "PUT", "DELETE"):
            for page in FOREIGN:
                async with client.request(method, path, headers={**token, **page}) as answer:
                    document = await answer.json()
                    assert (answer.status, document["type"]) == (403, "urn:orderstream:problem:origin"), page
                    assert answer.content_type == "application/problem+json"
            for page in KNOWN:
                async with client.request(method, path, headers={**token, **page}) as answer:
                    assert answer.status == 200, page
        for page in FOREIGN:
            await asked(client, path, {**token, **page})


async def test_pages_of_all_origins_may_be_allowed(
    service_config: ServiceConfig, aiohttp_client: AiohttpClient
) -> None:
    app = new_app("any-service")
    API.serve(app, dataclasses.replace(service_config, auth=AuthConfig(issuer=None), allowed_origins=("*",)))
    client = await aiohttp_client(app)
    for page in FOREIGN:
        async with client.post("/own", headers=page) as answer:
            assert answer.status == 200, page


async def test_refusal_can_be_read_by_a_page(client: Client) -> None:
    _, answered = await refused(client, "/own", {"Origin": "http://localhost:4200"}, 401, "unauthorized")
    assert answered["Access-Control-Allow-Origin"] == "http://localhost:4200"
