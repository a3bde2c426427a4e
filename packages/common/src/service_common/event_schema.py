"""The events on the queues as a JSON Schema, from the schema that reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marshmallow import fields, validate

from service_common.decoding import DataSchema, EnvelopeSchema
from service_common.events import WITH_ITEMS, EventType
from service_common.openapi.converter import inline

__all__ = ["event_schema"]


class _WrittenDataSchema(DataSchema):
    message = fields.Str()


class _WrittenSchema(EnvelopeSchema):
    """With the members that are written and nobody here reads."""

    subject = fields.Str()
    datacontenttype = fields.Str(validate=validate.Equal("application/json"))
    data = fields.Nested(_WrittenDataSchema, required=True)


def event_schema() -> dict[str, Any]:
    """Return the schema: https://json-schema.org/draft/2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:orderstream:event",
        "title": "An event on a queue: CloudEvents 1.0, structured mode, JSON",
        **inline(_WrittenSchema),
        "allOf": [
            _needs(sorted(WITH_ITEMS), "orderItems", {"type": "array", "minItems": 1}),
            _needs([EventType.ORDER_FAILED], "reason", {"type": "string", "minLength": 1}),
        ],
    }


def _needs(types: Iterable[EventType], member: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "if": {"properties": {"type": {"enum": [each.value for each in types]}}},
        "then": {"properties": {"data": {"required": [member], "properties": {member: schema}}}},
    }
