"""W3C trace context of the running task, and the spans of its trace.

A request, a message or a saga continues the trace that it came with (`tracing`). What it does in between are further
spans (`span`), what is done for several at once is one (`batched`). Spans are recorded while an exporter is installed
and the trace is sampled; the context is carried on in any case.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from enum import IntEnum
from time import time_ns
from typing import Protocol

__all__ = [
    "Attributes",
    "Recorder",
    "Span",
    "SpanKind",
    "TraceContext",
    "batched",
    "bounded_tracestate",
    "current_trace",
    "entered",
    "record_with",
    "recording",
    "span",
    "start_span",
    "tracing",
]

Attributes = Mapping[str, str | int]

# https://www.w3.org/TR/trace-context/#traceparent-header: version 00, of 55 characters, and later versions that only
# append to it
_TRACEPARENT = re.compile(
    r"(?!ff|00.{54})[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)
# https://www.w3.org/TR/trace-context/#tracestate-header
_TRACESTATE_MEMBER = re.compile(r"[a-z0-9][a-z0-9_*/@-]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~]")
MAX_TRACESTATE = 512
MAX_TRACESTATE_MEMBERS = 32
LONG_TRACESTATE_MEMBER = 128  # is left out first where there is no room for all
MAX_LINKS = 128  # https://opentelemetry.io/docs/specs/otel/trace/sdk/#span-limits


class SpanKind(IntEnum):
    """The kinds of OpenTelemetry, by their numbers in OTLP."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class TraceContext:
    """A span of a trace as it is propagated: *trace_id* has 32 hex digits, *span_id* 16, *flags* 2."""

    __slots__ = ("flags", "span_id", "trace_id", "tracestate")

    def __init__(self, trace_id: str, span_id: str, flags: str = "01", tracestate: str | None = None) -> None:
        self.trace_id = trace_id
        self.span_id = span_id
        self.flags = flags
        self.tracestate = tracestate

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

    @property
    def headers(self) -> dict[str, str]:
        """Headers that continue the trace from this span."""
        headers = {"traceparent": self.traceparent}
        if self.tracestate:
            headers["tracestate"] = self.tracestate
        return headers


class Span(TraceContext):
    """A span of this process. Unless it is *recorded*, the other methods do nothing.

    Attributes:
        parent_id: of the span that it continues; None for the first of a trace.
        error: what failed; None when nothing did, "" without a description.
        started_ns, ended_ns: nanoseconds since 1970; *ended_ns* is 0 while it lasts.
    """

    __slots__ = ("attributes", "ended_ns", "error", "kind", "links", "name", "parent_id", "recorded", "started_ns")

    name: str
    kind: SpanKind
    parent_id: str | None
    attributes: dict[str, str | int]
    links: list[TraceContext]
    error: str | None
    started_ns: int
    ended_ns: int

    def __init__(self, trace_id: str, span_id: str, flags: str = "01", tracestate: str | None = None) -> None:
        super().__init__(trace_id, span_id, flags, tracestate)
        self.recorded = False

    def set(self, name: str, value: str | int) -> None:
        """Set an attribute."""
        if self.recorded and not self.ended_ns:
            self.attributes[name] = value

    def link(self, other: TraceContext) -> None:
        """Link it with a span of another trace; the first 128 are kept."""
        if self.recorded and not self.ended_ns and len(self.links) < MAX_LINKS:
            self.links.append(other)

    def fail(self, error_type: str, description: str = "") -> None:
        """Record that it failed."""
        if self.recorded and not self.ended_ns:
            self.attributes["error.type"] = error_type
            self.error = description

    def end(self, error: BaseException | None = None) -> None:
        """End it, failed by *error* if there is one, and hand it to the exporter; once."""
        if not self.recorded or self.ended_ns:
            return
        if error is not None and self.error is None:
            self.fail(type(error).__name__)
        self.ended_ns = time_ns()
        if _recorder is not None:
            _recorder.put(self)

    def _record(self, name: str, kind: SpanKind, parent_id: str | None, attributes: Attributes | None) -> None:
        self.recorded = True
        self.name = name
        self.kind = kind
        self.parent_id = parent_id
        self.attributes = dict(attributes) if attributes else {}
        self.links = []
        self.error = None
        self.ended_ns = 0
        self.started_ns = time_ns()

    def _child(self, name: str, kind: SpanKind, attributes: Attributes | None) -> Span:
        child = Span(self.trace_id, _random_hex(64), self.flags, self.tracestate)
        child._record(name, kind, self.span_id, attributes)
        return child


class Recorder(Protocol):
    """Where spans go when they have ended, and which traces are recorded."""

    def sample(self, trace_id: str, parent_flags: str | None) -> bool:
        """Whether to record a trace; *parent_flags* are those of its caller, None in a new one."""
        ...

    def put(self, span: Span) -> None:
        """Take an ended span; called in the event loop, so it must not block."""
        ...


_recorder: Recorder | None = None
_current: ContextVar[Span | None] = ContextVar("trace", default=None)
_UNRECORDED = Span("0" * 32, "0" * 16, "00")


def record_with(recorder: Recorder | None) -> None:
    """Record spans from now on; with None, no more."""
    global _recorder  # noqa: PLW0603 - one for the process, as the context is
    _recorder = recorder


def recording() -> bool:
    """Whether spans are recorded at all."""
    return _recorder is not None


def current_trace() -> Span | None:
    """Return the span of the running task, or None."""
    return _current.get()


def bounded_tracestate(tracestate: str) -> str | None:
    """Return the members of a ``tracestate`` header that fit into 512 characters; None when it is not valid.

    Long members are left out first, then the last, which are the oldest: https://www.w3.org/TR/trace-context/#limits.
    """
    members = [member.strip(" \t") for member in tracestate.split(",")]
    members = [member for member in members if member]
    keys = {member.partition("=")[0] for member in members}
    if not 0 < len(keys) == len(members) <= MAX_TRACESTATE_MEMBERS or not all(
        map(_TRACESTATE_MEMBER.fullmatch, members)
    ):
        return None
    if len(",".join(members)) > MAX_TRACESTATE:
        members = [member for member in members if len(member) <= LONG_TRACESTATE_MEMBER]
    while len(",".join(members)) > MAX_TRACESTATE:
        members.pop()
    return ",".join(members) or None


def start_span(
    traceparent: str | None,
    tracestate: str | None = None,
    *,
    name: str = "",
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Attributes | None = None,
) -> Span:
    """Return the next span of *traceparent*, or the first of a new trace; without a *name* it is not recorded."""
    match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if match is None:
        started, parent_id, parent_flags = Span(_random_hex(128), _random_hex(64)), None, None
    else:
        kept = bounded_tracestate(tracestate) if tracestate else None
        parent_id, parent_flags = match[2], match[3]
        started = Span(match[1], _random_hex(64), parent_flags, kept)
    if _recorder is not None and name:
        sampled = _recorder.sample(started.trace_id, parent_flags)
        # only the flags that version 00 knows: sampled, and that the trace id is random
        started.flags = f"{int(started.flags, 16) & 2 | sampled:02x}"
        if sampled:
            started._record(name, kind, parent_id, attributes)  # noqa: SLF001 - of this module
    return started


class tracing:  # noqa: N801 - reads as the context manager that it is
    """Run the block as the next span of *traceparent*, or as the first of a new trace; see `start_span`.

    A class, because a generator's context manager costs half as much again, for every request and message.
    """

    __slots__ = ("_span", "_token")

    def __init__(
        self,
        traceparent: str | None,
        tracestate: str | None = None,
        *,
        name: str = "",
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes | None = None,
    ) -> None:
        self._span = start_span(traceparent, tracestate, name=name, kind=kind, attributes=attributes)

    def __enter__(self) -> Span:
        self._token = _current.set(self._span)
        return self._span

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        _current.reset(self._token)
        if self._span.recorded:
            self._span.end(error)


class entered:  # noqa: N801
    """Run the block in a span that was begun elsewhere, and is ended there; None is outside of all traces."""

    __slots__ = ("_span", "_token")

    def __init__(self, entered_span: Span | None) -> None:
        self._span = entered_span

    def __enter__(self) -> None:
        self._token = _current.set(self._span)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


class span:  # noqa: N801
    """Run the block as a child of the running span; does nothing unless that is recorded."""

    __slots__ = ("_span", "_token")

    def __init__(self, name: str, kind: SpanKind = SpanKind.INTERNAL, attributes: Attributes | None = None) -> None:
        parent = None if _recorder is None else _current.get()
        recorded = parent is not None and parent.recorded
        self._span = parent._child(name, kind, attributes) if parent and recorded else None  # noqa: SLF001

    def __enter__(self) -> Span:
        if self._span is None:
            return _UNRECORDED
        self._token = _current.set(self._span)
        return self._span

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if self._span is not None:
            _current.reset(self._token)
            self._span.end(error)


class batched:  # noqa: N801
    """Run the block, which does something for several *traces* at once, in the trace of the first of them.

    It is one span, a child of the first that is recorded. It and those of the others are linked with each other.
    Without a *name* there is none.
    """

    __slots__ = ("_span", "_spans", "_token")

    def __init__(
        self,
        name: str,
        traces: Sequence[Span | None],
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes | None = None,
    ) -> None:
        self._span: Span | None = None
        self._spans = traces
        if _recorder is None:
            return
        recorded = list(dict.fromkeys(each for each in traces if each is not None and each.recorded))
        if recorded and name:
            own = self._span = recorded[0]._child(name, kind, attributes)  # noqa: SLF001
            for other in recorded[1:]:
                own.link(other)
                other.link(own)

    def __enter__(self) -> Span:
        self._token = _current.set(self._span or next(filter(None, self._spans), None))
        return self._span or _UNRECORDED

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        _current.reset(self._token)
        if self._span is not None:
            self._span.end(error)


def _random_hex(bits: int) -> str:
    # ids have to be unique, not secret: no system call (all zeros, which is not valid, has a probability of 2^-64)
    return random.randbytes(bits // 8).hex()  # noqa: S311 - see above
