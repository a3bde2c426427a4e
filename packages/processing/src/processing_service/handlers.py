"""The HTTP interface of the processing service: what there is to know of the sagas."""

from __future__ import annotations

import re

import orjson
from aiohttp import web

from order_contracts.limits import MAX_ORDER_ID
from service_common.errors import NotFoundError
from service_common.http_server import load

from .app_keys import SAGAS
from .schemas import SearchSchema, sagas_payload

__all__ = ["ROUTES", "SagaNotFoundError"]

_ORDER_ID = re.compile(r"[1-9][0-9]{0,18}")
_SEARCH = SearchSchema()


class SagaNotFoundError(NotFoundError):
    """No version of the order has a saga, at least not yet."""

    slug = "saga-not-found"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"There is no saga of order {order_id}.")


async def sagas_of_order(request: web.Request) -> web.Response:
    """Answer the saga of each version of an order."""
    given = request.match_info["order_id"]
    order_id = int(given) if _ORDER_ID.fullmatch(given) else 0
    records = await request.app[SAGAS].of_order(order_id) if 0 < order_id <= MAX_ORDER_ID else []
    if not records:
        raise SagaNotFoundError(given)
    return _json(sagas_payload(records))


async def search(request: web.Request) -> web.Response:
    """Answer sagas in a state, late or not; those of the newest orders first."""
    wanted = load(_SEARCH, {name: value for name, value in request.query.items() if value})
    return _json(sagas_payload(await request.app[SAGAS].search(**wanted)))


ROUTES = (
    web.get("/sagas/{order_id}", sagas_of_order),
    web.get("/sagas", search),
)


def _json(data: object) -> web.Response:
    return web.Response(body=orjson.dumps(data), content_type="application/json")
