"""What is written by hand is what protobuf's own classes read."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from service_common.observability import Span, SpanKind, TraceContext
from service_common.otlp.encoding import export_request


def hexadecimal(digits: int) -> st.SearchStrategy[str]:
    return st.text("0123456789abcdef", min_size=digits, max_size=digits)


TEXT = st.text(max_size=300)
INTEGER = st.integers(-(1 << 63), (1 << 63) - 1)
NANOSECONDS = st.integers(0, (1 << 64) - 1)
LINKS = st.lists(st.builds(TraceContext, hexadecimal(32), hexadecimal(16)), max_size=3)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    span = Span(draw(hexadecimal(32)), draw(hexadecimal(16)), draw(hexadecimal(2)), draw(st.none() | TEXT))
    span.name, span.kind = draw(TEXT), draw(st.sampled_from(SpanKind))
    span.parent_id, span.error = draw(st.none() | hexadecimal(16)), draw(st.none() | TEXT)
    span.started_ns, span.ended_ns = draw(NANOSECONDS), draw(NANOSECONDS)
    span.attributes, span.links = draw(st.dictionaries(TEXT, TEXT | INTEGER, max_size=5)), draw(LINKS)
    return span


def plain(attributes: Any) -> dict[str, str | int]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value") or "") for each in attributes}


@given(st.lists(spans(), max_size=4), st.dictionaries(TEXT, TEXT, max_size=3))
def test_request_is_read_as_it_was_meant(given_spans: list[Span], resource: dict[str, str]) -> None:
    request = ExportTraceServiceRequest.FromString(export_request(resource, "any scope", given_spans))
    [of_resource] = request.resource_spans
    [of_scope] = of_resource.scope_spans
    assert plain(of_resource.resource.attributes) == resource
    assert of_scope.scope.name == "any scope"
    for span, read in zip(given_spans, of_scope.spans, strict=True):
        expected = SpanMessage(
            trace_id=bytes.fromhex(span.trace_id),
            span_id=bytes.fromhex(span.span_id),
            parent_span_id=bytes.fromhex(span.parent_id or ""),
            trace_state=span.tracestate or "",
            flags=int(span.flags, 16),
            name=span.name,
            kind=span.kind.value,  # type: ignore[arg-type]
            start_time_unix_nano=span.started_ns,
            end_time_unix_nano=span.ended_ns,
            attributes=read.attributes,
            links=[
                SpanMessage.Link(trace_id=bytes.fromhex(link.trace_id), span_id=bytes.fromhex(link.span_id))
                for link in span.links
            ],
        )
        if span.error is not None:
            expected.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=span.error))
        assert plain(read.attributes) == span.attributes
        assert read == expected


def test_text_that_utf_8_lacks_costs_no_span() -> None:
    span = Span("a" * 32, "b" * 16)
    span._record("\udc80", SpanKind.SERVER, None, {"url.path": "/\udc80"})
    request = ExportTraceServiceRequest.FromString(export_request({}, "any scope", [span]))
    [read] = request.resource_spans[0].scope_spans[0].spans
    assert (read.name, plain(read.attributes)) == ("?", {"url.path": "/?"})
