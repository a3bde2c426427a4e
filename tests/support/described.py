"""Whether what a service answers is what its interface document says, no member more and none less."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema  # type: ignore[import-untyped]
from aiohttp import web

from service_common.openapi import Api
from service_common.openapi.document import build_document

__all__ = ["Described", "Seen", "watch"]

REFERENCE = "#/components/"


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer of the operation *method* *path*; *body* is None when it is a stream."""

    method: str
    path: str
    status: str
    headers: Mapping[str, str]
    media_type: str
    body: bytes | None


class Described:
    """The document of an interface as a judge of answers."""

    def __init__(self, api: Api) -> None:
        self.document = build_document(api, "0")
        self.components = _strict(self.document["components"])

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield the method, the path and the description of each operation."""
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                yield method.upper(), path, operation

    def check(self, seen: Seen) -> None:
        """Raise when an answer is not as it is described."""
        responses = self.document["paths"][seen.path][seen.method.lower()]["responses"]
        assert seen.status in responses, f"{seen.method} {seen.path} is not said to answer {seen.status}"
        response = self._resolved(responses[seen.status])
        for name, reference in response.get("headers", {}).items():
            assert name in seen.headers or not self._resolved(reference)["required"], (seen, name)
        if "content" in response:
            schema = response["content"][seen.media_type]["schema"]
            if seen.media_type.endswith("json") and seen.body is not None:
                self.check_schema(schema, json.loads(seen.body))
        else:
            assert not seen.body

    def check_schema(self, schema: Mapping[str, Any], value: object) -> None:
        """Raise when *value* is not of *schema*, which may refer to components."""
        formats = jsonschema.Draft202012Validator.FORMAT_CHECKER
        whole = {**schema, "components": self.components}
        jsonschema.Draft202012Validator(whole, format_checker=formats).validate(value)

    def is_valid(self, schema: Mapping[str, Any], value: object) -> bool:
        """Say whether *value* is of *schema*."""
        try:
            self.check_schema(schema, value)
        except jsonschema.ValidationError:
            return False
        return True

    def check_component(self, name: str, value: object) -> None:
        """Raise when *value* is not of the schema *name*."""
        self.check_schema({"$ref": f"{REFERENCE}schemas/{name}"}, value)

    def _resolved(self, item: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in item:
            return item
        kind, name = item["$ref"].removeprefix(REFERENCE).split("/")
        resolved: dict[str, Any] = self.document["components"][kind][name]
        return resolved


def watch(app: web.Application, seen: list[Seen]) -> None:
    """Have each answer of *app* put into *seen*."""

    async def note(request: web.Request, response: web.StreamResponse) -> None:
        resource = request.match_info.route.resource
        body = response.body if isinstance(response, web.Response) else None
        if resource is not None:
            seen.append(
                Seen(
                    request.method,
                    resource.canonical,
                    str(response.status),
                    response.headers,
                    response.content_type,
                    body if isinstance(body, bytes) else None,
                )
            )

    app.on_response_prepare.append(note)


def _strict(components: dict[str, Any]) -> dict[str, Any]:
    """Return *components* with objects that have the members that are named, and no others."""
    strict = copy.deepcopy(components)
    for schema in strict["schemas"].values():
        if schema.get("type") == "object":
            schema.setdefault("additionalProperties", False)
    return strict
