"""The W3C trace context of the work in progress: taken from a request or an event, handed to the next."""

from __future__ import annotations

import random
import re
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
        return cls(_random_hex(128), _random_hex(64))

    @classmethod
    def parse(cls, traceparent: str | None) -> TraceContext:
        """Continue the trace of a ``traceparent`` header; begin one when there is none or it is not valid."""
        match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
        return cls(match[1], _random_hex(64), match[3]) if match else cls.new()

    @property
    def traceparent(self) -> str:
        """The header that continues the trace from here."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


def _random_hex(bits: int) -> str:
    # ids have to differ, not to be secret: no system call a hop (all zeros, which is not valid, has odds of 2^-64)
    return f"{random.getrandbits(bits):0{bits // 4}x}"


_current: ContextVar[TraceContext | None] = ContextVar("trace", default=None)


def current_trace() -> TraceContext | None:
    """Return the trace of the running task, if it has one."""
    return _current.get()


class tracing:  # noqa: N801 - reads as the context manager that it is
    """Run the block as the next hop of *traceparent*, or as the first hop of a new trace.

    A class, because a generator's context manager costs half as much again, and every request and message is a hop.
    """

    __slots__ = ("_context", "_token")

    def __init__(self, traceparent: str | None) -> None:
        self._context = TraceContext.parse(traceparent)

    def __enter__(self) -> TraceContext:
        self._token = _current.set(self._context)
        return self._context

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)
