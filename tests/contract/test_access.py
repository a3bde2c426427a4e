"""Who may call what: the reference has it, the endpoints declare it, and the services answer by it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.pytest_plugin import AiohttpClient

import notification_service.feed.order_client
import order_service.inventory_client
import processing_service.inventory_client
import processing_service.order_client
from order_contracts import Item
from processing_service.app_keys import OUTBOX, SAGAS
from processing_service.saga import Saga, Unanswered
from service_common.auth import PUBLIC, Caller
from service_common.http_client import Call
from service_common.http_server import READINESS
from tests.support.api_documents import APIS
from tests.support.in_memory.database import saga_statements
from tests.support.in_memory.processing import InMemorySagas
from tests.support.in_memory.services import SERVICES, TOKEN, Client, outbox_of
from tests.support.issuer import AUDIENCE, Issuer, bearer, issuer
from tests.support.pages import REFERENCE, inline_code, rows, section

CALLERS = (Caller.ANONYMOUS, Caller.CUSTOMER, Caller.OPERATOR, Caller.VIEWER, Caller.SERVICE)
SERVICE_CLIENTS = (
    notification_service.feed.order_client,
    order_service.inventory_client,
    processing_service.inventory_client,
    processing_service.order_client,
)
TITLES = {
    "order": "## Order service",
    "inventory": "## Inventory service",
    "notification": "## Notification service",
    "processing": "## Processing service",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """Whether a kind of caller may call an endpoint, as the reference has it."""

    service: str
    method: str
    path: str
    caller: Caller
    allowed: bool
    public: bool

    def __str__(self) -> str:
        return f"{self.service} {self.method} {self.path} {self.caller.name}"


def cells(service: str) -> Iterator[Cell]:
    page = (REFERENCE / "access.md").read_text("utf-8")
    for title in ("## Every service", TITLES[service]):
        for call, *marks in rows(section(page, title)):
            method, path = inline_code(call)[0].split()
            assert len(marks) == len(CALLERS)
            assert set(marks) <= {"", "yes"}
            for caller, mark in zip(CALLERS, marks, strict=True):
                yield Cell(service, method, path, caller, bool(mark), bool(marks[0]))


@pytest_asyncio.fixture
async def tokens() -> AsyncIterator[Issuer]:
    async with issuer() as found:
        yield found


async def asking(aiohttp_client: AiohttpClient, service: str, tokens: Issuer) -> Client:
    environ = {"AUTH_MODE": "oidc", "AUTH_ISSUER": tokens.url, "AUTH_AUDIENCE": AUDIENCE}
    return await aiohttp_client(SERVICES[service].app(**environ))


def credentials(tokens: Issuer) -> Mapping[Caller, Mapping[str, str]]:
    return {
        Caller.ANONYMOUS: {},
        Caller.CUSTOMER: bearer(tokens.token("alice")),
        Caller.OPERATOR: bearer(tokens.token("olga", "operator")),
        Caller.VIEWER: bearer(tokens.token("victor", "viewer")),
        Caller.SERVICE: TOKEN,
    }


@pytest.mark.parametrize("service", SERVICES)
def test_reference_has_what_the_endpoints_declare(service: str) -> None:
    declared = {
        (operation.method, operation.path, caller): caller in operation.access
        for operation in APIS[service].operations
        for caller in CALLERS
    }
    assert {(cell.method, cell.path, cell.caller): cell.allowed for cell in cells(service)} == declared


@pytest.mark.parametrize("service", SERVICES)
async def test_service_answers_those_who_may_call_and_no_other(
    aiohttp_client: AiohttpClient, service: str, tokens: Issuer
) -> None:
    client, of_caller = await asking(aiohttp_client, service, tokens), credentials(tokens)
    for cell in cells(service):
        path = cell.path.format(order_id=1, product_id="123", letter_id="m1")
        async with client.request(cell.method, path, headers=of_caller[cell.caller]) as answer:
            assert (answer.status in {401, 403}) == (not cell.allowed), cell
            if not cell.allowed:
                assert answer.status == (401 if cell.caller is Caller.ANONYMOUS else 403), cell
                assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("service", SERVICES)
async def test_public_endpoint_does_not_look_at_a_token(
    aiohttp_client: AiohttpClient, service: str, tokens: Issuer
) -> None:
    client = await asking(aiohttp_client, service, tokens)
    for cell in cells(service):
        if cell.public and cell.caller is Caller.ANONYMOUS:
            async with client.request(cell.method, cell.path, headers=bearer("nonsense")) as answer:
                assert answer.status == 200, cell


@pytest.mark.parametrize("service", SERVICES)
async def test_everybody_is_an_operator_in_open_mode(aiohttp_client: AiohttpClient, service: str) -> None:
    client = await aiohttp_client(SERVICES[service].app())
    for cell in cells(service):
        if cell.caller is Caller.OPERATOR:
            path = cell.path.format(order_id=1, product_id="123", letter_id="m1")
            for headers in ({}, bearer("nonsense")):
                async with client.request(cell.method, path, headers=headers) as answer:
                    assert (answer.status not in {401, 403}) == cell.allowed, cell


@pytest.mark.parametrize("service", SERVICES)
def test_public_is_only_what_says_nothing_of_orders(service: str) -> None:
    public = {operation.path for operation in APIS[service].operations if operation.access is PUBLIC}
    assert public == {"/", "/health/live", "/health/ready", "/openapi.json"}


@pytest.mark.parametrize("service", SERVICES)
async def test_what_is_inside_is_shown_to_those_who_work_on_it(
    aiohttp_client: AiohttpClient, service: str, tokens: Issuer
) -> None:
    client = await asking(aiohttp_client, service, tokens)
    assert client.app is not None
    client.app[READINESS].task_died("poller")
    client.app[READINESS].watch("poller")
    for caller, headers in {**credentials(tokens), PUBLIC: bearer("nonsense")}.items():
        inside = caller in {Caller.OPERATOR, Caller.VIEWER, Caller.SERVICE}
        async with client.get("/health/ready", headers=headers) as answer:
            document = await answer.json()
            assert (answer.status, document["status"]) == (503, "not ready"), caller
            assert set(document) == ({"status", "checks", "version", "startedAt"} if inside else {"status"}), caller
            if inside:
                assert document["checks"] == {"signing keys": "ok", "poller": "restarting"}
        async with client.get("/", headers=headers) as answer:
            assert set(await answer.json()) == ({"name", "version"} if inside else {"name"}), caller


@pytest.mark.parametrize("service", SERVICES)
def test_security_in_the_interface_document_is_the_declared_access(service: str) -> None:
    from service_common.openapi.document import build_document

    paths = build_document(APIS[service], "0")["paths"]
    for cell in cells(service):
        if cell.caller is not Caller.ANONYMOUS:
            wanted = (
                {"serviceToken": []}
                if cell.caller is Caller.SERVICE
                else {"accessToken": [str(cell.caller.name).lower()]}
            )
            security = paths[cell.path][cell.method.lower()].get("security", [wanted])
            assert (wanted in security) == cell.allowed, cell


def test_operations_that_take_a_ticket_are_those_of_the_reference_and_of_the_interface_document() -> None:
    from service_common.openapi.document import build_document

    declared = {each.path for api in APIS.values() for each in api.operations if each.by_ticket}
    described = {
        path
        for api in APIS.values()
        for path, methods in build_document(api, "0")["paths"].items()
        for operation in methods.values()
        if any("ticket" in each for each in operation.get("security", ()))
    }
    text = section((REFERENCE / "access.md").read_text("utf-8"), "## Tickets")
    assert {code.split()[-1] for code in inline_code(next(iter(rows(text)))[0])} == declared == described


async def test_order_of_another_customer_is_not_there(aiohttp_client: AiohttpClient, tokens: Issuer) -> None:
    client = await asking(aiohttp_client, "order", tokens)
    alice, bob = bearer(tokens.token("alice")), bearer(tokens.token("bob"))
    order = {"orderItems": [{"productId": "123", "quantity": 1}]}
    keyed = {"Idempotency-Key": "the same"}
    placed = [await place(client, order, {**who, **keyed}) for who in (alice, bob, alice)]
    assert (placed[0]["id"], placed[1]["id"]) == (placed[2]["id"], placed[0]["id"] + 1)
    path = f"/orders/{placed[0]['id']}"
    for method, body in (("GET", None), ("PUT", order), ("DELETE", None)):
        async with client.request(method, path, json=body, headers=bob) as answer:
            document = await answer.json()
            assert (answer.status, document["type"]) == (404, "urn:orderstream:problem:order-not-found")
            assert document["detail"] == f"There is no order {placed[0]['id']}."
    for caller in (alice, bearer(tokens.token("olga", "operator")), bearer(tokens.token("victor", "viewer"))):
        assert (await client.get(path, headers=caller)).status == 200
    for caller in (bearer(tokens.token("olga", "operator")), alice):
        async with client.put(path, json=order, headers=caller) as answer:
            assert answer.status == 200


async def test_events_of_an_order_are_for_its_customer(aiohttp_client: AiohttpClient, tokens: Issuer) -> None:
    client = await asking(aiohttp_client, "order", tokens)
    alice, bob = bearer(tokens.token("alice")), bearer(tokens.token("bob"))
    placed = await place(client, {"orderItems": [{"productId": "123", "quantity": 1}]}, alice)
    for caller in (alice, bearer(tokens.token("victor", "viewer"))):
        async with client.get(f"/order/events?orderId={placed['id']}&data=true", headers=caller) as answer:
            events = (await answer.json())["events"]
            assert {each["queue"] for each in events} == {"processing", "notification"}
            assert [each["data"]["customerId"] for each in events] == ["alice", "alice"]
    of_order = f"/order/events?orderId={placed['id']}"
    for event, number in ((events[0]["id"], 2), (uuid4(), 0)):
        async with client.get(f"{of_order}&event={event}&data=true", headers=alice) as answer:
            assert len((await answer.json())["events"]) == number
    async with client.get(of_order, headers=bob) as answer:
        assert (answer.status, (await answer.json())["type"]) == (404, "urn:orderstream:problem:order-not-found")
    async with client.get(f"/order/events?traceId={32 * 'a'}", headers=alice) as answer:
        assert (answer.status, (await answer.json())["type"]) == (403, "urn:orderstream:problem:insufficient-scope")


async def test_sagas_of_an_order_are_for_its_customer_without_what_services_heard(
    aiohttp_client: AiohttpClient, tokens: Issuer
) -> None:
    sagas = InMemorySagas()

    async def opened(app: web.Application) -> AsyncIterator[None]:
        app[SAGAS], app[OUTBOX] = sagas, outbox_of(saga_statements(sagas))
        yield

    saga = Saga(1, 1, (Item("a", 1),), customer_id="alice")
    claim = (await sagas.start(saga, claimed=True)).claim
    assert claim is not None
    failure = Unanswered("inventory-service: http://10.0.0.7:8081: no answer")
    attempt = saga.failed_attempt(failure, datetime.now(UTC), 2.0)
    assert await sagas.save(claim, saga.after(failure), {}, 0.0, attempt)
    environ = {"AUTH_MODE": "oidc", "AUTH_ISSUER": tokens.url, "AUTH_AUDIENCE": AUDIENCE}
    client = await aiohttp_client(SERVICES["processing"].app(opened, **environ))
    of_caller = credentials(tokens)
    for caller in (Caller.OPERATOR, Caller.VIEWER, Caller.SERVICE):
        async with client.get("/sagas/1", headers=of_caller[caller]) as answer:
            (told,) = (await answer.json())["sagas"]
            assert (told["lastError"], told["failedAttempts"][0]["error"]) == (
                f"take stock: {failure.error}",
                failure.error,
            )
    async with client.get("/sagas/1", headers=of_caller[Caller.CUSTOMER]) as answer:
        text = await answer.text()
        assert "10.0.0.7" not in text
        (own,) = json.loads(text)["sagas"]
        (attempted,) = own["failedAttempts"]
        assert (own["attempts"], own["lastError"], attempted["error"]) == (1, None, None)
        assert (attempted["step"], attempted["kind"], attempted["seconds"]) == ("take stock", "unavailable", 2.0)
    for query in ("", "?orderId=1", "?customer=alice"):
        async with client.get(f"/sagas{query}", headers=of_caller[Caller.CUSTOMER]) as answer:
            text = await answer.text()
            assert "10.0.0.7" not in text
            assert [each["orderId"] for each in json.loads(text)["sagas"]] == [1]
        async with client.get(f"/sagas{query.partition('customer')[0]}", headers=bearer(tokens.token("bob"))) as answer:
            assert (answer.status, await answer.json()) == (200, {"sagas": []})
    async with client.get("/sagas/1/events", headers=of_caller[Caller.CUSTOMER]) as answer:
        assert (answer.status, await answer.json()) == (200, {"events": []})
    for path in ("/sagas/1", "/sagas/1/events"):
        async with client.get(path, headers=bearer(tokens.token("bob"))) as answer:
            document = await answer.json()
            assert (answer.status, document["type"]) == (404, "urn:orderstream:problem:saga-not-found")
            assert document["detail"] == "There is no saga of order 1."


async def test_list_has_own_orders_and_those_of_all_for_operators(
    aiohttp_client: AiohttpClient, tokens: Issuer
) -> None:
    client = await asking(aiohttp_client, "order", tokens)
    order = {"orderItems": [{"productId": "123", "quantity": 1}]}
    placed = {name: (await place(client, order, bearer(tokens.token(name))))["id"] for name in ("alice", "bob")}

    async def listed(query: str, *caller: str) -> list[int]:
        async with client.get(f"/orders{query}", headers=bearer(tokens.token(*caller))) as answer:
            assert answer.status == 200
            return [each["id"] for each in (await answer.json())["orders"]]

    for name, order_id in placed.items():
        assert await listed("", name) == await listed(f"?customer={name}", name) == [order_id]
        assert await listed(f"?customer={name}", "olga", "operator") == [order_id]
    assert await listed("?customer=carol", "olga", "operator") == []
    assert await listed("", "olga", "operator") == await listed("", "victor", "viewer") == [*reversed(placed.values())]


async def test_customer_may_not_name_another(aiohttp_client: AiohttpClient, tokens: Issuer) -> None:
    calls = {"order": ("/orders",), "processing": ("/sagas",), "notification": ("/notifications", "/stream", "/ws")}
    for service, paths in calls.items():
        client = await asking(aiohttp_client, service, tokens)
        for path in paths:
            async with client.get(f"{path}?customer=alice", headers=bearer(tokens.token("bob"))) as answer:
                document = await answer.json()
                assert (answer.status, document["type"]) == (403, "urn:orderstream:problem:insufficient-scope")


async def place(client: Client, order: object, headers: Mapping[str, str]) -> dict[str, Any]:
    async with client.post("/orders", json=order, headers=headers) as answer:
        assert answer.status == 201
        document: dict[str, Any] = await answer.json()
        return document


@pytest.mark.parametrize("client", SERVICE_CLIENTS, ids=lambda client: client.__name__)
def test_services_may_call_what_they_call(client: ModuleType) -> None:
    calls = {(each.method, each.path) for each in vars(client).values() if isinstance(each, Call)}
    access = {
        (operation.method, operation.path): operation.access
        for api in APIS.values()
        for operation in api.operations
        if (operation.method, operation.path) in calls
    }
    assert calls
    assert access.keys() == calls
    assert all(Caller.SERVICE in callers for callers in access.values()), access
