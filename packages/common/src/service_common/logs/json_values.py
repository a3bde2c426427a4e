"""Makes JSON of any value, and of a long line a shorter one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

__all__ = ["shortened", "to_plain", "to_text"]

MAX_DEPTH = 32
MAX_BITS = 1024  # Python refuses to write an integer of more than 4,300 digits
MIN_FIELD_BYTES = 16
ELLIPSIS = "…"


def to_text(value: object) -> str:
    """Return *value* as text that UTF-8 can encode, also when it can't be represented."""
    try:
        return str(value).encode(errors="replace").decode()
    except Exception:
        return f"<{type(value).__name__}>"


def to_plain(value: object) -> Any:
    """Return *value* as JSON values: keys and unknown types as text, a circular reference as its type."""
    try:
        return _plain(value, ())
    except Exception:  # a container that can't be iterated, or is changed meanwhile
        return to_text(value)


def _plain(value: object, within: tuple[int, ...]) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case int() | Mapping() | list() | tuple() if _is_endless(value, within):
            return f"<{type(value).__name__}>"
        case None | int():
            return value
        case Mapping():
            return {to_text(key): _plain(each, (*within, id(value))) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each, (*within, id(value))) for each in value]
        case _:
            return to_text(value)


def _is_endless(value: object, within: tuple[int, ...]) -> bool:
    if isinstance(value, int):
        return value.bit_length() > MAX_BITS
    return id(value) in within or len(within) == MAX_DEPTH


def shortened(text: str, limit_bytes: int) -> str:
    """Return *text*, a JSON object, in at most *limit_bytes* of UTF-8, still JSON: its longest fields are cut.

    Text of another kind, and an object of countless fields, is cut at the end.
    """
    try:
        fields = orjson.loads(text)
    except orjson.JSONDecodeError:
        fields = None
    if isinstance(fields, dict) and fields:
        sizes = {name: len(orjson.dumps(value)) for name, value in fields.items()}
        names_bytes = len(orjson.dumps(fields)) - sum(sizes.values())
        field_bytes = _field_limit(sorted(sizes.values()), limit_bytes - names_bytes)
        if field_bytes >= MIN_FIELD_BYTES:
            cut = {name: _cut(fields[name], field_bytes) for name, size in sizes.items() if size > field_bytes}
            return orjson.dumps(fields | cut).decode()
    return text.encode()[:limit_bytes].decode(errors="ignore")


def _field_limit(sizes: Sequence[int], room: int) -> int:
    """Return the limit for each of *sizes*, which ascend, that makes them fill *room*."""
    for position, size in enumerate(sizes):
        share = room // (len(sizes) - position)
        if size > share:
            return share
        room -= size
    return max(sizes)


def _cut(value: Any, limit_bytes: int) -> str:
    """Return the beginning of *value* as text of at most *limit_bytes* of JSON."""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    room = limit_bytes - len(orjson.dumps(ELLIPSIS))
    while (size := len(orjson.dumps(text))) > room:
        text = text[: len(text) * room // size]
    return text + ELLIPSIS
