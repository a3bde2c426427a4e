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
    order: str,
    after: EventId | None,
    before: EventId | None,
    limit: int,
) -> web.Response:
    """A page of what was told."""
    wanted = Selection(scope_of(request, customer), schemas.filter_of(orders, kinds))
    stored = request.app[HISTORY]
    if order == schemas.DESCENDING:
        found = await stored.page_back(PageRequest(before, limit), wanted)
    else:
        found = await stored.page(PageRequest(after, limit), wanted)
    return json_response(schemas.page(found))
