"""Declaration of an endpoint, from which its route and its description in the OpenAPI document are derived."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, TypeAlias

from aiohttp import web
from marshmallow import Schema

from ..auth import (
    PUBLIC,
    SAFE_METHODS,
    TICKET_PARAMETER,
    Caller,
    InsufficientScopeError,
    InvalidTicketError,
    InvalidTokenError,
    OriginError,
)
from ..errors import (
    ForbiddenError,
    InvalidError,
    MalformedError,
    ServiceError,
    TooManyRequestsError,
    UnauthorizedError,
    UnavailableError,
)
from ..http_server import read_body, read_path, read_query

__all__ = ["Answer", "EndpointHandler", "Operation"]

# its arguments are the request and, by name, each input that the schemas of the operation load
EndpointHandler: TypeAlias = Callable[..., Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer.

    Attributes:
        description: a few words.
        schema: schema of its JSON body; None for another body.
        headers: names of its headers.
        media_type: media type of its body; None without a body.
    """

    description: str
    schema: type[Schema] | None = None
    headers: tuple[str, ...] = ()
    media_type: str | None = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint of a service.

    Attributes:
        method: HTTP method, in capitals.
        path: path template of the router.
        handler: gets the request and, as keyword arguments, what the schemas of path, query and body load; its
            docstring begins with the summary.
        name: unique within the service.
        access: who may call it.
        by_ticket: whether it takes a ticket in the query instead of a token.
        answers: successful answers by status.
        parameters: schemas by location: ``path``, ``query``; ``header`` is only described, the handler reads it.
        body: schema of the JSON body of the request.
        errors: errors besides those of its parameters and its body.
        allow_head: whether a GET also handles HEAD.
        limited: whether limits on requests apply to it.
    """

    method: str
    path: str
    handler: EndpointHandler
    _: KW_ONLY
    name: str
    access: Caller
    answers: Mapping[int, Answer]
    parameters: Mapping[str, type[Schema]] = field(default_factory=dict)
    body: type[Schema] | None = None
    errors: tuple[type[ServiceError], ...] = ()
    allow_head: bool = True
    limited: bool = True
    by_ticket: bool = False

    @property
    def summary(self) -> str:
        """What it does or answers, in a few words."""
        return (self.handler.__doc__ or "").partition("\n")[0].removesuffix(".")

    @property
    def refusals(self) -> tuple[type[ServiceError], ...]:
        """All errors that it answers with."""
        all_refusals = (
            *((TooManyRequestsError,) if self.limited else ()),
            *_refusals_of_access(self.access),
            *(() if self.method in SAFE_METHODS else (OriginError,)),
            *((InvalidTicketError,) if self.by_ticket else ()),
            *((MalformedError,) if self.body or self.by_ticket else ()),
            *((InvalidError,) if self.body or "query" in self.parameters else ()),
            *self.errors,
        )
        return tuple(dict.fromkeys(all_refusals))

    def route(self) -> web.RouteDef:
        """Return the route, which loads the inputs and calls the handler."""
        handler = self.handler
        path, query = (self.parameters.get(place, Schema)() for place in ("path", "query"))
        body = self.body() if self.body else None
        besides = (TICKET_PARAMETER,) if self.by_ticket else ()

        async def serve(request: web.Request) -> web.StreamResponse:
            inputs: dict[str, Any] = read_path(request, path) if path.fields else {}
            if query.fields or request.query_string:
                inputs |= read_query(request, query, besides=besides)
            if body is not None:
                inputs |= await read_body(request, body)
            return await handler(request, **inputs)

        options = {"allow_head": self.allow_head} if self.method == "GET" else {}
        return web.route(self.method, self.path, serve, **options)


def _refusals_of_access(access: Caller) -> tuple[type[ServiceError], ...]:
    if access is PUBLIC:
        return ()
    if access is Caller.SERVICE:
        return (UnauthorizedError, ForbiddenError)
    of_tokens = (UnauthorizedError, InvalidTokenError, UnavailableError)
    return of_tokens if access | Caller.ANONYMOUS is PUBLIC else (*of_tokens, InsufficientScopeError)
