"""``POST /tickets`` and ``POST /connections/disconnect``: who may connect, and who no longer."""

from __future__ import annotations

import logging

from aiohttp import web

from service_common.auth import PRINCIPAL, TICKETS
from service_common.http_server import json_response
from service_common.timestamps import rfc3339

from .app_keys import DISCONNECTOR

__all__ = ["disconnect", "issue_ticket"]

logger = logging.getLogger(__name__)


async def issue_ticket(request: web.Request) -> web.Response:
    """A ticket for one connection."""
    issued = await request.app[TICKETS].issue(request[PRINCIPAL])
    document = {"ticket": issued.ticket, "expiresAt": rfc3339(issued.expires_at)}
    return json_response(document, status=201, headers={"Cache-Control": "no-store"})


async def disconnect(request: web.Request, customer: str) -> web.Response:
    """End the connections of a customer."""
    disconnection = await request.app[DISCONNECTOR].disconnect(customer)
    logger.info("disconnection requested", extra={"customerId": customer, "principal": request[PRINCIPAL].subject})
    document = {"customerId": customer, "tickets": disconnection.tickets, "replicas": disconnection.replicas}
    return json_response(document, status=202)
