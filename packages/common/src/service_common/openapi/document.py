"""The OpenAPI 3.1 document of a service: https://spec.openapis.org/oas/v3.1.1."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, validate

from ..auth import PUBLIC, TICKET_PARAMETER, Caller
from ..errors import ServiceError
from ..http_server import CONTENT_TYPE, status_of, type_of
from .answers import problem_schema
from .api import Api
from .converter import OPENAPI_VERSION, component, extend, new_plugin, parameters
from .operations import Answer, Operation

__all__ = ["build_document"]

_PROBLEM = "Problem"
_RETRY_AFTER = "Retry-After"
_CHALLENGE = "WWW-Authenticate"
_ACCESS_TOKEN, _SERVICE_TOKEN, _TICKET = "accessToken", "serviceToken", "ticket"
_HEADERS: Mapping[str, str] = {
    "ETag": "The version, for If-Match and If-None-Match.",
    "Idempotent-Replayed": "The word true, when this is the answer to an earlier request with the same key.",
    "Location": "Where it is.",
    _RETRY_AFTER: "After how many seconds it may be tried again.",
    "Server-Timing": "How long each part took, in milliseconds.",
    _CHALLENGE: "How to authenticate (RFC 6750).",
}
_HEADERS_OF_STATUS: Mapping[int, tuple[str, ...]] = {
    HTTPStatus.UNAUTHORIZED: (_CHALLENGE,),
    HTTPStatus.TOO_MANY_REQUESTS: (_RETRY_AFTER,),
}
_OPTIONAL_HEADERS = frozenset({"Idempotent-Replayed"})
# errors of reading any body
_BODY_STATUSES = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


def build_document(api: Api, version: str) -> dict[str, Any]:
    """Return the document of *api* in this *version*."""
    plugin = new_plugin(api.names)
    spec = APISpec(api.name, version, OPENAPI_VERSION, plugins=[plugin], info={"description": api.description})
    converter = plugin.converter
    if converter is None:
        raise TypeError("apispec gave its plugin no converter")
    extend(converter)
    _describe_components(spec, converter, api)
    for operation in api.operations:
        spec.path(operation.path, operations={operation.method.lower(): _operation(converter, operation)})
    document: dict[str, Any] = spec.to_dict()
    return document


def _describe_components(spec: APISpec, converter: OpenAPIConverter, api: Api) -> None:
    spec.components.schema(_PROBLEM, schema=problem_schema(api.violation))
    spec.components.response(_PROBLEM, _problem("Any other failure", _reference("schemas", _PROBLEM)))
    spec.components.security_scheme(_ACCESS_TOKEN, {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
    spec.components.security_scheme(_SERVICE_TOKEN, {"type": "http", "scheme": "bearer"})
    if any(operation.by_ticket for operation in api.operations):
        spec.components.security_scheme(_TICKET, {"type": "apiKey", "in": "query", "name": TICKET_PARAMETER})
    for name in sorted(_headers(api)):
        required = name not in _OPTIONAL_HEADERS
        header = {"description": _HEADERS[name], "required": required, "schema": {"type": "string"}}
        spec.components.header(name, header)
    for schema in api.schemas:
        component(converter, schema)
    for name, kinds in api.unions.items():
        spec.components.schema(name, _union(converter, kinds))


def _headers(api: Api) -> set[str]:
    answers = (answer for operation in api.operations for answer in operation.answers.values())
    return {_RETRY_AFTER, _CHALLENGE, *(name for answer in answers for name in answer.headers)}


def _union(converter: OpenAPIConverter, kinds: tuple[type[Schema], ...]) -> dict[str, Any]:
    references = [component(converter, kind) for kind in kinds]
    mapping = {_name_of(kind): reference["$ref"] for kind, reference in zip(kinds, references, strict=True)}
    return {"oneOf": references, "discriminator": {"propertyName": "type", "mapping": mapping}}


def _name_of(kind: type[Schema]) -> str:
    (name,) = (each.comparable for each in kind().fields["type"].validators if isinstance(each, validate.Equal))
    return str(name)


def _operation(converter: OpenAPIConverter, operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "responses": {**_answers(operation), **_refusals(operation), "default": _reference("responses", _PROBLEM)},
    }
    if operation.parameters:
        described["parameters"] = [
            each for place, schema in operation.parameters.items() for each in parameters(converter, schema, place)
        ]
    if operation.body:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": operation.body}}}
    if operation.access is not PUBLIC:
        schemes = (_ACCESS_TOKEN, _TICKET) if operation.by_ticket else (_ACCESS_TOKEN,)
        described["security"] = [_security(caller, scheme) for scheme in schemes for caller in operation.access]
    return described


def _security(caller: Caller, scheme: str) -> dict[str, list[str]]:
    # one alternative for each kind of caller, with the name of its role
    return {_SERVICE_TOKEN: []} if caller is Caller.SERVICE else {scheme: [str(caller.name).lower()]}


def _answers(operation: Operation) -> dict[str, Any]:
    return {str(status): _answer(answer) for status, answer in operation.answers.items()}


def _answer(answer: Answer) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.description}
    if answer.media_type is not None:
        other = {"type": "object"} if answer.media_type.endswith("json") else {"type": "string"}
        described["content"] = {answer.media_type: {"schema": answer.schema or other}}
    if answer.headers:
        described["headers"] = {name: _reference("headers", name) for name in answer.headers}
    return described


def _refusals(operation: Operation) -> dict[str, Any]:
    by_status: dict[int, list[type[ServiceError]]] = {}
    for error in operation.refusals:
        by_status.setdefault(status_of(error), []).append(error)
    described = {str(status): _refusal(status, errors) for status, errors in sorted(by_status.items())}
    if operation.body:
        problem = _reference("schemas", _PROBLEM)
        described |= {str(status.value): _problem(status.phrase, problem) for status in _BODY_STATUSES}
    return described


def _refusal(status: int, errors: list[type[ServiceError]]) -> dict[str, Any]:
    description = " ".join((error.__doc__ or "").partition("\n")[0] for error in errors)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # a client acts alike whichever dependency is unavailable
        return _problem(description, _reference("schemas", _PROBLEM), _RETRY_AFTER)
    types = sorted({type_of(error) for error in errors})
    named = {"type": "object", "properties": {"type": {"enum": types}}, "required": ["type"]}
    headers = _HEADERS_OF_STATUS.get(status, ())
    return _problem(description, {"allOf": [_reference("schemas", _PROBLEM), named]}, *headers)


def _problem(description: str, schema: dict[str, Any], *headers: str) -> dict[str, Any]:
    described: dict[str, Any] = {"description": description, "content": {CONTENT_TYPE: {"schema": schema}}}
    if headers:
        described["headers"] = {name: _reference("headers", name) for name in headers}
    return described


def _reference(kind: str, name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/{kind}/{name}"}
