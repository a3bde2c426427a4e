"""The endpoints every service has: whether it lives, whether it is ready, its numbers, its name."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from aiohttp import web

from .app_keys import METRICS, NAME, READINESS, VERSION

__all__ = ["HEALTH_ROUTES"]

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


async def live(_request: web.Request) -> web.Response:
    """Answer: the loop turns."""
    return _json({"status": "live"})


async def ready(request: web.Request) -> web.Response:
    """Answer 200 when every check passes, otherwise 503; each check by its name."""
    report = await request.app[READINESS].report()
    status = "ready" if report.ready else "not ready"
    return _json({"status": status, "checks": report.checks}, 200 if report.ready else 503)


async def metrics(request: web.Request) -> web.Response:
    """Answer all numbers in Prometheus' text format."""
    numbers = request.app[METRICS]
    await numbers.refresh()
    return web.Response(body=numbers.exposition(), headers={"Content-Type": _METRICS_TYPE})


async def name(request: web.Request) -> web.Response:
    """Answer who this is."""
    return _json({"name": request.app[NAME], "version": request.app[VERSION]})


def _json(document: object, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(document), status=status, content_type="application/json")


HEALTH_ROUTES: Sequence[web.RouteDef] = (
    web.get("/health/live", live),
    web.get("/health/ready", ready),
    web.get("/metrics", metrics),
    web.get("/", name),
)
