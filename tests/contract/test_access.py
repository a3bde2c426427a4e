"""Who may call what: the reference has it, the endpoints declare it, and the services answer by it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass

import pytest
import pytest_asyncio
from aiohttp.pytest_plugin import AiohttpClient

from service_common.auth import PUBLIC, Caller
from tests.support.api_documents import APIS
from tests.support.in_memory.services import SERVICES, TOKEN, Client
from tests.support.issuer import AUDIENCE, Issuer, bearer, issuer
from tests.support.pages import REFERENCE, inline_code, rows, section

CALLERS = (Caller.ANONYMOUS, Caller.CUSTOMER, Caller.OPERATOR, Caller.VIEWER, Caller.SERVICE)
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
        path = cell.path.format(order_id=1, product_id="123")
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
            path = cell.path.format(order_id=1, product_id="123")
            for headers in ({}, bearer("nonsense")):
                async with client.request(cell.method, path, headers=headers) as answer:
                    assert (answer.status not in {401, 403}) == cell.allowed, cell


@pytest.mark.parametrize("service", SERVICES)
def test_public_is_only_what_says_nothing_of_orders(service: str) -> None:
    public = {operation.path for operation in APIS[service].operations if operation.access is PUBLIC}
    assert public == {"/", "/health/live", "/health/ready", "/metrics", "/openapi.json"}


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
