from __future__ import annotations

import random

import pytest

from service_common.observability import Span, SpanKind, batched, current_trace, entered, span, start_span, tracing
from service_common.observability.trace import MAX_LINKS, bounded_tracestate, record_with
from service_common.otlp.sampling import sampler

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN_ID = "00f067aa0ba902b7"
PARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"
UNSAMPLED = f"00-{TRACE_ID}-{SPAN_ID}-00"


class Recorded(list[Span]):
    """The spans that ended, recorded as the sampler of the default says."""

    def __init__(self, name: str = "parentbased_always_on", ratio: float = 1.0) -> None:
        super().__init__()
        self.sample = sampler(name, ratio)

    def put(self, span: Span) -> None:
        self.append(span)

    @property
    def names(self) -> list[str]:
        return [each.name for each in self]


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    return _recording(Recorded(), monkeypatch)


def _recording(recorder: Recorded, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    monkeypatch.setattr("service_common.observability.trace._recorder", None)  # restored at the end of the test
    record_with(recorder)
    return recorder


def test_spans_are_children_of_the_one_around_them_and_end_with_their_blocks(recorded: Recorded) -> None:
    with tracing(PARENT, "a=1", name="request", kind=SpanKind.SERVER) as request, span("call", SpanKind.CLIENT) as call:
        call.set("http.request.method", "GET")
        assert current_trace() is call
        assert call.headers == {"traceparent": f"00-{TRACE_ID}-{call.span_id}-01", "tracestate": "a=1"}
    assert recorded == [call, request]
    assert (request.parent_id, call.parent_id) == (SPAN_ID, request.span_id)
    assert call.attributes == {"http.request.method": "GET"}
    assert request.started_ns <= call.started_ns <= call.ended_ns <= request.ended_ns
    assert current_trace() is None


def test_first_span_of_a_trace_has_no_parent(recorded: Recorded) -> None:
    with tracing(None, "a=1", name="request") as request:
        assert request.tracestate is None
    assert [each.parent_id for each in recorded] == [None]


def test_error_of_a_block_is_that_of_its_spans(recorded: Recorded) -> None:
    def call() -> None:
        with tracing(PARENT, name="request"), span("call") as called:
            called.fail("503", "unavailable")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        call()
    assert [(each.attributes["error.type"], each.error) for each in recorded] == [
        ("503", "unavailable"),
        ("ValueError", ""),
    ]


def test_span_that_has_ended_does_not_change(recorded: Recorded) -> None:
    with tracing(PARENT, name="request") as request:
        pass
    request.set("late", 1)
    request.fail("late")
    request.link(Span(TRACE_ID, SPAN_ID))
    request.end()
    assert (request.attributes, request.links, request.error, len(recorded)) == ({}, [], None, 1)


def test_nothing_is_recorded_outside_of_a_trace_or_without_a_name(recorded: Recorded) -> None:
    with span("alone") as alone:
        assert not alone.recorded
    with tracing(PARENT), span("inside of what has no name") as inside:
        assert not inside.recorded
    assert recorded == []


def test_trace_that_its_caller_does_not_sample_is_carried_on_and_not_recorded(recorded: Recorded) -> None:
    with tracing(UNSAMPLED, "a=1", name="request") as request, span("call"):
        assert request.headers == {"traceparent": f"00-{TRACE_ID}-{request.span_id}-00", "tracestate": "a=1"}
        assert current_trace() is request
    assert recorded == []


def test_without_a_recorder_only_the_context_is_carried_on() -> None:
    with tracing(UNSAMPLED[:-2] + "03", name="request") as request, span("call") as call, batched("all", [request]):
        assert not call.recorded
        assert current_trace() is request
        assert request.flags == "03"


def test_flags_that_version_00_does_not_know_are_cleared(recorded: Recorded) -> None:
    for flags, own in (("ff", "03"), ("01", "01"), ("fc", "00"), ("02", "02")):
        assert start_span(PARENT[:-2] + flags, name="request").flags == own
    assert recorded == []


def test_batch_is_in_the_trace_of_the_first_and_linked_both_ways_with_the_others(recorded: Recorded) -> None:
    first, second, unsampled = (start_span(header, name="message") for header in (None, None, UNSAMPLED))
    with batched("batch", [None, unsampled, first, second], SpanKind.CLIENT, {"size": 4}) as batch:
        assert current_trace() is batch
    assert (batch.trace_id, batch.parent_id) == (first.trace_id, first.span_id)
    assert (first.links, second.links, batch.links) == ([], [batch], [second])
    assert batch.attributes == {"size": 4}
    assert recorded == [batch]


def test_batch_that_is_not_recorded_runs_in_the_trace_of_the_first(recorded: Recorded) -> None:
    first = start_span(UNSAMPLED, name="message")
    with batched("batch", [None, first, start_span(UNSAMPLED, name="message")]) as batch:
        assert not batch.recorded
        assert current_trace() is first
    assert recorded == []


def test_links_are_bounded(recorded: Recorded) -> None:
    spans = [start_span(None, name="message") for _ in range(2 * MAX_LINKS)]
    with batched("batch", spans) as batch:
        assert len(batch.links) == MAX_LINKS
    assert recorded == [batch]


def test_span_is_entered_without_being_ended(recorded: Recorded) -> None:
    message = start_span(PARENT, name="message")
    with tracing(None, name="other"):
        with entered(message):
            assert current_trace() is message
        with entered(None):
            assert current_trace() is None
    assert recorded.names == ["other"]


def _members(count: int, value: str) -> str:
    return ",".join(f"k{number}={value}" for number in range(count))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a=1, b=2 ,,c=3", "a=1,b=2,c=3"),
        ("tenant@system=x y", "tenant@system=x y"),
        ("a=1,a=2", None),
        ("a=\n", None),
        ("A=1", None),
        ("a", None),
        ("a=", None),
        (_members(32, "1"), _members(32, "1")),
        (_members(33, "1"), None),
        (_members(8, "x" * 60), _members(8, "x" * 60)),
        (_members(9, "x" * 60), _members(8, "x" * 60)),
        (f"a=1,b={'x' * 200},c={'x' * 120},d={'x' * 200},e=2", f"a=1,c={'x' * 120},e=2"),
    ],
)
def test_tracestate_is_bounded_and_dropped_when_it_is_not_valid(given: str, kept: str | None) -> None:
    assert bounded_tracestate(given) == kept
    assert kept is None or len(kept) <= 512


@pytest.mark.parametrize(
    ("name", "root", "sampled", "unsampled"),
    [
        ("always_on", True, True, True),
        ("always_off", False, False, False),
        ("parentbased_always_on", True, True, False),
        ("parentbased_always_off", False, True, False),
    ],
)
def test_sampler_decides_by_the_caller_if_it_is_based_on_it(
    name: str, root: bool, sampled: bool, unsampled: bool
) -> None:
    decide = sampler(name, 0.5)
    assert [decide(TRACE_ID, flags) for flags in (None, "01", "00")] == [root, sampled, unsampled]


def test_ratio_takes_its_share_of_the_traces_and_the_same_in_each_service() -> None:
    ids = [f"{random.Random(seed).getrandbits(128):032x}" for seed in range(4_000)]
    tenth, half = sampler("traceidratio", 0.1), sampler("parentbased_traceidratio", 0.5)
    chosen = {each for each in ids if tenth(each, "00")}
    assert 300 < len(chosen) < 500
    assert chosen <= {each for each in ids if half(each, None)}
    assert [sampler("traceidratio", ratio)(ids[0], None) for ratio in (0.0, 1.0)] == [False, True]
