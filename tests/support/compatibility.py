"""Compares interface documents with those of an earlier release: would its clients and services still understand?

What is received must stay accepted, what is sent must stay understood: for the one, whatever was valid has to be valid;
for the other, whatever is valid has to have been valid. Unknown members are ignored by every reader.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["async_api_breaks", "open_api_breaks", "schema_breaks"]

Document = Mapping[str, Any]
_METHODS = {"get", "put", "post", "delete", "patch"}
_LOWER, _UPPER = ("minimum", "minLength", "minItems"), ("maximum", "maxLength", "maxItems")


@dataclass(frozen=True, slots=True)
class _Schema:
    """A schema, and the document that its references are in."""

    document: Document
    node: Mapping[str, Any]

    def at(self, node: Mapping[str, Any]) -> _Schema:
        return _Schema(self.document, _resolved(self.document, node))

    def types(self) -> set[str]:
        given = self.node.get("type", [])
        return {given} if isinstance(given, str) else set(given)

    def values(self) -> list[Any] | None:
        return [self.node["const"]] if "const" in self.node else self.node.get("enum")

    def merged(self) -> _Schema:
        """Return one schema of all parts of ``allOf``, with the members and requirements of each."""
        merged = {name: value for name, value in self.node.items() if name != "allOf"}
        for part in self.node.get("allOf", ()):
            other = self.at(part).merged().node
            given, more = merged.get("properties", {}), other.get("properties", {})
            members = {**given, **{name: {**given.get(name, {}), **member} for name, member in more.items()}}
            required = [*merged.get("required", ()), *other.get("required", ())]
            merged = {**merged, **other, "properties": members, "required": required}
        return _Schema(self.document, merged)


def schema_breaks(old: Document, new: Document, *, received: bool, sent: bool) -> list[str]:
    """Return what is incompatible between two JSON Schemas that stand alone."""
    before, after = _Schema(old, old), _Schema(new, new)
    return [*(_refused(before, after, "") if received else ()), *(_refused(after, before, "") if sent else ())]


def open_api_breaks(old: Document, new: Document) -> list[str]:
    """Return what a client of the OpenAPI document *old* could not do, or not understand, with *new*."""
    breaks: list[str] = []
    for path, methods in old["paths"].items():
        for method, before in methods.items():
            if method not in _METHODS:
                continue
            where = f"{method.upper()} {path}"
            after = new["paths"].get(path, {}).get(method)
            breaks += _operation_breaks(old, new, before, after, where) if after else [f"{where}: is gone"]
    return breaks


def async_api_breaks(old: Document, new: Document) -> list[str]:
    """Return what a peer of the AsyncAPI document *old* could not send, or not understand, with *new*."""
    breaks = [f"channel {each}: is gone" for each in old["channels"].keys() - new["channels"].keys()]
    for channel in old["channels"].keys() & new["channels"].keys():
        if old["channels"][channel]["address"] != new["channels"][channel]["address"]:
            breaks.append(f"channel {channel}: has another address")
        for action in ("receive", "send"):
            before, after = _messages(old, channel, action), _messages(new, channel, action)
            known, offered = (before, after) if action == "receive" else (after, before)
            breaks += [f"{channel}: {each} is not understood" for each in known.keys() - offered.keys()]
            for each in known.keys() & offered.keys():
                breaks += _refused(known[each], offered[each], f"{channel}, {each}")
    return breaks


def _operation_breaks(old: Document, new: Document, before: Any, after: Any, where: str) -> Iterator[str]:
    given = {(each["in"], each["name"]): each for each in before.get("parameters", ())}
    wanted = {(each["in"], each["name"]): each for each in after.get("parameters", ())}
    for key, parameter in wanted.items():
        name = f"{where}, parameter {key[1]}"
        if parameter.get("required") and not given.get(key, {}).get("required"):
            yield f"{name}: is required"
        if key in given:
            yield from _refused(_schema(old, given[key]), _schema(new, parameter), name)
    yield from (f"{where}, parameter {name}: is gone" for _, name in given.keys() - wanted.keys())
    yield from _content_breaks(old, new, before.get("requestBody", {}), after.get("requestBody", {}), f"{where}, body")
    for status in before["responses"].keys() - after["responses"].keys():
        yield f"{where}: no longer answers {status}"
    for status in sorted(before["responses"].keys() & after["responses"].keys()):
        answers = _resolved(old, before["responses"][status]), _resolved(new, after["responses"][status])
        lost = answers[0].get("headers", {}).keys() - answers[1].get("headers", {}).keys()
        yield from (f"{where}, {status}: lacks the header {name}" for name in lost)
        yield from _content_breaks(new, old, answers[1], answers[0], f"{where}, {status}")


def _content_breaks(writer: Document, reader: Document, written: Any, read: Any, where: str) -> Iterator[str]:
    for media_type, content in written.get("content", {}).items():
        if media_type not in read.get("content", {}):
            yield f"{where}: is {media_type}"
        else:
            yield from _refused(_schema(writer, content), _schema(reader, read["content"][media_type]), where)


def _messages(document: Document, channel: str, action: str) -> dict[str, _Schema]:
    messages = document["channels"][channel]["messages"]
    found: dict[str, _Schema] = {}
    for operation in document["operations"].values():
        if operation["action"] == action and operation["channel"]["$ref"] == f"#/channels/{channel}":
            named = [each["$ref"].rpartition("/")[2] for each in operation.get("messages", ())] or list(messages)
            payloads = {name: _resolved(document, messages[name])["payload"] for name in named}
            found |= {name: _Schema(document, _resolved(document, payload)) for name, payload in payloads.items()}
    return found


def _schema(document: Document, holder: Mapping[str, Any]) -> _Schema:
    return _Schema(document, _resolved(document, holder["schema"]))


def _resolved(document: Document, node: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in node:
        found: Any = document
        for name in node["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        node = found
    return node


def _refused(written: _Schema, read: _Schema, where: str) -> Iterator[str]:
    """Yield why a document that is valid by *written* may not be by *read*."""
    written, read = written.merged(), read.merged()
    if alternatives := read.node.get("oneOf"):
        for each in written.node.get("oneOf", [written.node]):
            if all(list(_refused(written.at(each), read.at(other), where)) for other in alternatives):
                yield f"{where}: {each.get('$ref', 'it')} is none of the alternatives"
        return
    if read.types() and not written.types() <= _with_integers(read.types()):
        yield f"{where}: has the type {', '.join(sorted(written.types() - read.types()))}"
    values, known = written.values(), read.values()
    if known is not None and (values is None or any(each not in known for each in values)):
        yield f"{where}: may be another value than {known}"
    yield from (f"{where}: {name}" for name in _tighter(written.node, read.node))
    for name in set(read.node.get("required", ())) - set(written.node.get("required", ())):
        yield f"{where}/{name}: may be missing"
    members, readable = written.node.get("properties", {}), read.node.get("properties", {})
    for name in sorted(members.keys() & readable.keys()):
        yield from _refused(written.at(members[name]), read.at(readable[name]), f"{where}/{name}")
    if "items" in written.node and "items" in read.node:
        yield from _refused(written.at(written.node["items"]), read.at(read.node["items"]), f"{where}/*")


def _with_integers(types: set[str]) -> set[str]:
    return types | {"integer"} if "number" in types else types


def _tighter(written: Mapping[str, Any], read: Mapping[str, Any]) -> Iterable[str]:
    for name in _LOWER:
        if name in read and written.get(name, float("-inf")) < read[name]:
            yield f"{name} is {read[name]}"
    for name in _UPPER:
        if name in read and written.get(name, float("inf")) > read[name]:
            yield f"{name} is {read[name]}"
    for name in ("pattern", "format"):
        if name in read and written.get(name) != read[name]:
            yield f"{name} is {read[name]}"
