"""The application that every service starts from."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import aiohttp_cors
from aiohttp import web

from ..lifecycle import Readiness
from ..observability import Metrics
from .app_keys import METRICS, NAME, READINESS, VERSION
from .middlewares import problems, trace
from .requests import MAX_BODY_BYTES

__all__ = ["allow_origins", "new_app"]

# the headers of an answer that a page may read
_EXPOSED = ("ETag", "Idempotent-Replayed", "Location", "Retry-After", "Server-Timing", "traceparent")


def new_app(name: str) -> web.Application:
    """Return the application *name*, as in ``billing-service``, with tracing, problem documents and the common keys."""
    app = web.Application(middlewares=[trace, problems], client_max_size=MAX_BODY_BYTES)
    app[NAME] = name
    app[VERSION] = version("orderstream-common")
    app[METRICS] = Metrics()
    app[READINESS] = Readiness(app[METRICS])
    app.on_shutdown.append(_drain)
    return app


def allow_origins(app: web.Application, origins: Sequence[str]) -> None:
    """Let pages of *origins* (``*`` for any) read the answers of every route added so far (CORS)."""
    if not origins:
        return
    options = aiohttp_cors.ResourceOptions(  # type: ignore[no-untyped-call]
        expose_headers=_EXPOSED, allow_headers="*", allow_methods="*"
    )
    cors = aiohttp_cors.setup(app, defaults=dict.fromkeys(origins, options))
    for route in list(app.router.routes()):
        cors.add(route)
    app.on_response_prepare.append(_vary_by_origin)


async def _vary_by_origin(_: web.Request, response: web.StreamResponse) -> None:
    # lest a cache serve one origin, or none, the answer to another (Fetch standard, 3.2.5); aiohttp-cors omits it
    response.headers.add("Vary", "Origin")


async def _drain(app: web.Application) -> None:
    app[READINESS].draining = True
