"""Parses path, query, JSON body and entity tag of a request; answers with JSON."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from traceback import clear_frames
from typing import Any

import orjson
from aiohttp import web
from marshmallow import Schema, ValidationError, fields

from ..errors import InvalidError, MalformedError, PreconditionFailedError, PreconditionRequiredError, Violation

__all__ = [
    "MAX_BODY_BYTES",
    "etag",
    "if_match",
    "json_response",
    "load",
    "parse_object",
    "read_body",
    "read_path",
    "read_query",
    "require_distinct_members",
    "unless_known",
]

MAX_BODY_BYTES = 256 * 1024
# bounds the answer to a body full of errors, which would be many times as large
MAX_VIOLATIONS = 100
TAG_DIGITS = 32

_JSON = {"Content-Type": "application/json"}
_STRONG_TAG = re.compile(r'"([0-9]{1,18})"')


async def read_body(request: web.Request, schema: Schema) -> dict[str, Any]:
    """Validate the body, a JSON object, and return it as *schema* loads it.

    Raises:
        HTTPUnsupportedMediaType: its content type is not JSON.
        HTTPRequestEntityTooLarge: it is larger than 256 KiB.
        HTTPRequestTimeout: it did not arrive in time.
        UnavailableError: too many requests are incomplete.
        ConnectionError: the client disconnected.
        MalformedError: it is not a JSON object.
        InvalidError: the body is not valid; with every violation, or the repeated members when there is none.
    """
    if request.content_type != "application/json" and not request.content_type.endswith("+json"):
        raise web.HTTPUnsupportedMediaType(
            text=f"The body has to be application/json, not {request.content_type}.",
            headers={"Accept": "application/json"},
        )
    if (request.content_length or 0) > MAX_BODY_BYTES:  # before any of it is read
        raise web.HTTPRequestEntityTooLarge(MAX_BODY_BYTES, request.content_length or 0)
    try:
        body = await request.read()
    except Exception as error:
        clear_frames(error.__traceback__)  # they hold what has arrived, in a cycle that only a collection would free
        if isinstance(error, TimeoutError):
            raise web.HTTPRequestTimeout(text=str(error)) from error
        if isinstance(error, web.RequestPayloadError):
            raise MalformedError("The body does not arrive as its headers say.") from error
        raise
    loaded = load(schema, parse_object(body, "The body"))
    require_distinct_members(body)
    return loaded


def parse_object(text: str | bytes, what: str) -> dict[str, Any]:
    """Parse *text* as a JSON object; *what* names it in errors.

    Raises:
        MalformedError: it is not JSON, or not an object.
    """
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedError(f"{what} is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise MalformedError(f"{what} has to be a JSON object.")
    return document


def require_distinct_members(text: str | bytes) -> None:
    """Require the members of each object in *text* to have different names; orjson keeps the last of several.

    For input that has passed a schema: deeper nesting can only be in a member that was dropped.

    Raises:
        InvalidError: a member is repeated (RFC 8259, 4: receivers differ in what they make of it).
    """
    try:
        _DISTINCT.decode(text if isinstance(text, str) else text.decode())
    except RecursionError as error:
        raise _invalid([Violation("", "A member is given more than once.")]) from error


def read_path(request: web.Request, schema: Schema) -> dict[str, Any]:
    """Return the parameters in the path of *request*.

    Raises:
        ServiceError: one is not valid; the ``handle_error`` of *schema* may raise its own.
    """
    given = request.match_info
    try:
        # without Schema.load, which costs as much as the rest of handling a request
        return {attribute: field.deserialize(given[attribute]) for attribute, field in schema.fields.items()}
    except ValidationError as error:
        schema.handle_error(error, given, many=False)
        raise InvalidError("The path is not valid.") from error


def read_query(request: web.Request, schema: Schema, *, besides: Collection[str] = ()) -> dict[str, Any]:
    """Return the parameters in the query of *request*, without those in *besides*.

    Only a list may be given several times.

    Raises:
        InvalidError: a parameter is unknown, repeated or not valid; with every violation.
    """
    query = request.query
    lists = {field.data_key or name for name, field in schema.fields.items() if isinstance(field, fields.List)}
    values = {name: query.getall(name) for name in query if name not in besides}
    repeated = [name for name, given in values.items() if len(given) > 1 and name not in lists]
    if repeated:
        raise _invalid([Violation(f"/{_escaped(name)}", "Is given more than once.") for name in repeated])
    return load(schema, {name: given if name in lists else given[0] for name, given in values.items()})


def load(schema: Schema, data: Mapping[str, Any]) -> dict[str, Any]:
    """Validate *data* and return it as *schema* loads it.

    Raises:
        InvalidError: *data* is not valid; with an RFC 6901 pointer to each violation (the first hundred).
    """
    try:
        loaded: dict[str, Any] = schema.load(data)
    except ValidationError as error:
        raise _invalid(tuple(_violations(error.messages))) from error
    return loaded


def json_response(document: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return an answer with *document* as its JSON body."""
    headers = {**headers, **_JSON} if headers else _JSON
    return web.Response(body=orjson.dumps(document), status=status, headers=headers)


def etag(version: int) -> str:
    """Return *version* as a strong entity tag (RFC 9110, 8.8.3)."""
    return f'"{version}"'


def if_match(request: web.Request, *, required: bool = False) -> int | None:
    """Return the version that ``If-Match`` asks for; None without the header or for ``*``.

    Raises:
        PreconditionRequiredError: it is *required* and missing or empty.
        PreconditionFailedError: it can match no version: a weak tag, or one that `etag` never returns.
        MalformedError: it names several versions.
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


def unless_known(request: web.Request, response: web.Response) -> web.Response:
    """Return *response* with the entity tag of its body; a 304 without a body when ``If-None-Match`` has that.

    Source: RFC 9110, 13.1.2 and 15.4.5.
    """
    body = response.body if isinstance(response.body, bytes) else b""
    tag = f'"{hashlib.sha256(body).hexdigest()[:TAG_DIGITS]}"'
    given = ", ".join(request.headers.getall("If-None-Match", ()))
    known = [each.strip().removeprefix("W/") for each in given.split(",")]
    if tag in known or given.strip() == "*":
        return web.Response(status=304, headers={"ETag": tag})
    response.headers["ETag"] = tag
    return response


def _invalid(violations: Sequence[Violation]) -> InvalidError:
    count = len(violations)
    sentence = "One thing is not valid." if count == 1 else f"{count} things are not valid."
    return InvalidError(sentence, violations[:MAX_VIOLATIONS])


def _refuse_repeated(members: list[tuple[str, object]]) -> None:
    if len(members) > 1 and len(dict(members)) < len(members):
        counts = Counter(name for name, _ in members)
        raise _invalid(
            [Violation("", f"The member {name[:64]} is given {n} times.") for name, n in counts.items() if n > 1]
        )


_DISTINCT = json.JSONDecoder(object_pairs_hook=_refuse_repeated, parse_int=len, parse_float=len)


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
