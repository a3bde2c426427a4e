"""Middlewares of every handler: trace, access log, metrics, problem documents."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Mapping
from time import perf_counter
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from ..errors import MalformedError
from ..observability import KNOWN_METHODS, Span, SpanKind, current_trace, tracing
from .app_keys import METRICS
from .problem_details import Problem
from .requests import json_response

__all__ = ["outcomes", "problems", "trace"]

logger = logging.getLogger(__name__)

# nginx's status for a client that closed the connection before the answer
CLIENT_CLOSED_REQUEST = 499
# logged together (request_limits): a flood of requests is none of log lines
_TOO_MANY_REQUESTS = 429
_UNMATCHED = "unmatched"
# polled every few seconds: not logged, and not traced
_UNLOGGED = frozenset({"/health/live", "/health/ready", "/metrics"})


@web.middleware
async def trace(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Continue the trace of the caller, log the request and count it."""
    started = perf_counter()
    route = _route(request)
    with tracing(
        request.headers.get("traceparent"),
        ",".join(request.headers.getall("tracestate", ())),
        name="" if route in _UNLOGGED else _name(request, route),
        kind=SpanKind.SERVER,
    ) as current:
        if current.recorded:
            _describe(current, request, route)
        try:
            response = await handler(request)
        except web.HTTPException as redirection:
            redirection.headers["traceparent"] = current.traceparent
            _observe(request, route, redirection.status, started, streamed=False)
            raise
        except BaseException:
            _observe(request, route, CLIENT_CLOSED_REQUEST, started, streamed=False)
            raise
        if not response.prepared:
            response.headers["traceparent"] = current.traceparent
        _observe(request, route, response.status, started, streamed=response.prepared)
        return response


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return _UNMATCHED if resource is None else resource.canonical


def _method(request: web.Request) -> str:
    return request.method if request.method in KNOWN_METHODS else "_OTHER"


def _name(request: web.Request, route: str) -> str:
    return _method(request) if route == _UNMATCHED else f"{_method(request)} {route}"


def _describe(current: Span, request: web.Request, route: str) -> None:
    # https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span
    current.set("http.request.method", _method(request))
    current.set("url.path", request.path)
    current.set("url.scheme", request.scheme)
    if route != _UNMATCHED:
        current.set("http.route", route)


def _observe(request: web.Request, route: str, status: int, started: float, *, streamed: bool) -> None:
    seconds = perf_counter() - started
    if (current := current_trace()) is not None:
        current.set("http.response.status_code", status)
        if status >= 500:
            current.fail(str(status))
    if streamed:
        request.app[METRICS].stream(route, status)
    else:
        request.app[METRICS].request(request.method, route, status, seconds)
    if route not in _UNLOGGED and status >= 500:
        request.app[METRICS].failure()
    if route not in _UNLOGGED and status != _TOO_MANY_REQUESTS:
        logger.info(
            "request handled",
            extra={
                "method": request.method,
                "path": request.path,
                "status": status,
                "durationMs": round(seconds * 1000, 3),
            },
        )


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer an error with a problem document; an unexpected one is logged with its traceback and answered with 500."""
    try:
        _require_text(request)
        _require_identity(request)
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _answer(request, Problem.of(error, request.rel_url.raw_path))
    except Exception as error:
        if isinstance(error, ConnectionError) and _is_disconnected(request):
            return web.Response(status=CLIENT_CLOSED_REQUEST)
        return _answer(request, _logged(request, error))


async def outcomes(request: web.Request, items: Iterable[Awaitable[Mapping[str, Any]]]) -> web.Response:
    """Answer a batch: the document of each of its *items*, or the problem document of the one that failed."""
    documents: list[Mapping[str, Any]] = []
    for outcome in await asyncio.gather(*items, return_exceptions=True):
        if isinstance(outcome, Exception):
            problem = _logged(request, outcome)
            _count(request, problem)
            documents.append({"problem": problem.document})
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            documents.append(outcome)
    return json_response({"outcomes": documents})


def _logged(request: web.Request, error: Exception) -> Problem:
    problem = Problem.of(error, request.rel_url.raw_path)
    if problem.status == 500:
        logger.error("request failed", extra={"method": request.method, "path": request.path}, exc_info=error)
    elif problem.status == 503:
        facts = {"path": request.path, "dependency": getattr(error, "dependency", ""), "reason": str(error)}
        logger.warning("dependency unavailable", extra=facts)
    return problem


def _count(request: web.Request, problem: Problem) -> None:
    request.app[METRICS].problem(problem.slug or str(problem.status))


def _is_disconnected(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _answer(request: web.Request, problem: Problem) -> web.Response:
    _count(request, problem)
    response = problem.to_response()
    if not request.content.is_eof() or "Content-Encoding" in request.headers:
        # the rest of the body is not read; unless told so (RFC 9112, 9.6), the client would send its next request
        response.force_close()
    return response


def _require_text(request: web.Request) -> None:
    # aiohttp decodes other bytes to lone surrogates, which can't be encoded again
    for name, value in request.raw_headers:
        if not value.isascii():
            try:
                value.decode()
            except UnicodeDecodeError as error:
                raise MalformedError(f"The header {name.decode('ascii', 'replace')} is not UTF-8.") from error


def _require_identity(request: web.Request) -> None:
    codings = ",".join(request.headers.getall("Content-Encoding", ())).lower()
    if any(coding.strip() not in {"", "identity"} for coding in codings.split(",")):
        raise web.HTTPUnsupportedMediaType(
            text=f"The body has to be sent as it is, not as {codings}.", headers={"Accept-Encoding": "identity"}
        )
