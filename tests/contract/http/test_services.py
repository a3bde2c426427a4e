"""What holds for each of the four services, in memory and as it runs: who it is, and what it answers to nonsense."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from tests.support.hostile import BODIES, documents
from tests.support.http_service import HttpService, serving
from tests.support.in_memory.services import SERVICES as IN_PROCESS
from tests.support.problems import JSON, refused
from tests.support.waiting import PATIENCE_S, eventually

from .conftest import IN_MEMORY, WIRE

if TYPE_CHECKING:
    from tests.support.system import System

Services: TypeAlias = Mapping[str, HttpService]

pytestmark = pytest.mark.asyncio(loop_scope="session")

SERVICES = ("order", "inventory", "processing", "notification")
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
CHECKS = {
    "order": {"database", "processing-queue", "notification-queue", "relay", "reconciliation"},
    "inventory": {"database"},
    "processing": {"database", "processing-queue", "notification-queue", "relay", "engine", "poller"},
    "notification": {"database", "notification-queue", "poller", "tail"},
}
ORDER = {"orderItems": [{"productId": "123", "quantity": 1}]}
TAKE = {"operationId": "fuzz:1", "items": [{"productId": "nobody-has", "quantity": 1}]}
WRITES: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("order", "POST", "/orders", ORDER),
    ("order", "PUT", "/orders/1", ORDER),
    ("order", "POST", "/order/close/4611686018427387904", {"version": 1}),
    ("order", "POST", "/order/close", {"orders": [{"orderId": 4611686018427387904, "version": 1}]}),
    ("order", "POST", "/order/fail/4611686018427387904", {"version": 1, "reason": "none"}),
    ("inventory", "POST", "/inventory", {"productId": "fuzz", "stock": 1}),
    ("inventory", "PUT", "/inventory/nobody-has", {"stock": 1}),
    ("inventory", "POST", "/inventory/decrement", TAKE),
    ("inventory", "POST", "/inventory/decrements", {"operations": [TAKE]}),
    ("inventory", "POST", "/inventory/decrement/nobody-has", {"operationId": "fuzz:1", "quantity": 1}),
    ("inventory", "POST", "/inventory/release", {"operationId": "fuzz:1"}),
    ("inventory", "POST", "/inventory/forget", {"operationIds": ["fuzz:1"]}),
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services_in_memory() -> AsyncIterator[Services]:
    async with AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(serving(service.app(), lambda: None))
            for name, service in IN_PROCESS.items()
        }


@pytest.fixture(scope="module")
def services_wire(system: System) -> Services:
    return {name: system.service(name) for name in SERVICES}


@pytest.fixture(scope="module", params=[IN_MEMORY, WIRE])
def services(request: pytest.FixtureRequest) -> Services:
    found: Services = request.getfixturevalue(f"services_{request.param}")
    return found


@pytest.mark.parametrize("service", SERVICES)
async def test_service_says_who_it_is_and_that_it_is_there(services: Services, service: str) -> None:
    name = (await services[service].call("GET", "/")).json
    assert (name["name"], set(name)) == (f"{service}-service", {"name", "version"})
    assert (await services[service].call("GET", "/health/live")).json == {"status": "live"}


@pytest.mark.wire
@pytest.mark.parametrize("service", SERVICES)
async def test_service_says_what_it_needs_and_has(system: System, service: str) -> None:
    async def look() -> dict[str, Any] | None:
        answer = await system.call(service, "GET", "/health/ready")
        return answer.json if answer.status == 200 else None

    ready: dict[str, Any] = await eventually(look, f"{service} ready")
    assert ready["status"] == "ready"
    assert ready["checks"].keys() >= CHECKS[service]
    assert set(ready["checks"].values()) == {"ok"}


@pytest.mark.parametrize("service", SERVICES)
async def test_metrics_are_prometheus_text(services: Services, service: str) -> None:
    answer = await services[service].call("GET", "/metrics")
    text = answer.body.decode()
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE orderstream_" in text
    assert all(line.startswith("#") or " " in line for line in text.splitlines())


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("path", ["/nothing", "/orders/1/items", "//", "/health", "/%00", "/metrics/"])
async def test_path_that_is_not_served_is_not_found(services: Services, service: str, path: str) -> None:
    refused(await services[service].call("GET", path), 404)


@pytest.mark.parametrize(
    ("service", "method", "path", "allowed"),
    [
        ("order", "PATCH", "/orders", {"GET", "HEAD", "POST"}),
        ("order", "POST", "/orders/1", {"GET", "HEAD", "PUT", "DELETE"}),
        ("order", "GET", "/order/close/1", {"POST"}),
        ("inventory", "DELETE", "/inventory", {"GET", "HEAD", "POST"}),
        ("inventory", "PATCH", "/inventory/123", {"GET", "HEAD", "PUT", "DELETE"}),
        ("processing", "POST", "/sagas", {"GET", "HEAD"}),
        ("processing", "DELETE", "/sagas/1", {"GET", "HEAD"}),
        ("notification", "POST", "/notifications", {"GET", "HEAD"}),
        ("notification", "POST", "/stream", {"GET"}),
        ("notification", "PUT", "/ws", {"GET"}),
        ("notification", "POST", "/health/ready", {"GET", "HEAD"}),
    ],
)
async def test_method_that_a_path_does_not_take_is_refused(
    services: Services, service: str, method: str, path: str, allowed: set[str]
) -> None:
    answer = await services[service].call(method, path)
    refused(answer, 405)
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) - {"OPTIONS"} == allowed


@pytest.mark.parametrize("service", SERVICES)
async def test_trace_of_the_caller_is_continued(services: Services, service: str) -> None:
    given = f"00-{TRACE_ID}-00f067aa0ba902b7-01"
    for path in ("/", "/nothing"):
        answer = await services[service].call("GET", path, headers={"traceparent": given})
        version, trace_id, span_id, flags = answer.headers["traceparent"].split("-")
        assert (version, trace_id, flags) == ("00", TRACE_ID, "01")
        assert span_id != "00f067aa0ba902b7"
    assert refused(answer, 404)["traceId"] == TRACE_ID


@pytest.mark.parametrize(
    "given",
    [
        "x",
        f"00-{TRACE_ID}",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"ff-{TRACE_ID}-00f067aa0ba902b7-01",
        f"00-{TRACE_ID.upper()}-00f067aa0ba902b7-01",
        "0" * 7000,
    ],
    ids=lambda given: given[:12],
)
async def test_trace_that_is_none_is_replaced(services: Services, given: str) -> None:
    answer = await services["order"].call("GET", "/", headers={"traceparent": given})
    assert answer.status == 200
    assert answer.headers["traceparent"].split("-")[1] not in {TRACE_ID, "0" * 32}


@pytest.mark.parametrize("service", SERVICES)
async def test_pages_of_known_origins_may_read_the_answers(services: Services, service: str) -> None:
    known = services[service].origin
    for origin, allowed in ((known, known), ("http://evil.example", None), ("null", None)):
        for path in ("/", "/health/ready"):
            answer = await services[service].call("GET", path, headers={"Origin": origin})
            assert answer.headers.get("Access-Control-Allow-Origin") == allowed


@pytest.mark.parametrize(
    ("service", "sent", "header"),
    [
        ("order", "POST /orders", "idempotency-key"),
        ("order", "POST /orders", "traceparent"),
        ("order", "PUT /orders/1", "if-match"),
        ("order", "DELETE /orders/1", "traceparent"),
        ("inventory", "PUT /inventory/123", "if-match"),
        ("notification", "GET /stream", "last-event-id"),
    ],
)
async def test_pages_of_known_origins_may_send(services: Services, service: str, sent: str, header: str) -> None:
    method, path = sent.split()
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": f"content-type,{header}"}
    answer = await services[service].call("OPTIONS", path, headers={"Origin": services[service].origin, **asked})
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == services[service].origin
    assert answer.headers["Access-Control-Allow-Methods"] == method
    assert header in answer.headers["Access-Control-Allow-Headers"].lower()
    refused(await services[service].call("OPTIONS", path, headers={"Origin": "http://evil.example", **asked}), 403)


async def test_refusal_can_be_read_by_a_page(services: Services) -> None:
    orders = services["order"]
    answer = await orders.call("POST", "/orders", json={}, headers={"Origin": orders.origin})
    refused(answer, 422)
    assert answer.headers["Access-Control-Allow-Origin"] == orders.origin


@pytest.mark.parametrize(
    ("service", "request_line", "header"),
    [
        ("order", b"POST /order/close/1", b"Authorization: Bearer \xff"),
        ("order", b"PUT /orders/1", b'If-Match: "\xff"'),
        ("order", b"POST /orders", b"Idempotency-Key: \xff"),
        ("order", b"POST /orders", b"Content-Type: application/\xff"),
        ("order", b"OPTIONS /orders", b"Access-Control-Request-Method: GET\r\nOrigin: http://\xff"),
        ("inventory", b"PUT /inventory/123", b"If-Match: \xff"),
        ("notification", b"GET /ws", b"Origin: http://\xff"),
        ("notification", b"GET /stream", b"Last-Event-ID: \xff"),
        ("notification", b"GET /ws", b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \xff"),
    ],
)
async def test_header_that_is_no_text_is_malformed(
    services: Services, service: str, request_line: bytes, header: bytes
) -> None:
    sent = (
        request_line
        + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n"
        + header
        + b"\r\n\r\n"
    )
    answer = await raw(services[service], sent)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answer


@pytest.mark.parametrize("service", SERVICES)
async def test_what_is_no_http_is_refused_and_hurts_nobody(services: Services, service: str) -> None:
    for sent in (b"\xff\xfe\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n"):
        assert b" 400 " in (await raw(services[service], sent)).split(b"\r\n")[0]
    assert (await services[service].call("GET", "/health/live")).status == 200


async def raw(service: HttpService, sent: bytes) -> bytes:
    """Send bytes and return what comes back until the connection ends."""
    url = urlsplit(service.url)
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        writer.write(sent)
        answer = await reader.read()
        writer.close()
    return answer


@pytest.mark.parametrize(
    ("service", "method", "path", "document"), [pytest.param(*each, id=f"{each[1]} {each[2]}") for each in WRITES]
)
async def test_no_body_is_unforeseen(
    services: Services, service: str, method: str, path: str, document: dict[str, Any]
) -> None:
    """Whatever is put into a body, in whatever place, the answer is foreseen: a success, or a refusal that says why."""
    headers = {**JSON, **services[service].credentials(path), "If-Match": "*"}
    bodies = [*BODIES, *documents(document, random.Random(path), 60)]
    for body in bodies:
        answer = await services[service].call(method, path, data=body, headers=headers)
        assert answer.status < 500, body
        assert answer.status not in {401, 403}
        if answer.status >= 400:
            refused(answer, answer.status)
    assert (await services[service].call("GET", "/health/live")).status == 200
