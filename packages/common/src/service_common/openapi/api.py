"""The whole interface of a service: its own operations and those that every service has."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import orjson
from aiohttp import web
from marshmallow import Schema

from ..http_server import VERSION, get_live, get_metrics, get_name, get_ready
from .answers import LiveSchema, NameSchema, ReadySchema, ViolationSchema
from .operations import Answer, Operation

__all__ = ["Api"]

_COMMON = (
    Operation("GET", "/", get_name, name="getName", answers={200: Answer("Its name", NameSchema)}),
    Operation(
        "GET",
        "/health/live",
        get_live,
        name="getLiveness",
        answers={200: Answer("It does", LiveSchema)},
    ),
    Operation(
        "GET",
        "/health/ready",
        get_ready,
        name="getReadiness",
        answers={200: Answer("It can", ReadySchema), 503: Answer("It can not, and why", ReadySchema)},
    ),
    Operation(
        "GET",
        "/metrics",
        get_metrics,
        name="getMetrics",
        answers={200: Answer("The numbers", media_type="text/plain")},
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The interface of a service.

    Attributes:
        name: as in ``order-service``.
        own_operations: those that no other service has.
        violation: the schema of the entries of ``errors`` in its problem documents.
        names: what schemas are called whose classes are called otherwise.
        unions: schemas of which a message has one, told apart by their ``type``.
        schemas: what else it sends or reads.
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
        """Every operation, those that all services have first."""
        return (*_COMMON, _document_operation(self), *self.own_operations)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of all operations."""
        return [operation.route() for operation in self.operations]


def _document_operation(api: Api) -> Operation:
    @cache
    def document(version: str) -> bytes:
        # takes longer to import than all else that is here, and no start is to wait for it
        from .document import build_document  # noqa: PLC0415

        return orjson.dumps(build_document(api, version))

    async def serve(request: web.Request) -> web.Response:
        """This document."""
        # in a thread: it takes so long that streams would notice
        body = await asyncio.to_thread(document, request.app[VERSION])
        return web.Response(body=body, content_type="application/json")

    return Operation(
        "GET",
        "/openapi.json",
        serve,
        name="getDocument",
        answers={200: Answer("OpenAPI 3.1")},
    )
