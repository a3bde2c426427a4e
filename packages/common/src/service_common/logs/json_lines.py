"""Makes a JSON object of what was logged. Pure."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.orjson import orjson_default

from ..observability import Span
from .json_values import to_plain, to_text
from .masking import masked

__all__ = ["LogCall", "call_of", "json_line"]

_OF_RECORDS = frozenset(RESERVED_ATTRS)
_OWN = frozenset({"time", "level", "logger", "service", "message"})
_OWN_TRACED = _OWN | {"traceId", "spanId"}
_tracebacks = logging.Formatter()


# time_s, Unix time; the identifier of the thread; trace; level; name of the logger; message; fields. A tuple, as a call
# between other work costs a third more with a named one
LogCall = tuple[float, int | None, Span | None, int, str, str, Mapping[Any, object]]


def call_of(record: logging.LogRecord, trace: Span | None) -> LogCall:
    """Return what *record* says, and its exception as text: a traceback keeps frames, and all that they hold."""
    fields = {name: value for name, value in vars(record).items() if name not in _OF_RECORDS}
    said: object = record.msg
    if isinstance(said, dict):
        fields |= said
    if record.exc_info or record.exc_text:
        fields["exc_info"] = _tracebacks.formatException(record.exc_info) if record.exc_info else record.exc_text
    if record.stack_info:
        fields["stack_info"] = record.stack_info
    message = "" if isinstance(said, dict) else record.getMessage()
    return record.created, record.thread, trace, record.levelno, record.name, message, fields


def json_line(service: str, call: LogCall) -> str:
    """Return *call* as one JSON object, whatever it contains, without credentials.

    It has time, level, logger, service, message, the fields of ``extra``, traceId and spanId; a field that has the name
    of another member gets the prefix ``extra_``.
    """
    time_s, _, trace, level, logger_name, message, fields = call
    own = _OWN if trace is None else _OWN_TRACED
    if not own.isdisjoint(fields):
        fields = {f"extra_{name}" if name in own else name: value for name, value in fields.items()}
    told = {"message": message, **fields}
    try:
        encoded = _encoded(told)
    except Exception:  # what a field contains must not cost the line
        encoded = orjson.dumps({to_text(name): _fragment(value) for name, value in told.items()})
    # the other members are ours, and not searched for credentials
    moment = _encoded(datetime.fromtimestamp(time_s, UTC)).decode()
    ids = "" if trace is None else f',"traceId":"{trace.trace_id}","spanId":"{trace.span_id}"'
    return f'{{"time":{moment},{_origin(level, logger_name, service)},{masked(encoded.decode())[1:-1]}{ids}}}'


@lru_cache
def _origin(level: int, logger_name: str, service: str) -> str:
    members = {"level": logging.getLevelName(level), "logger": to_text(logger_name), "service": service}
    return orjson.dumps(members).decode()[1:-1]


def _encoded(value: object) -> bytes:
    return orjson.dumps(value, default=orjson_default, option=orjson.OPT_UTC_Z)


def _fragment(value: object) -> orjson.Fragment:
    try:
        return orjson.Fragment(_encoded(value))
    except Exception:
        return orjson.Fragment(json.dumps(to_plain(value), allow_nan=False, ensure_ascii=False))
