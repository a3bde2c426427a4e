"""W3C trace context of the running task: continued from a request or an event, propagated with the next."""

from __future__ import annotations

import random
import re
from contextvars import ContextVar
from dataclasses import dataclass

__all__ = ["TraceContext", "current_trace", "tracing"]

# https://www.w3.org/TR/trace-context/#traceparent-header: version 00, of 55 characters, and later versions that only
# append to it
_TRACEPARENT = re.compile(
    r"(?!ff|00.{54})[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A span of a trace: *trace_id* has 32 hex digits, *span_id* 16."""

    trace_id: str
    span_id: str
    flags: str = "01"

    @classmethod
    def new(cls) -> TraceContext:
        """Start a trace."""
        return cls(_random_hex(128), _random_hex(64))

    @classmethod
    def parse(cls, traceparent: str | None) -> TraceContext:
        """Continue the trace of a ``traceparent`` header; start one when it is missing or not valid."""
        match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
        return cls(match[1], _random_hex(64), match[3]) if match else cls.new()

    @property
    def traceparent(self) -> str:
        """Header that continues the trace from this span."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


def _random_hex(bits: int) -> str:
    # ids have to be unique, not secret: no system call (all zeros, which is not valid, has a probability of 2^-64)
    return f"{random.getrandbits(bits):0{bits // 4}x}"


_current: ContextVar[TraceContext | None] = ContextVar("trace", default=None)


def current_trace() -> TraceContext | None:
    """Return the trace context of the running task, or None."""
    return _current.get()


class tracing:  # noqa: N801 - reads as the context manager that it is
    """Run the block as the next span of *traceparent*, or as the first of a new trace.

    A class, because a generator's context manager costs half as much again, for every request and message.
    """

    __slots__ = ("_context", "_token")

    def __init__(self, traceparent: str | None) -> None:
        self._context = TraceContext.parse(traceparent)

    def __enter__(self) -> TraceContext:
        self._token = _current.set(self._context)
        return self._context

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)
