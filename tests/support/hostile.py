"""Input that nobody in good faith sends: values that break parsers, types, ranges, columns and encodings."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import orjson

__all__ = ["BODIES", "VALUES", "documents"]

VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**63,
    2**64 - 1,
    -(2**63),
    0.0,
    1.0,
    1e3,
    -0.5,
    1e308,
    "",
    "0",
    " ",
    "\0",
    "a\0b",
    "\u202e",
    "\ufffe",
    "\U0001f600",
    "'; DROP TABLE orders; --",
    "%s%(x)s{}$1",
    "../..",
    "x" * 10_000,
    [],
    [[]],
    [None],
    {},
    {"": {}},
    {"__proto__": 1},
)

BODIES = (
    b"",
    b"\0",
    b"\xff" * 100,
    b"[" * 2000,
    b'{"a":' * 2000,
    b"{}" + b" " * 200_000,
    b'{"version":1,"version":"x","quantity":1,"quantity":null,"stock":1,"stock":[]}',
    b'{"operationId":"' + b"\\u0000" * 100 + b'"}',
    b'{"\\u0000":1}',
    b"{" + b",".join(b'"k%d":1' % number for number in range(2000)) + b"}",
    b'{"stock":-0}',
    b'{"stock":1E400}',
    b'{"stock":0x10}',
    b'{"stock":01}',
    b"{'stock':1}",
)


def documents(document: dict[str, Any], chance: random.Random, count: int) -> Iterator[bytes]:
    """Give *count* copies of a *document* in each of which something is replaced, added or left out."""
    for _ in range(count):
        changed = copy.deepcopy(document)
        for _ in range(chance.randint(1, 2)):
            _spoil(changed, chance)
        yield orjson.dumps(changed)


def _spoil(document: dict[str, Any], chance: random.Random) -> None:
    holder, key = chance.choice([*_places(document), (document, "x")])
    fault = chance.random()
    if fault < 0.1 and isinstance(holder, dict):
        holder.pop(key, None)
    elif fault < 0.2 and isinstance(holder, dict):
        holder[chance.choice(["", "x", "a\0", "x" * 1000])] = chance.choice(VALUES)
    else:
        holder[key] = chance.choice(VALUES)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(entries):
        yield value, key
        yield from _places(inner)
