"""The endpoints of every service: liveness, readiness, metrics, name."""

from __future__ import annotations

from aiohttp import web

from .app_keys import METRICS, NAME, READINESS, VERSION
from .requests import json_response

__all__ = ["get_live", "get_metrics", "get_name", "get_ready"]

_METRICS_TYPE = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}


async def get_live(_request: web.Request) -> web.Response:
    """Whether the process answers."""
    return json_response({"status": "live"})


async def get_ready(request: web.Request) -> web.Response:
    """Whether it can do its work."""
    report = await request.app[READINESS].report()
    status = "ready" if report.ready else "not ready"
    return json_response({"status": status, "checks": report.checks}, status=200 if report.ready else 503)


async def get_metrics(request: web.Request) -> web.Response:
    """Its numbers, in the text format of Prometheus."""
    metrics = request.app[METRICS]
    await metrics.refresh()
    return web.Response(body=metrics.exposition(), headers=_METRICS_TYPE)


async def get_name(request: web.Request) -> web.Response:
    """Who answers here."""
    return json_response({"name": request.app[NAME], "version": request.app[VERSION]})
