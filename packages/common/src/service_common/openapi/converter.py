"""Extends apispec's converter to our fields and validators, and to parameters outside a body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields, validate

from ..fields import BoundedList

__all__ = ["OPENAPI_VERSION", "component", "extend", "new_plugin", "parameters"]

OPENAPI_VERSION = "3.1.1"
_PYTHON_END = r"\Z"


def new_plugin(names: Mapping[type[Schema], str]) -> MarshmallowPlugin:
    """Return a plugin that names each schema by *names*, or by its class."""

    def name(schema: Schema | type[Schema]) -> str:
        kind = schema if isinstance(schema, type) else type(schema)
        return names.get(kind) or kind.__name__.strip("_").removesuffix("Schema")

    return MarshmallowPlugin(schema_name_resolver=name)


def extend(converter: OpenAPIConverter) -> None:
    """Let *converter* describe what our fields accept."""
    for function in (_bounds, _pattern, _characters, _choices):
        converter.add_attribute_function(function)  # type: ignore[no-untyped-call]


def component(converter: OpenAPIConverter, schema: type[Schema]) -> dict[str, Any]:
    """Return a reference to *schema*, which is added to the components of the document."""
    reference: dict[str, Any] = converter.resolve_nested_schema(schema)  # type: ignore[no-untyped-call]
    return reference


def parameters(converter: OpenAPIConverter, schema: type[Schema], place: str) -> list[dict[str, Any]]:
    """Return the parameters that *schema* loads from *place*; they are never null."""
    found: list[dict[str, Any]] = converter.schema2parameters(schema(), location=place)
    for parameter in found:
        described = parameter["schema"]
        if described.get("default") in (None, "", []):
            described.pop("default", None)
        if isinstance(described.get("type"), list):
            described["type"] = next(kind for kind in described["type"] if kind != "null")
        if "enum" in described:
            described["enum"] = [choice for choice in described["enum"] if choice is not None]
    return found


def _bounds(_: OpenAPIConverter, field: fields.Field[Any], **__: object) -> dict[str, Any]:
    return {"minItems": field.at_least, "maxItems": field.at_most} if isinstance(field, BoundedList) else {}


def _pattern(_: OpenAPIConverter, __: fields.Field[Any], ret: Mapping[str, Any]) -> dict[str, Any]:
    # marshmallow matches from the start; JSON Schema searches, with the regular expressions of ECMA-262
    if "pattern" not in ret:
        return {}
    pattern: str = ret["pattern"]
    return {"pattern": f"^{pattern.removesuffix(_PYTHON_END)}" + ("$" if pattern.endswith(_PYTHON_END) else "")}


def _characters(_: OpenAPIConverter, field: fields.Field[Any], **__: object) -> dict[str, Any]:
    for validator in field.validators:
        if isinstance(validator, validate.ContainsNoneOf):
            without = "".join(rf"\u{ord(each):04x}" for each in validator.iterable)
            return {"pattern": f"^[^{without}]*$"}
    return {}


def _choices(_: OpenAPIConverter, field: fields.Field[Any], **__: object) -> dict[str, Any]:
    if not isinstance(field, fields.Enum):
        return {}
    return {"type": ["string", "null"] if field.allow_none else "string"}
