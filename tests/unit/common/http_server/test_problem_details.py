"""Errors are converted to problem documents, and problem documents of other services are parsed."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from aiohttp import web

from service_common.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    MalformedError,
    NotFoundError,
    PermanentError,
    PreconditionFailedError,
    PreconditionRequiredError,
    ServiceError,
    TransientError,
    UnauthorizedError,
    UnavailableError,
    Violation,
)
from service_common.http_server import CONTENT_TYPE, Problem
from service_common.observability import tracing
from service_common.postgres import DatabaseUnavailableError, StatementTimeoutError
from service_common.sqs import SqsUnavailableError


class ShortStockError(ConflictError):
    slug = "short-stock"


def document(problem: Problem) -> dict[str, Any]:
    body = problem.to_response().body
    assert isinstance(body, bytes)
    loaded: dict[str, Any] = orjson.loads(body)
    return loaded


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (MalformedError("x"), 400),
        (UnauthorizedError("x"), 401),
        (ForbiddenError("x"), 403),
        (NotFoundError("x"), 404),
        (ConflictError("x"), 409),
        (PreconditionFailedError("x"), 412),
        (InvalidError("x"), 422),
        (PreconditionRequiredError("x"), 428),
        (TransientError("x"), 503),
        (UnavailableError("x"), 503),
    ],
)
def test_each_category_has_its_status(error: ServiceError, status: int) -> None:
    problem = Problem.of(error, "/orders")

    assert problem.status == status
    assert problem.type == f"urn:orderstream:problem:{error.slug}"
    assert problem.detail == "x"


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (
            DatabaseUnavailableError('connection to server at "10.0.0.7", port 5432 failed'),
            "The database is unavailable; try again later.",
        ),
        (
            StatementTimeoutError("canceling statement: UPDATE orders SET status"),
            "The database is unavailable; try again later.",
        ),
        (SqsUnavailableError("ReceiveMessage: http://10.0.0.7:4566"), "The queue is unavailable; try again later."),
    ],
)
def test_client_is_told_the_dependency_and_not_the_words_of_its_driver(error: UnavailableError, detail: str) -> None:
    assert Problem.of(error, "/orders").detail == detail


def test_domain_error_keeps_its_slug_and_the_facts_of_each_violation() -> None:
    short = Violation("/orderItems/0", "only 2 left", {"productId": "123", "requested": 5, "stock": 2})

    with tracing(None) as context:
        response = Problem.of(ShortStockError("Not enough stock.", [short]), "/orders").to_response()

    assert response.status == 409
    assert response.content_type == CONTENT_TYPE
    assert isinstance(response.body, bytes)
    assert orjson.loads(response.body) == {
        "type": "urn:orderstream:problem:short-stock",
        "title": "Short stock",
        "status": 409,
        "detail": "Not enough stock.",
        "instance": "/orders",
        "traceId": context.trace_id,
        "errors": [
            {"pointer": "/orderItems/0", "detail": "only 2 left", "productId": "123", "requested": 5, "stock": 2}
        ],
    }


@pytest.mark.parametrize("error", [RuntimeError("password=hunter2"), PermanentError("hunter2"), web.HTTPBadGateway()])
def test_unexpected_error_discloses_no_details(error: Exception) -> None:
    problem = Problem.of(error, "/")

    assert problem.status in {500, 502}
    assert problem.type == "about:blank"
    assert "hunter2" not in str(document(problem))


@pytest.mark.parametrize(("delay_s", "header"), [(0.2, "1"), (1.0, "1"), (1.1, "2"), (30, "30")])
def test_retry_after_of_an_unavailable_error_is_in_whole_seconds(delay_s: float, header: str) -> None:
    response = Problem.of(UnavailableError("away", retry_after_s=delay_s), "/").to_response()

    assert response.headers["Retry-After"] == header


def test_plain_http_error_keeps_its_headers() -> None:
    response = Problem.of(web.HTTPMethodNotAllowed("POST", ["GET", "HEAD"]), "/orders").to_response()

    assert response.status == 405
    assert response.headers["Allow"] == "GET,HEAD"
    assert response.content_type == CONTENT_TYPE


def test_lone_surrogate_in_the_path_is_answered() -> None:
    assert document(Problem.of(NotFoundError("no order \udcff"), "/orders/\udcff"))["status"] == 404


def test_problem_of_another_service_is_parsed_completely() -> None:
    violation = Violation("/items/0", "only 2 left", {"stock": 2})
    sent = Problem.of(ShortStockError("Not enough stock.", [violation]), "/inventory/decrement")
    body = sent.to_response().body
    assert isinstance(body, bytes)

    received = Problem.parse(409, body)

    assert received == sent
    assert received.slug == "short-stock"


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b'{"type":5,"detail":[],"errors":"x"}', b'{"errors":[1,{"pointer":2}]}']
)
def test_other_answer_is_parsed_as_a_problem_without_details(body: bytes) -> None:
    problem = Problem.parse(502, body)

    assert (problem.type, problem.title, problem.status, problem.detail) == ("about:blank", "Bad Gateway", 502, "")
    assert problem.slug == ""


def test_unknown_status_has_a_title() -> None:
    assert Problem.parse(599, b"").title == "Status 599"
