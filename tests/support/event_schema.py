"""`python -m tests.support.event_schema` writes the JSON Schema of the events into the reference."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson
from apispec import APISpec
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields, validate

from order_contracts import WITH_ITEMS, DataSchema, EventType
from service_common.events import EnvelopeSchema
from service_common.openapi.converter import OPENAPI_VERSION, extend

__all__ = ["REFERENCE", "event_schema", "text"]

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "events.schema.json"


class _WrittenDataSchema(DataSchema):
    message = fields.Str()


class _WrittenSchema(EnvelopeSchema):
    """With what order events need, and the members that are written and nobody here reads."""

    type = fields.Enum(EventType, by_value=True, required=True)  # type: ignore[assignment]  # narrower
    time = fields.AwareDateTime(format="iso", required=True)
    datacontenttype = fields.Str(validate=validate.Equal("application/json"))
    data = fields.Nested(_WrittenDataSchema, required=True)  # type: ignore[assignment]  # narrower


def event_schema() -> dict[str, Any]:
    """Return the schema: https://json-schema.org/draft/2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:orderstream:event",
        "title": "An event on a queue: CloudEvents 1.0, structured mode, JSON",
        **_inline(_WrittenSchema),
        "allOf": [
            _needs(sorted(WITH_ITEMS), "orderItems", {"type": "array", "minItems": 1}),
            _needs([EventType.ORDER_FAILED], "reason", {"type": "string", "minLength": 1}),
        ],
    }


def _inline(schema: type[Schema]) -> dict[str, Any]:
    """Return *schema* as a JSON Schema that refers to no other."""
    converter = OpenAPIConverter(OPENAPI_VERSION, lambda _: None, APISpec("", "", OPENAPI_VERSION))
    extend(converter)
    described: dict[str, Any] = converter.schema2jsonschema(schema())  # type: ignore[no-untyped-call]
    return _without_defaults(described)


def _without_defaults(schema: dict[str, Any]) -> dict[str, Any]:
    # a default of null says how a missing member is loaded here, which does not concern other readers
    members = {name: _without_defaults(member) for name, member in schema.get("properties", {}).items()}
    return {
        **{name: value for name, value in schema.items() if name != "default"},
        **({"properties": members} if members else {}),
    }


def _needs(types: Iterable[EventType], member: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "if": {"properties": {"type": {"enum": [each.value for each in types]}}},
        "then": {"properties": {"data": {"required": [member], "properties": {member: schema}}}},
    }


def text() -> str:
    """Return what the file is to be."""
    return orjson.dumps(event_schema(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


if __name__ == "__main__":
    REFERENCE.write_text(text(), encoding="utf-8")
