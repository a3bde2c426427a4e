"""What each service says of its interface is what it has, and what it answers is what it says."""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import openapi_spec_validator
import pytest
from aiohttp.pytest_plugin import AiohttpClient
from marshmallow import Schema

from notification_service.http import BROADCASTER
from notification_service.push import ByeReason, Framing, encoding
from service_common.http_server import READINESS
from service_common.openapi.document import build_document
from tests.support.api_documents import APIS
from tests.support.described import Described, Seen, watch
from tests.support.hostile import documents
from tests.support.in_memory.notification import blocks
from tests.support.in_memory.services import SERVICES, TOKEN, Client, ask
from tests.support.issuer import AUDIENCE, bearer, issuer

# a failure that is described and takes more than a request to have: a body that does not come, a database that is away
UNSEEN = {"408", "503", "default"}
ITEM = {"productId": "123", "quantity": 2}
BODIES: Mapping[str, dict[str, Any]] = {
    "placeOrder": {"orderItems": [ITEM]},
    "amendOrder": {"orderItems": [ITEM, {"productId": "b", "quantity": 1}]},
    "closeOrder": {"version": 1},
    "closeEach": {"orders": [{"orderId": 1, "version": 1}]},
    "failOrder": {"version": 1, "reason": "Nothing is left."},
    "disconnectCustomer": {"customerId": "alice"},
    "redriveDeadLetters": {"ids": ["m1"]},
    "discardDeadLetters": {"ids": ["m1"]},
    "addProduct": {"productId": "123", "stock": 9},
    "changeStock": {"stock": 9},
    "takeStock": {"operationId": "1:1", "items": [ITEM]},
    "takeStockOfEach": {"operations": [{"operationId": "1:1", "items": [ITEM]}]},
    "takeStockOfProduct": {"operationId": "1:1", "quantity": 1},
    "releaseStock": {"operationId": "1:1"},
    "forgetStockOperations": {"operationIds": ["1:1"]},
}

each_service = pytest.mark.parametrize("name", SERVICES)


def concrete(path: str) -> str:
    return path.format(order_id=1, product_id="123", letter_id="m1")


async def refusals(client: Client, described: Described, customer: Mapping[str, str]) -> None:
    """Have everything refused that any operation with a body, a query or a token refuses."""
    for method, template, operation in described.operations():
        path = concrete(template)
        internal = operation.get("security") == [{"serviceToken": []}]
        token = TOKEN if internal else {}
        if "security" in operation:
            outsider = TOKEN if {"accessToken": ["customer"]} in operation["security"] else customer
            for authorization in ({"Authorization": ""}, bearer("wrong"), {} if internal else outsider):
                await ask(client, method, path, headers=authorization)
        if method != "GET":
            await ask(client, method, path, headers={**token, "Origin": "http://elsewhere"})
        if "requestBody" in operation:
            headers = {"If-Match": "*", **token}
            as_json = {**headers, "Content-Type": "application/json"}
            await ask(client, method, path, headers=headers, data=b"{}")
            for body in (b"{", b"{}", b" " * 300_000):
                await ask(client, method, path, headers=as_json, data=body)
        if any(each["in"] == "query" for each in operation.get("parameters", ())):
            await ask(client, method, f"{path}?orderId=x&nonsense=1", headers=token)
            for query in (f"traceId={32 * 'a'}", "customer=another"):
                await ask(client, method, f"{path}?{query}", headers=customer)


async def flood(client: Client, described: Described) -> None:
    """Have every operation refused for too many requests that is said to be."""
    await ask(client, "GET", "/")
    for method, template, operation in described.operations():
        async with client.request(method, concrete(template)) as answer:
            refused = answer.status == 429
            assert refused == ("429" in operation["responses"]), (method, template, answer.status, await answer.text())


async def common(client: Client, customer: Mapping[str, str]) -> None:
    for path in ("/", "/health/live", "/health/ready", "/metrics", "/openapi.json"):
        await ask(client, "GET", path)
    await ask(client, "GET", "/metrics", headers=customer)
    assert client.app is not None
    client.app[READINESS].draining = True
    await ask(client, "GET", "/health/ready")


@each_service
def test_document_is_valid_openapi(name: str) -> None:
    document = build_document(APIS[name], "0")
    openapi_spec_validator.validate(document)
    assert document["openapi"].startswith("3.1.")


@each_service
def test_each_route_is_described_and_nothing_else(name: str) -> None:
    routes = {
        (route.method, route.resource.canonical)
        for route in SERVICES[name].app().router.routes()
        if route.resource is not None and route.method not in {"HEAD", "OPTIONS"}
    }
    assert {(method, path) for method, path, _ in Described(APIS[name]).operations()} == routes


@each_service
async def test_answers_are_as_described_and_all_that_is_described_is_answered(
    name: str, aiohttp_client: AiohttpClient
) -> None:
    described, seen = Described(APIS[name]), list[Seen]()
    async with issuer() as tokens:
        app = SERVICES[name].app(AUTH_MODE="oidc", AUTH_ISSUER=tokens.url, AUTH_AUDIENCE=AUDIENCE)
        watch(app, seen)
        client = await aiohttp_client(app, headers=bearer(tokens.token("olga", "operator")))
        await SERVICES[name].use(client)
        await refusals(client, described, bearer(tokens.token("alice")))
        await common(client, bearer(tokens.token("alice")))
        limited = SERVICES[name].app(REQUEST_LIMIT_ADDRESS_RATE="0.01", REQUEST_LIMIT_ADDRESS_BURST="1")
        watch(limited, seen)
        await flood(await aiohttp_client(limited), described)
    for answer in seen:
        described.check(answer)
    told = {
        (method, path, status)
        for method, path, operation in described.operations()
        for status in operation["responses"]
    }
    unseen = told - {(answer.method, answer.path, answer.status) for answer in seen}
    assert not {each for each in unseen if each[2] not in UNSEEN}


@each_service
async def test_document_is_served(name: str, aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(SERVICES[name].app())
    version = (await ask(client, "GET", "/"))["version"]
    for _ in range(2):
        assert await ask(client, "GET", "/openapi.json") == build_document(APIS[name], version)


@each_service
def test_body_that_is_said_to_be_valid_is_taken_and_no_other(name: str) -> None:
    described, chance = Described(APIS[name]), random.Random(7)
    for operation in APIS[name].operations:
        if operation.body is None:
            continue
        described_body = described.document["paths"][operation.path][operation.method.lower()]["requestBody"]
        schema = described_body["content"]["application/json"]["schema"]
        sample = BODIES[operation.name]
        assert described.is_valid(schema, sample)
        for text in documents(sample, chance, 200):
            # 1.0 is an integer to JSON Schema, and none here
            body = json.loads(text, parse_float=lambda _: 0.5)
            assert described.is_valid(schema, body) == is_taken(operation.body, body), body


def is_taken(schema: type[Schema], body: dict[str, Any]) -> bool:
    return not schema().validate(body)


async def test_frames_of_a_delayed_feed_are_as_described(aiohttp_client: AiohttpClient) -> None:
    client, described = await aiohttp_client(SERVICES["notification"].app()), Described(APIS["notification"])
    client.app[BROADCASTER].delayed_ms = lambda: 12_000
    async with client.ws_connect("/ws") as socket:
        for name in ("welcome", "heartbeat"):
            await socket.send_json({"type": "subscribe", "orderId": [1]})
            document = await socket.receive_json()
            described.check_component("Frame", document)
            assert (document["type"], document["delayedMs"]) == (name, 12_000)


async def test_every_frame_of_a_websocket_is_as_described(aiohttp_client: AiohttpClient) -> None:
    client, described = await aiohttp_client(SERVICES["notification"].app()), Described(APIS["notification"])
    types = set()
    async with client.ws_connect("/ws?lastEventId=test-0") as socket:
        await socket.send_str("nonsense")
        subscription = {"type": "subscribe", "orderId": [1]}
        described.check_component("Subscribe", subscription)
        await socket.send_json(subscription)
        while "heartbeat" not in types:
            types.add(await frame(socket.receive_json, described))
    async with client.ws_connect("/ws?lastEventId=other-7") as socket:
        while "reset" not in types:
            types.add(await frame(socket.receive_json, described))
    farewell = json.loads(encoding.bye_frame(Framing.WS, ByeReason.DRAIN, 1234)[2:])
    described.check_component("Frame", farewell)
    mapping = described.document["components"]["schemas"]["Frame"]["discriminator"]["mapping"]
    assert types | {farewell["type"]} == mapping.keys()


async def frame(receive: Callable[[], Awaitable[Any]], described: Described) -> str:
    document = await receive()
    described.check_component("Frame", document)
    return str(document["type"])


async def test_every_event_of_a_stream_is_as_described(aiohttp_client: AiohttpClient) -> None:
    client, described = await aiohttp_client(SERVICES["notification"].app()), Described(APIS["notification"])
    for place, second in (("test-0", None), ("other-7", "reset")):
        async with client.get("/stream", params={"lastEventId": place}) as response:
            told = blocks(aiter(response.content))
            for name in ("welcome", second):
                block = await anext(told)
                assert block.event == name
                described.check_component("Frame" if name else "Notification", json.loads(block.data or ""))
