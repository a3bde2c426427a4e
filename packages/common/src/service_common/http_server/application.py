"""What every application of the system starts from."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import aiohttp_cors
from aiohttp import web
from aiohttp.typedefs import Middleware

from ..config import ServiceConfig
from ..lifecycle import Readiness
from ..observability import Metrics
from .app_keys import METRICS, NAME, READINESS, SERVICE_TOKEN, VERSION
from .middlewares import problems, trace
from .requests import MAX_BODY_BYTES

__all__ = ["allow_origins", "new_app"]

_DISTRIBUTION = "orderstream-common"
# what a page may read of an answer besides its body
_EXPOSED = ("ETag", "Idempotent-Replayed", "Location", "Retry-After", "Server-Timing", "traceparent")


def new_app(name: str, config: ServiceConfig, *middlewares: Middleware) -> web.Application:
    """Make the application *name*: traced, its failures problem documents, with the common keys.

    Args:
        name: as in ``billing-service``.
        config: gives the token of the internal endpoints.
        middlewares: go inside the common ones, the outermost first.
    """
    app = web.Application(middlewares=[trace, problems, *middlewares], client_max_size=MAX_BODY_BYTES)
    app[NAME] = name
    app[VERSION] = version(_DISTRIBUTION)
    app[SERVICE_TOKEN] = config.service_token
    app[READINESS] = Readiness()
    app[METRICS] = Metrics()
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
    # so that no cache gives one origin what was meant for another (Fetch standard, 3.2.5); aiohttp-cors leaves it out
    if "Access-Control-Allow-Origin" in response.headers:
        response.headers.add("Vary", "Origin")


async def _drain(app: web.Application) -> None:
    app[READINESS].draining = True
