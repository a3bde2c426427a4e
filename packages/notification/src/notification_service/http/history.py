"""The endpoints of the notification service."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from aiohttp import web

from . import schemas
from .app_keys import HISTORY
from .sse import stream
from .websocket import websocket

__all__ = ["ROUTES"]


async def history(request: web.Request) -> web.Response:
    """``GET /notifications``: what was told, the oldest first."""
    asked = schemas.history_request(request.query)
    found = await request.app[HISTORY].page(asked.after, asked.orders, asked.limit)
    return web.Response(body=orjson.dumps(schemas.page(found)), content_type="application/json")


ROUTES: Sequence[web.RouteDef] = (
    web.get("/notifications", history),
    web.get("/stream", stream, allow_head=False),
    web.get("/ws", websocket, allow_head=False),
)
