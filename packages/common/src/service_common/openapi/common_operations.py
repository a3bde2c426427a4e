"""The endpoints of every service: liveness, readiness, metrics, name.

Who works on the system (`INSIDE`) sees what it consists of; the public sees whether it works.
"""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web

from ..auth import PRINCIPAL, PUBLIC, Caller
from ..http_server import METRICS, NAME, READINESS, VERSION, json_response
from ..timestamps import rfc3339
from .answers import LiveSchema, NameSchema, ReadySchema
from .operations import Answer, Operation

__all__ = ["COMMON_OPERATIONS"]

INSIDE = Caller.OPERATOR | Caller.VIEWER | Caller.SERVICE
_STARTED_AT = rfc3339(datetime.now(UTC))
_METRICS_TYPE = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}


async def get_name(request: web.Request) -> web.Response:
    """Who answers here."""
    version = {"version": request.app[VERSION]} if _is_inside(request) else {}
    return json_response({"name": request.app[NAME], **version})


async def get_live(_request: web.Request) -> web.Response:
    """Whether the process answers."""
    return json_response({"status": "live"})


async def get_ready(request: web.Request) -> web.Response:
    """Whether it can do its work."""
    report = await request.app[READINESS].report()
    status = "ready" if report.ready else "not ready"
    document: dict[str, object] = {"status": status}
    if _is_inside(request):
        document |= {"checks": report.checks, "version": request.app[VERSION], "startedAt": _STARTED_AT}
    return json_response(document, status=200 if report.ready else 503)


async def get_metrics(request: web.Request) -> web.Response:
    """Its numbers, in the text format of Prometheus."""
    metrics = request.app[METRICS]
    await metrics.refresh()
    return web.Response(body=metrics.exposition(), headers=_METRICS_TYPE)


def _is_inside(request: web.Request) -> bool:
    return request[PRINCIPAL].kind in INSIDE


COMMON_OPERATIONS = (
    Operation("GET", "/", get_name, name="getName", access=PUBLIC, answers={200: Answer("Its name", NameSchema)}),
    Operation(
        "GET",
        "/health/live",
        get_live,
        name="getLiveness",
        access=PUBLIC,
        answers={200: Answer("It does", LiveSchema)},
        limited=False,
    ),
    Operation(
        "GET",
        "/health/ready",
        get_ready,
        name="getReadiness",
        access=PUBLIC,
        answers={200: Answer("It can", ReadySchema), 503: Answer("It can not, and why", ReadySchema)},
        limited=False,
    ),
    Operation(
        "GET",
        "/metrics",
        get_metrics,
        name="getMetrics",
        access=INSIDE,
        answers={200: Answer("The numbers", media_type="text/plain")},
    ),
)
