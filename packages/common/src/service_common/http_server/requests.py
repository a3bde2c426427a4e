"""Reading a request: its JSON body, what the body means, and the version the caller saw."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
from aiohttp import web
from marshmallow import Schema, ValidationError

from ..errors import InvalidError, MalformedError, PreconditionFailedError, PreconditionRequiredError, Violation

__all__ = ["MAX_BODY_BYTES", "etag", "if_match", "load", "read_json"]

MAX_BODY_BYTES = 256 * 1024
# a body of nothing but mistakes must not be answered with one many times its size
MAX_VIOLATIONS = 100

_STRONG_TAG = re.compile(r'"([0-9]{1,18})"')


async def read_json(request: web.Request) -> dict[str, Any]:
    """Return the JSON object that is the body.

    Raises:
        HTTPUnsupportedMediaType: it does not say that it is JSON.
        HTTPRequestEntityTooLarge: it has more than 256 KiB.
        HTTPRequestTimeout: it does not arrive in time.
        MalformedError: it is no JSON object.
    """
    if request.content_type != "application/json" and not request.content_type.endswith("+json"):
        raise web.HTTPUnsupportedMediaType(
            text=f"The body has to be application/json, not {request.content_type}.",
            headers={"Accept": "application/json"},
        )
    if (request.content_length or 0) > MAX_BODY_BYTES:  # known before any of it is read
        raise web.HTTPRequestEntityTooLarge(MAX_BODY_BYTES, request.content_length or 0)
    try:
        document = orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise MalformedError(f"The body is not JSON: {error}.") from error
    except TimeoutError as error:
        raise web.HTTPRequestTimeout(text=str(error)) from error
    except (ConnectionError, web.RequestPayloadError) as error:  # the former when the client leaves half-way
        raise MalformedError("The body does not arrive as its headers say.") from error
    if not isinstance(document, dict):
        raise MalformedError("The body has to be a JSON object.")
    return document


def load(schema: Schema, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what *schema* makes of *data*.

    Raises:
        InvalidError: with every violation (the first hundred) and an RFC 6901 pointer to each.
    """
    try:
        loaded: dict[str, Any] = schema.load(data)
    except ValidationError as error:
        violations = tuple(_violations(error.messages))
        raise InvalidError(_sentence(len(violations)), violations[:MAX_VIOLATIONS]) from error
    return loaded


def etag(version: int) -> str:
    """Return *version* as a strong entity tag (RFC 9110, 8.8.3)."""
    return f'"{version}"'


def if_match(request: web.Request, *, required: bool = False) -> int | None:
    """Return the version that ``If-Match`` asks for; None when any will do (``*``, or no such header).

    Raises:
        PreconditionRequiredError: it is *required* and not there, or empty.
        PreconditionFailedError: it can match no version: a weak tag, or none of ours.
        MalformedError: it names several.
    """
    value = ", ".join(request.headers.getall("If-Match", [])).strip()
    if not value and required:
        raise PreconditionRequiredError("Say in If-Match which version this change is based on.")
    if value in {"", "*"}:
        return None
    if "," in value:
        raise MalformedError("If-Match has to name one version.")
    tag = _STRONG_TAG.fullmatch(value)
    if tag is None:
        raise PreconditionFailedError(f"No version has the entity tag {value}.")
    return int(tag[1])


def _sentence(violations: int) -> str:
    return "One thing is not valid." if violations == 1 else f"{violations} things are not valid."


def _violations(messages: object, pointer: str = "") -> Iterator[Violation]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _violations(inner, pointer if key == "_schema" else f"{pointer}/{_escaped(key)}")
    elif isinstance(messages, list):
        for inner in messages:
            yield from _violations(inner, pointer)
    else:
        yield Violation(pointer, str(messages))


def _escaped(token: object) -> str:
    # RFC 6901, 3
    return str(token).replace("~", "~0").replace("/", "~1")
