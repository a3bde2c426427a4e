"""``GET /openapi.json``."""

from __future__ import annotations

import asyncio
from functools import cache

import orjson
from aiohttp import web

from ..http_server import VERSION
from .operations import Api

__all__ = ["document_route"]


def document_route(api: Api) -> web.RouteDef:
    """Return the route of the document of *api*, which is made when it is asked for first."""

    @cache
    def document(version: str) -> bytes:
        # takes longer to import than all else that is here, and no start is to wait for it
        from .document import build_document  # noqa: PLC0415

        return orjson.dumps(build_document(api, version))

    async def serve(request: web.Request) -> web.Response:
        # in a thread: it takes so long that streams would notice
        body = await asyncio.to_thread(document, request.app[VERSION])
        return web.Response(body=body, content_type="application/json")

    return web.get("/openapi.json", serve)
