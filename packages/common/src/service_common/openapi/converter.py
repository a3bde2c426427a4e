"""What apispec does not know of the fields that are used here, and where a parameter is unlike a member of a body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields, validate

from ..fields import BoundedList

__all__ = ["OPENAPI_VERSION", "component", "inline", "new_plugin", "parameters", "teach"]

OPENAPI_VERSION = "3.1.1"
_PYTHON_END = r"\Z"
_NOTHING: tuple[object, ...] = (None, "", [])


def new_plugin(names: Mapping[type[Schema], str]) -> MarshmallowPlugin:
    """Return a plugin that calls each schema as *names* says, or as its class is called."""

    def name(schema: Schema | type[Schema]) -> str:
        kind = schema if isinstance(schema, type) else type(schema)
        return names.get(kind) or kind.__name__.strip("_").removesuffix("Schema")

    return MarshmallowPlugin(schema_name_resolver=name)


def teach(converter: OpenAPIConverter) -> None:
    """Make *converter* say what these fields accept."""
    for function in (_bounds, _pattern, _characters, _choices):
        converter.add_attribute_function(function)  # type: ignore[no-untyped-call]


def component(converter: OpenAPIConverter, schema: type[Schema]) -> dict[str, Any]:
    """Return a reference to *schema*, which is a component of the document from now on."""
    reference: dict[str, Any] = converter.resolve_nested_schema(schema)  # type: ignore[no-untyped-call]
    return reference


def inline(schema: type[Schema]) -> dict[str, Any]:
    """Return *schema* as a JSON Schema that refers to no other."""
    converter = OpenAPIConverter(OPENAPI_VERSION, lambda _: None, APISpec("", "", OPENAPI_VERSION))
    teach(converter)
    described: dict[str, Any] = converter.schema2jsonschema(schema())  # type: ignore[no-untyped-call]
    return _without_defaults(described)


def parameters(converter: OpenAPIConverter, schema: type[Schema], place: str) -> list[dict[str, Any]]:
    """Return the parameters that *schema* reads from *place*: what stands there is never null."""
    found: list[dict[str, Any]] = converter.schema2parameters(schema(), location=place)
    for parameter in found:
        told = parameter["schema"]
        if told.get("default") in _NOTHING:
            told.pop("default", None)
        if isinstance(told.get("type"), list):
            told["type"] = next(kind for kind in told["type"] if kind != "null")
        if "enum" in told:
            told["enum"] = [choice for choice in told["enum"] if choice is not None]
    return found


def _without_defaults(schema: dict[str, Any]) -> dict[str, Any]:
    # null for what is not there: how it is read here, nothing that others are to do
    members = {name: _without_defaults(member) for name, member in schema.get("properties", {}).items()}
    return {
        **{name: value for name, value in schema.items() if name != "default"},
        **({"properties": members} if members else {}),
    }


def _bounds(_: OpenAPIConverter, field: fields.Field[Any], **__: object) -> dict[str, Any]:
    return {"minItems": field.at_least, "maxItems": field.at_most} if isinstance(field, BoundedList) else {}


def _pattern(_: OpenAPIConverter, __: fields.Field[Any], ret: Mapping[str, Any]) -> dict[str, Any]:
    # marshmallow begins at the beginning; JSON Schema searches, and has the regular expressions of ECMA-262
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
