"""A collector: receives spans over OTLP/HTTP as they are on the wire, and answers late or not at all when told to."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Status

__all__ = ["Collector", "ReceivedSpan", "Trace", "collecting", "decode"]

_IDS = frozenset({"traceId", "spanId", "parentSpanId"})
_ANY_ORIGIN = {"Access-Control-Allow-Origin": "*"}


@dataclass(frozen=True, slots=True)
class ReceivedSpan:
    """A span as it came; ids are in hex, *parent_id* is "" for the first of a trace."""

    service: str
    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: str
    started_ns: int
    ended_ns: int
    tracestate: str
    attributes: Mapping[str, str | int]
    links: Sequence[tuple[str, str]]
    failed: bool
    reason: str

    def __str__(self) -> str:
        state = ("repeat " if self.repeats else "") + (f"failed {self.reason}" if self.failed else "")
        return f"{self.service}: {self.name} {self.span_id} < {self.parent_id} {state}".rstrip()

    @property
    def repeats(self) -> bool:
        """Whether it is another attempt at a call or a message."""
        return "http.request.resend_count" in self.attributes or self.attributes.get("aws.sqs.receive_count", 1) != 1


class Trace:
    """The spans of one trace, in the order in which they started."""

    def __init__(self, spans: Sequence[ReceivedSpan]) -> None:
        self.spans = sorted(spans, key=lambda span: span.started_ns)
        self.ids = {span.span_id for span in spans}

    def __str__(self) -> str:
        return "\n".join(map(str, self.spans))

    @property
    def orphans(self) -> list[ReceivedSpan]:
        """Those whose parent is not there, the first of the trace among them."""
        return [span for span in self.spans if span.parent_id not in self.ids]

    @property
    def is_smooth(self) -> bool:
        """Whether all of it succeeded at the first attempt."""
        return not any(span.failed or span.repeats for span in self.spans)

    @property
    def names(self) -> Counter[str]:
        """How many there are of each name."""
        return Counter(span.name for span in self.spans)

    @property
    def branches(self) -> list[tuple[str, ...]]:
        """The names of each span without children, and of its ancestors before it."""
        parents = {span.parent_id for span in self.spans}
        return [self._line(span) for span in self.spans if span.span_id not in parents]

    def _line(self, span: ReceivedSpan) -> tuple[str, ...]:
        older = self._line(self.parent(span)) if span.parent_id in self.ids else ()
        return (*older, span.name)

    def named(self, name: str) -> list[ReceivedSpan]:
        """Return those of a name."""
        return [span for span in self.spans if span.name == name]

    def parent(self, span: ReceivedSpan) -> ReceivedSpan:
        """Return the parent of *span*."""
        return next(each for each in self.spans if each.span_id == span.parent_id)


class Collector:
    """What was received so far; *answer* returns the status of each answer."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[web.Request] = []
        self.answer: Callable[[], int] = lambda: 200
        self._spans: dict[str, dict[str, ReceivedSpan]] = defaultdict(dict)
        self._flowing = asyncio.Event()
        self._flowing.set()

    def trace(self, trace_id: str) -> Trace:
        """Return what has come of a trace; a batch that was sent twice counts once."""
        return Trace(list(self._spans[trace_id].values()))

    @property
    def spans(self) -> list[ReceivedSpan]:
        """All."""
        return [span for trace in self._spans.values() for span in trace.values()]

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Answer no request during the block."""
        self._flowing.clear()
        try:
            yield
        finally:
            self._flowing.set()

    async def receive(self, request: web.Request) -> web.Response:
        """Take the spans of a request."""
        body = await request.read()
        self.requests.append(request)
        await self._flowing.wait()
        status = self.answer()
        if status == 200:
            for span in decode(body, request.content_type):
                self._spans[span.trace_id][span.span_id] = span
        return web.Response(status=status, headers=_ANY_ORIGIN)

    async def preflight(self, _: web.Request) -> web.Response:
        """Let pages of any origin send JSON."""
        return web.Response(headers={**_ANY_ORIGIN, "Access-Control-Allow-Headers": "content-type"})


def decode(body: bytes, content_type: str = "application/x-protobuf") -> Iterator[ReceivedSpan]:
    """Yield the spans of an ExportTraceServiceRequest, of JSON too."""
    if content_type == "application/json":
        request = ParseDict(json.loads(body, object_hook=_with_base64_ids), ExportTraceServiceRequest())
    else:
        request = ExportTraceServiceRequest.FromString(body)
    for resource in request.resource_spans:
        service = _attributes(resource.resource.attributes)["service.name"]
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield ReceivedSpan(
                    str(service),
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.name,
                    SpanMessage.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    span.trace_state,
                    _attributes(span.attributes),
                    [(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
                    span.status.code == Status.STATUS_CODE_ERROR,
                    span.status.message,
                )


def _with_base64_ids(members: dict[str, Any]) -> dict[str, Any]:
    # in hex by OTLP, unlike in JSON of other messages of protobuf
    ids = {name: b64encode(bytes.fromhex(members[name])).decode() for name in _IDS & members.keys()}
    return members | ids


def _attributes(attributes: Sequence[KeyValue]) -> dict[str, str | int]:
    return {
        each.key: each.value.string_value if each.value.HasField("string_value") else each.value.int_value
        for each in attributes
    }


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """Receive at a free port during the block."""
    app = web.Application(client_max_size=1 << 26)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    collector = Collector("")
    app.router.add_post("/v1/traces", collector.receive)
    app.router.add_options("/v1/traces", collector.preflight)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield collector
    finally:
        await runner.cleanup()
