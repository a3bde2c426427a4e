"""``GET /notifications``: the history."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from service_common.http_server import json_response
from service_common.paging import PageRequest

from ..notification import EventId
from . import schemas
from .app_keys import HISTORY

__all__ = ["history"]


async def history(
    request: web.Request, orders: Sequence[int], kinds: Sequence[str], after: EventId | None, limit: int
) -> web.Response:
    """What was told, the oldest first."""
    found = await request.app[HISTORY].page(PageRequest(after, limit), schemas.filter_of(orders, kinds))
    return json_response(schemas.page(found))
