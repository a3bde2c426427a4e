"""The W3C trace context of the work in progress: taken from a request or an event, handed to the next."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

__all__ = ["TraceContext", "current_trace", "tracing"]

# https://www.w3.org/TR/trace-context/#traceparent-header: version 00, and later versions that only append to it
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A place in a trace: *trace_id* (32 hex digits) is the whole way, *span_id* (16) this hop."""

    trace_id: str
    span_id: str
    flags: str = "01"

    @classmethod
    def new(cls) -> TraceContext:
        """Begin a trace."""
        return cls(secrets.token_hex(16), secrets.token_hex(8))

    @classmethod
    def parse(cls, traceparent: str | None) -> TraceContext:
        """Continue the trace of a ``traceparent`` header; begin one when there is none or it is not valid."""
        match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
        return cls(match[1], secrets.token_hex(8), match[3]) if match else cls.new()

    @property
    def traceparent(self) -> str:
        """The header that continues the trace from here."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


_current: ContextVar[TraceContext | None] = ContextVar("trace", default=None)


def current_trace() -> TraceContext | None:
    """Return the trace of the running task, if it has one."""
    return _current.get()


@contextmanager
def tracing(traceparent: str | None) -> Iterator[TraceContext]:
    """Run the block as the next hop of *traceparent*, or as the first hop of a new trace."""
    context = TraceContext.parse(traceparent)
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)
