"""Problem documents (RFC 9457, ``application/problem+json``): made from errors, parsed from answers."""

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
    MisdirectedError,
    NotFoundError,
    PreconditionFailedError,
    PreconditionRequiredError,
    ServiceError,
    TooManyRequestsError,
    TransientError,
    UnauthorizedError,
    Violation,
)
from ..observability import current_trace

__all__ = ["CONTENT_TYPE", "Problem", "status_of", "type_of"]

CONTENT_TYPE = "application/problem+json"
ABOUT_BLANK = "about:blank"
_INTERNAL = 500
_TEXTS = frozenset({"pointer", "detail"})
_URN = "urn:orderstream:problem:"
_STATUS: Mapping[type[ServiceError], int] = {
    MalformedError: 400,
    UnauthorizedError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    PreconditionFailedError: 412,
    MisdirectedError: 421,
    InvalidError: 422,
    PreconditionRequiredError: 428,
    TooManyRequestsError: 429,
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
    """A problem document with the members of RFC 9457 and two more.

    Attributes:
        type: ``urn:orderstream:problem:<slug>``; ``about:blank`` when *status* says everything.
        trace_id: trace id of the request in the logs of all services.
        errors: the violations.
        headers: headers of the answer.
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
        """Slug in *type*; empty for a type of another system."""
        return self.type.removeprefix(_URN) if self.type.startswith(_URN) else ""

    @classmethod
    def of(cls, error: Exception, instance: str) -> Problem:
        """Return the problem document of *error* for a request to *instance*; unexpected errors disclose no details."""
        trace = current_trace()
        trace_id = trace.trace_id if trace else ""
        if isinstance(error, ServiceError) and (status := status_of(type(error))) != _INTERNAL:
            title = error.slug.replace("-", " ").capitalize()
            headers = _headers(error, status)
            dependency = getattr(error, "dependency", "")
            detail = f"The {dependency} is unavailable; try again later." if dependency else error.detail
            return cls(type_of(type(error)), title, status, detail, instance, trace_id, error.violations, headers)
        status, detail, headers = _INTERNAL, "", {}
        if isinstance(error, web.HTTPException):
            status, detail, headers = error.status, _detail(error), _headers_without_content(error)
        detail = detail or _DETAIL.get(status, "")
        return cls(ABOUT_BLANK, _phrase(status), status, detail, instance, trace_id, headers=headers)

    @classmethod
    def parse(cls, status: int, body: bytes) -> Problem:
        """Parse the error answer of another service; any other body gives a problem document without details."""
        return cls.of_document(status, _object(body))

    @classmethod
    def of_document(cls, status: int, document: Mapping[str, Any]) -> Problem:
        """Return the problem that a JSON object tells of."""
        return cls(
            type=_text(document, "type") or ABOUT_BLANK,
            title=_text(document, "title") or _phrase(status),
            status=status,
            detail=_text(document, "detail"),
            instance=_text(document, "instance"),
            trace_id=_text(document, "traceId"),
            errors=_violations(document.get("errors")),
        )

    @property
    def document(self) -> dict[str, Any]:
        """It as JSON."""
        return {
            "type": self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": self.instance,
            "traceId": self.trace_id,
            "errors": [{**error.facts, "pointer": error.pointer, "detail": error.detail} for error in self.errors],
        }

    def to_response(self) -> web.Response:
        """Return the answer with this document."""
        body = _encode(self.document)
        return web.Response(status=self.status, body=body, content_type=CONTENT_TYPE, headers=self.headers)


def status_of(kind: type[ServiceError]) -> int:
    """Return the HTTP status of errors of this *kind*; 500 for those that no client causes."""
    return next((_STATUS[ancestor] for ancestor in kind.__mro__ if ancestor in _STATUS), _INTERNAL)


def type_of(kind: type[ServiceError]) -> str:
    """Return the ``type`` of problem documents of this *kind* of error."""
    return _URN + kind.slug


def _headers(error: ServiceError, status: int) -> dict[str, str]:
    if status in (429, 503):
        # whole seconds: RFC 9110, 10.2.3
        return {"Retry-After": str(max(1, math.ceil(getattr(error, "retry_after_s", 1.0))))}
    return {"WWW-Authenticate": error.challenge} if error.challenge else {}


def _detail(error: web.HTTPException) -> str:
    standard = f"{error.status}: {error.reason}"
    return error.text if error.text and error.text != standard and error.status < 500 else ""


def _headers_without_content(error: web.HTTPException) -> dict[str, str]:
    return {name: value for name, value in error.headers.items() if not name.lower().startswith("content-")}


def _encode(document: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(document)
    except TypeError:  # a lone surrogate, from a path that is not UTF-8
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
    return tuple(
        Violation(
            _text(entry, "pointer"),
            _text(entry, "detail"),
            {name: value for name, value in entry.items() if name not in _TEXTS and isinstance(value, str | int)},
        )
        for entry in errors
        if isinstance(entry, dict)
    )
