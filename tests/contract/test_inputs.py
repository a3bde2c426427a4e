"""What no endpoint of any service takes: parameters that are unknown, repeated, empty or spelled in another way."""

from __future__ import annotations

import inspect
import json

import pytest
from aiohttp.pytest_plugin import AiohttpClient
from marshmallow import Schema, fields

from service_common.auth import Caller
from service_common.openapi import Operation
from tests.contract.test_openapi import BODIES, concrete
from tests.support.api_documents import APIS
from tests.support.in_memory.services import SERVICES, TOKEN, Client, ask

HEADERS = {"Content-Type": "application/json", "If-Match": "*"}
INVALID = "urn:orderstream:problem:invalid"
# 5 in another spelling: what int() takes and nobody writes
SPELLINGS = ("%2B5", "05", "5_0", "%205", "5%20", "5.0", "-5", "%D9%A5", "%EF%BC%95", "0x5", "")


OPERATIONS = [(service, operation) for service, api in APIS.items() for operation in api.operations]
PARAMETERS = [
    (service, operation, field.data_key or attribute, field)
    for service, operation in OPERATIONS
    for attribute, field in operation.parameters.get("query", Schema)().fields.items()
]

each_operation = pytest.mark.parametrize(("service", "operation"), OPERATIONS)
each_body = pytest.mark.parametrize(("service", "operation"), [each for each in OPERATIONS if each[1].body])
each_parameter = pytest.mark.parametrize(("service", "operation", "name", "field"), PARAMETERS)
each_single = pytest.mark.parametrize(
    ("service", "operation", "name"),
    [each[:3] for each in PARAMETERS if not isinstance(each[3], fields.List)],
)
each_integer = pytest.mark.parametrize(
    ("service", "operation", "name"),
    [each[:3] for each in PARAMETERS if isinstance(getattr(each[3], "inner", each[3]), fields.Integer)],
)


def pointers(problem: object) -> list[str]:
    assert isinstance(problem, dict)
    assert problem["status"] == 422, problem
    return [error["pointer"] for error in problem["errors"]]


async def asking(aiohttp_client: AiohttpClient, service: str) -> Client:
    return await aiohttp_client(SERVICES[service].app())


@each_operation
def test_handler_takes_what_its_schemas_load(service: str, operation: Operation) -> None:
    schemas = (*(operation.parameters.get(place, Schema) for place in ("path", "query")), operation.body or Schema)
    loaded = [name for schema in schemas for name in schema().fields]
    _request, *taken = inspect.signature(operation.handler).parameters
    assert sorted(taken) == sorted(loaded), service


def token_for(operation: Operation) -> dict[str, str]:
    return TOKEN if operation.access is Caller.SERVICE else {}


@each_operation
async def test_unknown_parameter_is_refused(aiohttp_client: AiohttpClient, service: str, operation: Operation) -> None:
    client = await asking(aiohttp_client, service)
    problem = await ask(
        client, operation.method, f"{concrete(operation.path)}?nonsense=1", headers=HEADERS | token_for(operation)
    )
    assert (problem["type"], pointers(problem)) == (INVALID, ["/nonsense"])


@each_parameter
async def test_parameter_is_not_empty(
    aiohttp_client: AiohttpClient, service: str, operation: Operation, name: str, field: fields.Field[object]
) -> None:
    client = await asking(aiohttp_client, service)
    problem = await ask(client, "GET", f"{concrete(operation.path)}?{name}=", headers=token_for(operation))
    assert pointers(problem) == [f"/{name}/0" if isinstance(field, fields.List) else f"/{name}"]


@each_single
async def test_parameter_is_given_once(
    aiohttp_client: AiohttpClient, service: str, operation: Operation, name: str
) -> None:
    client = await asking(aiohttp_client, service)
    problem = await ask(client, "GET", f"{concrete(operation.path)}?{name}=5&{name}=5", headers=token_for(operation))
    assert (problem["type"], pointers(problem)) == (INVALID, [f"/{name}"])


@each_integer
async def test_integer_has_one_spelling(
    aiohttp_client: AiohttpClient, service: str, operation: Operation, name: str
) -> None:
    client, path = await asking(aiohttp_client, service), concrete(operation.path)
    for spelling in SPELLINGS:
        problem = await ask(client, "GET", f"{path}?{name}={spelling}", headers=token_for(operation))
        assert pointers(problem)[0].startswith(f"/{name}"), spelling


@each_body
async def test_member_of_a_body_is_given_once(
    aiohttp_client: AiohttpClient, service: str, operation: Operation
) -> None:
    client, sample = await asking(aiohttp_client, service), BODIES[operation.name]
    path, headers = concrete(operation.path), HEADERS | token_for(operation)
    name, value = next(iter(sample.items()))
    rest = json.dumps(sample)[1:]
    for spelling in (name, f"\\u{ord(name[0]):04x}{name[1:]}"):
        body = f'{{"{spelling}":{json.dumps(value)},{rest}'
        problem = await ask(client, operation.method, path, headers=headers, data=body)
        assert (problem["type"], pointers(problem)) == (INVALID, [""]), body


async def test_member_of_an_item_is_given_once(aiohttp_client: AiohttpClient) -> None:
    client = await asking(aiohttp_client, "order")
    body = '{"orderItems":[{"productId":"123","quantity":1,"quantity":2}]}'
    assert pointers(await ask(client, "POST", "/orders", headers=HEADERS, data=body)) == [""]


@pytest.mark.parametrize("depth", [1, 1000])
async def test_member_that_another_replaces_may_be_anything(aiohttp_client: AiohttpClient, depth: int) -> None:
    client = await asking(aiohttp_client, "order")
    body = '{"version":' + '{"a":' * depth + "1" + "}" * depth + ',"version":1}'
    assert pointers(await ask(client, "POST", "/order/close/1", headers=HEADERS | TOKEN, data=body)) == [""]


async def test_member_of_a_subscription_is_given_once(aiohttp_client: AiohttpClient) -> None:
    client = await asking(aiohttp_client, "notification")
    async with client.ws_connect("/ws") as socket:
        await socket.receive_json()
        await socket.send_str('{"type":"subscribe","orderId":[1],"orderId":[2]}')
        assert (await socket.receive_json())["type"] == "error"
