"""``GET /notifications``: the history."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from service_common.auth import scope_of
from service_common.http_server import json_response
from service_common.paging import PageRequest

from ..notification import EventId, Selection
from . import schemas
from .app_keys import HISTORY

__all__ = ["history"]


async def history(
    request: web.Request,
    *,
    customer: str | None,
    orders: Sequence[int],
    kinds: Sequence[str],
    after: EventId | None,
    limit: int,
) -> web.Response:
    """What was told, the oldest first."""
    wanted = Selection(scope_of(request, customer), schemas.filter_of(orders, kinds))
    found = await request.app[HISTORY].page(PageRequest(after, limit), wanted)
    return json_response(schemas.page(found))
