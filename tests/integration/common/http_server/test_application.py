"""The application of every service: traces, problems, health, CORS."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from marshmallow import INCLUDE, Schema

from service_common.auth import PUBLIC
from service_common.config import ServiceConfig
from service_common.errors import ConflictError, UnavailableError, Violation
from service_common.http_server import METRICS, READINESS, VERSION, new_app, read_body
from service_common.http_server.requests import MAX_BODY_BYTES
from service_common.observability import current_trace
from service_common.openapi import Api, Operation
from tests.support.waiting import PATIENCE_S

Client = TestClient[web.Request, web.Application]
AiohttpClient = Callable[[web.Application], Awaitable[Client]]

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


class ShortStockError(ConflictError):
    slug = "short-stock"


ANYTHING = Schema(unknown=INCLUDE)


async def echo(request: web.Request) -> web.Response:
    return web.json_response(await read_body(request, ANYTHING))


async def trace_id(_request: web.Request) -> web.Response:
    context = current_trace()
    return web.Response(text=context.trace_id if context else "")


async def short(_request: web.Request) -> web.Response:
    raise ShortStockError("Not enough stock.", [Violation("/orderItems/0", "short", {"stock": 2})])


async def away(_request: web.Request) -> web.Response:
    error = UnavailableError("connection to 10.0.0.7 refused", retry_after_s=2.0)
    error.dependency = "inventory-service"
    raise error


async def boom(_request: web.Request) -> web.Response:
    raise RuntimeError("password=hunter2")


async def moved(_request: web.Request) -> web.Response:
    raise web.HTTPFound("/trace")


async def stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"data: 1\n\n")
    return response


API = Api(
    name="any-service",
    description="Fails in every way.",
    own_operations=tuple(
        Operation(method, path, handler, name=handler.__name__, access=PUBLIC, answers={})
        for method, path, handler in (
            ("POST", "/echo", echo),
            ("GET", "/trace", trace_id),
            ("GET", "/short", short),
            ("GET", "/away", away),
            ("GET", "/boom/{id}", boom),
            ("GET", "/moved", moved),
            ("GET", "/stream", stream),
        )
    ),
)


@pytest.fixture
def app(service_config: ServiceConfig) -> web.Application:
    app = new_app("any-service")
    API.serve(app, service_config)
    return app


@pytest.fixture
async def client(app: web.Application, aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(app)


async def problem(client: Client, method: str, path: str, status: int, **request: Any) -> dict[str, Any]:
    async with client.request(method, path, **request) as response:
        assert response.status == status
        assert response.content_type == "application/problem+json"
        document: dict[str, Any] = await response.json()
        assert document["status"] == status
        assert document["traceId"] in response.headers["traceparent"]
        return document


async def test_trace_of_the_caller_is_continued(client: Client) -> None:
    async with client.get("/trace", headers={"traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01"}) as response:
        assert await response.text() == TRACE_ID
        assert response.headers["traceparent"].split("-")[1] == TRACE_ID
        assert response.headers["traceparent"].split("-")[2] != "00f067aa0ba902b7"


async def test_request_without_a_trace_starts_one(client: Client) -> None:
    async with client.get("/trace") as response:
        assert await response.text() == response.headers["traceparent"].split("-")[1]


async def test_service_error_is_a_problem_with_its_facts(client: Client) -> None:
    document = await problem(client, "GET", "/short", 409)

    assert document["type"] == "urn:orderstream:problem:short-stock"
    assert document["instance"] == "/short"
    assert document["errors"] == [{"pointer": "/orderItems/0", "detail": "short", "stock": 2}]


async def test_unavailable_dependency_is_answered_with_retry_after_and_its_reason_is_logged(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    async with client.get("/away") as response:
        assert response.status == 503
        assert response.headers["Retry-After"] == "2"
        assert "10.0.0.7" not in await response.text()
    [line] = [vars(each) for each in caplog.records if each.message == "dependency unavailable"]
    assert (line["levelname"], line["path"], line["dependency"]) == ("WARNING", "/away", "inventory-service")
    assert "10.0.0.7" in line["reason"]


async def test_unexpected_error_is_logged_with_its_traceback_and_answered_without(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    document = await problem(client, "GET", "/boom/1", 500)

    assert "hunter2" not in str(document)
    [error] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert error.exc_info
    assert str(error.exc_info[1]) == "password=hunter2"


async def test_unknown_path_is_answered_with_a_problem(client: Client) -> None:
    await problem(client, "GET", "/nowhere", 404)
    assert "Allow" in (await client.delete("/trace")).headers
    await problem(client, "DELETE", "/trace", 405)


async def test_redirection_is_passed_through(client: Client) -> None:
    async with client.get("/moved", allow_redirects=False) as response:
        assert response.status == 302
        assert response.headers["Location"] == "/trace"
        assert "traceparent" in response.headers


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"nonsense", b'"\xff"', b"NaN", b"[" * 100_000])
async def test_body_that_is_no_json_object_is_malformed(client: Client, body: bytes) -> None:
    await problem(client, "POST", "/echo", 400, data=body, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "jsonish", ""])
async def test_body_of_another_type_is_refused(client: Client, content_type: str) -> None:
    await problem(client, "POST", "/echo", 415, data=b"{}", headers={"Content-Type": content_type})


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/merge-patch+json"])
async def test_media_type_with_json_suffix_is_accepted(client: Client, content_type: str) -> None:
    async with client.post("/echo", data=b'{"a":1}', headers={"Content-Type": content_type}) as response:
        assert await response.json() == {"a": 1}


async def test_body_has_at_most_256_kib(client: Client) -> None:
    largest = b'{"a":"' + b"x" * (MAX_BODY_BYTES - 8) + b'"}'
    headers = {"Content-Type": "application/json"}

    async with client.post("/echo", data=largest, headers=headers) as response:
        assert response.status == 200
    await problem(client, "POST", "/echo", 413, data=largest + b" ", headers=headers)


async def test_request_is_logged_once_with_its_facts(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    await client.get("/boom/7")
    await client.get("/health/live")

    [line] = [vars(record) for record in caplog.records if record.message == "request handled"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/boom/7", 500)
    assert line["durationMs"] > 0


async def test_metrics_are_by_route_template(client: Client) -> None:
    await client.get("/boom/7")
    await client.get("/boom/8")
    await client.get("/nowhere/9")
    await client.get("/stream")

    async with client.get("/metrics") as response:
        text = await response.text()
    assert 'http_request_seconds_count{method="GET",route="/boom/{id}",status="500"} 2.0' in text
    assert 'http_request_seconds_count{method="GET",route="unmatched",status="404"} 1.0' in text
    assert 'http_streams_total{route="/stream",status="200"} 1.0' in text
    assert 'http_problems_total{reason="500"} 2.0' in text
    assert 'http_problems_total{reason="404"} 1.0' in text
    assert 'route="/stream"' not in text.replace("http_streams_total", "http_streams").split("http_streams")[0]


async def test_last_failure_is_that_of_a_request_not_of_a_probe(client: Client, app: web.Application) -> None:
    async def no_database() -> None:
        raise ConnectionError("refused")

    def last_failure() -> float:
        name = b"\norderstream_http_last_failure_timestamp_seconds "
        return float(app[METRICS].exposition().partition(name)[2].partition(b"\n")[0])

    app[READINESS].add("database", no_database)
    await client.get("/health/ready")
    await client.get("/nowhere/9")
    assert last_failure() == 0

    began = time.time()
    await client.get("/boom/7")
    assert began <= last_failure() <= time.time()


async def test_readiness_reports_the_failed_check(client: Client, app: web.Application) -> None:
    async def no_database() -> None:
        raise ConnectionError("refused")

    async with client.get("/health/ready") as response:
        document = await response.json()
        assert (response.status, document["status"], document["checks"]) == (200, "ready", {})
        assert document["version"] == app[VERSION]
        assert datetime.fromisoformat(document["startedAt"]) <= datetime.now(UTC)

    app[READINESS].add("database", no_database)

    async with client.get("/health/ready") as response:
        assert response.status == 503
        document = await response.json()
        assert (document["status"], document["checks"]) == ("not ready", {"database": "failed"})
    async with client.get("/health/live") as response:
        assert response.status == 200


async def test_service_answers_its_name_and_version(client: Client) -> None:
    async with client.get("/") as response:
        document = await response.json()
    assert document["name"] == "any-service"
    assert document["version"]


async def test_page_of_an_allowed_origin_may_read_answers(app: web.Application, aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(app)

    async with client.get("/short", headers={"Origin": "http://localhost:4200"}) as response:
        assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:4200"
        assert "ETag" in response.headers["Access-Control-Expose-Headers"]
        assert response.headers["Vary"] == "Origin"
    async with client.get("/short") as response:  # a cache may give this answer to a page
        assert response.headers["Vary"] == "Origin"
    preflight = {"Origin": "http://localhost:4200", "Access-Control-Request-Method": "POST"}
    async with client.options(
        "/echo", headers={**preflight, "Access-Control-Request-Headers": "content-type,idempotency-key"}
    ) as response:
        assert response.status == 200
        assert response.headers["Access-Control-Allow-Methods"] == "POST"
        assert response.headers["Vary"] == "Origin"
    async with client.get("/stream", headers={"Origin": "http://localhost:4200"}) as response:
        assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:4200"


async def test_page_of_another_origin_may_not(app: web.Application, aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(app)

    async with client.get("/short", headers={"Origin": "http://evil.example"}) as response:
        assert "Access-Control-Allow-Origin" not in response.headers
        assert response.headers["Vary"] == "Origin"


async def raw(client: Client, request: bytes) -> bytes:
    assert client.port is not None
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
    writer.close()
    await writer.wait_closed()
    return answer


async def test_path_that_is_not_utf8_is_answered(client: Client) -> None:
    answer = await raw(client, b"GET /boom/%ff%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 500"), head
    assert orjson.loads(body)["status"] == 500


async def test_disconnected_client_is_not_logged_as_an_error(
    client: Client, app: web.Application, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.port is not None
    _, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    await writer.drain()
    writer.close()
    await writer.wait_closed()

    async with asyncio.timeout(PATIENCE_S):
        while b'route="/echo"' not in app[METRICS].exposition():
            await client.get("/health/live")

    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain", id="not compressed"),
        pytest.param(b"Content-Length: 300000\r\n\r\n{", id="too large and not all there"),
    ],
)
async def test_client_is_told_when_its_connection_ends_with_the_answer(client: Client, body: bytes) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    assert client.port is not None
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(head + body)
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 4")
    assert b"\r\nconnection: close\r\n" in answer.lower()
