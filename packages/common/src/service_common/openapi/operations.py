"""The declaration of an endpoint: its route and its description in the OpenAPI document come from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, TypeAlias

from aiohttp import web
from marshmallow import Schema

from ..errors import ForbiddenError, InvalidError, MalformedError, ServiceError, UnauthorizedError
from ..http_server import read_body, read_path, read_query, require_service_token

__all__ = ["Answer", "EndpointHandler", "Operation"]

# takes the request and, by name, each input that the schemas of the operation load
EndpointHandler: TypeAlias = Callable[..., Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back when nothing is wrong.

    Attributes:
        says: in a few words.
        schema: of its JSON; None when it is another thing.
        headers: that it has besides.
        media_type: of its body; None when it has none.
    """

    says: str
    schema: type[Schema] | None = None
    headers: tuple[str, ...] = ()
    media_type: str | None = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint of a service.

    Attributes:
        method: of HTTP, in capitals.
        path: as the router has it.
        handler: gets the request and, as keyword arguments, what the schemas of path, query and body load; its
            docstring begins with the summary.
        name: unlike that of any other operation of the service.
        answers: by status.
        parameters: schemas by the place that they are read from: ``path``, ``query``; ``header`` is only described,
            its handler reads it.
        body: the schema of the JSON object that is sent.
        errors: what it refuses with, beside what follows from its parameters and its body.
        internal: whether it is for the services themselves.
        allow_head: whether a GET is served to HEAD as well.
    """

    method: str
    path: str
    handler: EndpointHandler
    _: KW_ONLY
    name: str
    answers: Mapping[int, Answer]
    parameters: Mapping[str, type[Schema]] = field(default_factory=dict)
    body: type[Schema] | None = None
    errors: tuple[type[ServiceError], ...] = ()
    internal: bool = False
    allow_head: bool = True

    @property
    def summary(self) -> str:
        """What it does or answers, in a few words."""
        return (self.handler.__doc__ or "").partition("\n")[0].removesuffix(".")

    @property
    def refusals(self) -> tuple[type[ServiceError], ...]:
        """All that it refuses with."""
        return (
            *((UnauthorizedError, ForbiddenError) if self.internal else ()),
            *((MalformedError,) if self.body else ()),
            *((InvalidError,) if self.body or "query" in self.parameters else ()),
            *self.errors,
        )

    def route(self) -> web.RouteDef:
        """Return the route: it checks the token of an internal endpoint, reads the inputs, and calls the handler."""
        handler, internal = self.handler, self.internal
        path, query = (self.parameters.get(place, Schema)() for place in ("path", "query"))
        body = self.body() if self.body else None

        async def serve(request: web.Request) -> web.StreamResponse:
            if internal:
                require_service_token(request)
            inputs: dict[str, Any] = read_path(request, path) if path.fields else {}
            if query.fields or request.query_string:
                inputs |= read_query(request, query)
            if body is not None:
                inputs |= await read_body(request, body)
            return await handler(request, **inputs)

        options = {"allow_head": self.allow_head} if self.method == "GET" else {}
        return web.route(self.method, self.path, serve, **options)
