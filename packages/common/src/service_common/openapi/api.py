"""The HTTP interface of a service: its own operations and the common ones."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import orjson
from aiohttp import web
from marshmallow import Schema

from ..auth import PUBLIC, protect
from ..config import ServiceConfig
from ..http_server import VERSION, allow_origins
from .answers import ViolationSchema
from .common_operations import COMMON_OPERATIONS
from .operations import Answer, Operation

__all__ = ["Api"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The HTTP interface of a service.

    Attributes:
        name: as in ``order-service``.
        own_operations: operations of this service, without the common ones.
        violation: schema of the entries of ``errors`` in its problem documents.
        names: component names of schemas, instead of those of their classes.
        unions: messages that match one of several schemas, discriminated by ``type``.
        schemas: other schemas of messages.
    """

    name: str
    description: str
    own_operations: tuple[Operation, ...] = ()
    violation: type[Schema] = ViolationSchema
    names: Mapping[type[Schema], str] = field(default_factory=dict)
    unions: Mapping[str, tuple[type[Schema], ...]] = field(default_factory=dict)
    schemas: tuple[type[Schema], ...] = ()

    @property
    def operations(self) -> tuple[Operation, ...]:
        """All operations, the common ones first."""
        return (*COMMON_OPERATIONS, _document_operation(self), *self.own_operations)

    def serve(self, app: web.Application, config: ServiceConfig) -> None:
        """Add the routes of all operations to *app*, for those that may call them and for pages of other origins."""
        routes = [(operation.route(), operation) for operation in self.operations]
        app.add_routes(route for route, _ in routes)
        access = {route.handler: operation.access for route, operation in routes}
        unlimited = {route.handler for route, operation in routes if not operation.limited}
        by_ticket = {route.handler for route, operation in routes if operation.by_ticket}
        protect(app, config, access, unlimited=unlimited, by_ticket=by_ticket)
        allow_origins(app, config.allowed_origins)


def _document_operation(api: Api) -> Operation:
    @cache
    def document(version: str) -> bytes:
        # imported when it is needed: apispec takes longer than the rest of the start
        from .document import build_document  # noqa: PLC0415

        return orjson.dumps(build_document(api, version))

    async def serve(request: web.Request) -> web.Response:
        """This document."""
        # in a thread: it takes long enough to delay other requests
        body = await asyncio.to_thread(document, request.app[VERSION])
        return web.Response(body=body, content_type="application/json")

    return Operation(
        "GET",
        "/openapi.json",
        serve,
        name="getDocument",
        access=PUBLIC,
        answers={200: Answer("OpenAPI 3.1")},
    )
