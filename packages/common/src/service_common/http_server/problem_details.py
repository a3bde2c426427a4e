"""Failures as RFC 9457 ``application/problem+json``: made from errors, read back from answers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from ..errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    MalformedError,
    NotFoundError,
    PreconditionFailedError,
    PreconditionRequiredError,
    ServiceError,
    TransientError,
    UnauthorizedError,
    Violation,
)
from ..observability import current_trace

__all__ = ["CONTENT_TYPE", "Problem", "status_of", "type_of"]

CONTENT_TYPE = "application/problem+json"
ABOUT_BLANK = "about:blank"
_INTERNAL = 500
_URN = "urn:orderstream:problem:"
_STATUS: Mapping[type[ServiceError], int] = {
    MalformedError: 400,
    UnauthorizedError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    PreconditionFailedError: 412,
    InvalidError: 422,
    PreconditionRequiredError: 428,
    TransientError: 503,
}
_DETAIL: Mapping[int, str] = {
    404: "Nothing is served at this path.",
    405: "This path does not take that method; the header Allow names those that it takes.",
    413: "The body is too large.",
    500: "Something unforeseen went wrong; the traceId finds it in the logs.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong with one request, in the members of RFC 9457 and two more.

    Attributes:
        type: ``urn:orderstream:problem:<slug>``; ``about:blank`` when *status* says it all.
        trace_id: finds the request in the logs of every service.
        errors: each single thing that is wrong.
        headers: go with the answer, not into its body.
    """

    type: str
    title: str
    status: int
    detail: str = ""
    instance: str = ""
    trace_id: str = ""
    errors: tuple[Violation, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        """The last part of a type of ours; empty for any other type."""
        return self.type.removeprefix(_URN) if self.type.startswith(_URN) else ""

    @classmethod
    def of(cls, error: Exception, instance: str) -> Problem:
        """Say what *error* means to the client that asked for *instance*; the unforeseen says nothing of itself."""
        if isinstance(error, ServiceError) and (status := status_of(type(error))) != _INTERNAL:
            return cls._foreseen(error, status, instance)
        if isinstance(error, web.HTTPException):
            return cls._plain(error.status, instance, _own_words(error), _kept_headers(error))
        return cls._plain(_INTERNAL, instance)

    @classmethod
    def parse(cls, status: int, body: bytes) -> Problem:
        """Read the answer of another service; anything that is no problem document is one without details."""
        document = _object(body)
        return cls(
            type=_text(document, "type") or ABOUT_BLANK,
            title=_text(document, "title") or _phrase(status),
            status=status,
            detail=_text(document, "detail"),
            instance=_text(document, "instance"),
            trace_id=_text(document, "traceId"),
            errors=_violations(document.get("errors")),
        )

    def to_response(self) -> web.Response:
        """Return the answer to the client."""
        return web.Response(
            status=self.status, body=_encoded(self._document()), content_type=CONTENT_TYPE, headers=self.headers
        )

    def _document(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": self.instance,
            "traceId": self.trace_id,
            "errors": [{**error.facts, "pointer": error.pointer, "detail": error.detail} for error in self.errors],
        }

    @classmethod
    def _foreseen(cls, error: ServiceError, status: int, instance: str) -> Problem:
        return cls(
            type=type_of(type(error)),
            title=error.slug.replace("-", " ").capitalize(),
            status=status,
            detail=error.detail,
            instance=instance,
            trace_id=_trace_id(),
            errors=error.violations,
            headers=_headers(error, status),
        )

    @classmethod
    def _plain(cls, status: int, instance: str, detail: str = "", headers: Mapping[str, str] | None = None) -> Problem:
        return cls(
            type=ABOUT_BLANK,
            title=_phrase(status),
            status=status,
            detail=detail or _DETAIL.get(status, ""),
            instance=instance,
            trace_id=_trace_id(),
            headers=headers or {},
        )


def status_of(kind: type[ServiceError]) -> int:
    """Return the HTTP status that an error of this *kind* is answered with; 500 for what no client can do."""
    return next((_STATUS[ancestor] for ancestor in kind.__mro__ if ancestor in _STATUS), _INTERNAL)


def type_of(kind: type[ServiceError]) -> str:
    """Return the ``type`` of the problem document of an error of this *kind*."""
    return _URN + kind.slug


def _headers(error: ServiceError, status: int) -> dict[str, str]:
    if status == 503:
        # whole seconds: RFC 9110, 10.2.3
        return {"Retry-After": str(max(1, math.ceil(getattr(error, "retry_after_s", 1.0))))}
    return {"WWW-Authenticate": "Bearer"} if status == 401 else {}


def _own_words(error: web.HTTPException) -> str:
    standard = f"{error.status}: {error.reason}"
    return error.text if error.text and error.text != standard and error.status < 500 else ""


def _kept_headers(error: web.HTTPException) -> dict[str, str]:
    return {name: value for name, value in error.headers.items() if not name.lower().startswith("content-")}


def _trace_id() -> str:
    context = current_trace()
    return context.trace_id if context else ""


def _encoded(document: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(document)
    except TypeError:  # half of a surrogate pair, out of a path or a header that is no UTF-8
        return json.dumps(document, ensure_ascii=False).encode(errors="replace")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _text(document: Mapping[str, Any], member: str) -> str:
    value = document.get(member)
    return value if isinstance(value, str) else ""


def _violations(errors: object) -> tuple[Violation, ...]:
    if not isinstance(errors, list):
        return ()
    return tuple(_violation(entry) for entry in errors if isinstance(entry, dict))


def _violation(entry: Mapping[str, Any]) -> Violation:
    facts = {
        name: value
        for name, value in entry.items()
        if name not in {"pointer", "detail"} and isinstance(value, str | int)
    }
    return Violation(_text(entry, "pointer"), _text(entry, "detail"), facts)
