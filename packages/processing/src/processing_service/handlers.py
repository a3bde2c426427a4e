"""The handlers of the processing service."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from uuid import UUID

from aiohttp import web

from order_contracts.events import event_keys
from service_common.auth import PRINCIPAL, Caller, scope_of
from service_common.http_server import json_response

from .app_keys import OUTBOX, SAGAS
from .ports import SagaRecord
from .saga import SagaEndedError, SagaNotFoundError, SagaState
from .schemas import sagas_payload

__all__ = ["events_of_order", "retry", "sagas_of_order", "search"]

logger = logging.getLogger(__name__)


async def sagas_of_order(request: web.Request, order_id: int) -> web.Response:
    """List the sagas of an order, one for each version."""
    return _sagas(request, await _known(request, order_id))


async def search(
    request: web.Request,
    *,
    customer: str | None,
    order_id: int | None,
    state: SagaState | None,
    late: bool | None,
    limit: int,
) -> web.Response:
    """List sagas, those of the newest orders first."""
    scope, sagas = scope_of(request, customer), request.app[SAGAS]
    if order_id is None:
        return _sagas(request, await sagas.search(scope, state=state, late=late, limit=limit))
    wanted = [
        record
        for record in await sagas.of_order(order_id, scope)
        if state in {None, record.state} and late in {None, record.late}
    ]
    return _sagas(request, wanted[:limit])


async def events_of_order(request: web.Request, order_id: int, event: UUID | None, *, data: bool) -> web.Response:
    """List what the sagas of an order have announced."""
    records = await _known(request, order_id)
    found = await request.app[OUTBOX].events_of_facts(event_keys(order_id, records[-1].version, event), data=data)
    return json_response({"events": [each.document for each in found]})


async def retry(request: web.Request, order_id: int) -> web.Response:
    """Run the step of an order's sagas that waits for its next attempt now."""
    records = await _known(request, order_id)
    if all(record.state.ended for record in records):
        raise SagaEndedError(order_id, records[-1].state)
    await request.app[SAGAS].retry(order_id)
    logger.info("saga retry requested", extra={"orderId": order_id, "principal": request[PRINCIPAL].subject})
    return _sagas(request, await _known(request, order_id))


async def _known(request: web.Request, order_id: int) -> list[SagaRecord]:
    """Return the sagas of an order that the caller may see.

    Raises:
        SagaNotFoundError: there are none.
    """
    records = await request.app[SAGAS].of_order(order_id, scope_of(request))
    if not records:
        raise SagaNotFoundError(order_id)
    return records


def _sagas(request: web.Request, records: Sequence[SagaRecord]) -> web.Response:
    # what a service heard from another is for those who run them
    inside = request[PRINCIPAL].kind is not Caller.CUSTOMER
    return json_response(sagas_payload(records, errors=inside))
