from __future__ import annotations

import asyncio

import pytest

from service_common.observability import TraceContext, current_trace, tracing

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"


def test_trace_is_continued_with_a_span_of_its_own() -> None:
    context = TraceContext.parse(PARENT)
    assert context.trace_id == TRACE_ID
    assert context.span_id != "00f067aa0ba902b7"
    assert context.traceparent == f"00-{TRACE_ID}-{context.span_id}-01"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "garbage",
        f"ff-{TRACE_ID}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00-{TRACE_ID.upper()}-00f067aa0ba902b7-01",
        PARENT + "\n",
        PARENT + "-",
        PARENT + "-what-comes-next",
    ],
)
def test_invalid_header_begins_a_new_trace(header: str | None) -> None:
    context = TraceContext.parse(header)
    assert context.trace_id != TRACE_ID
    assert TraceContext.parse(context.traceparent).trace_id == context.trace_id


def test_later_version_that_appends_is_continued() -> None:
    assert TraceContext.parse(f"01-{TRACE_ID}-00f067aa0ba902b7-01-what-comes-next").trace_id == TRACE_ID


def test_trace_ends_with_its_block() -> None:
    with tracing(PARENT) as context:
        assert current_trace() is context
    assert current_trace() is None


async def test_task_inherits_the_trace_and_siblings_do_not_share_it() -> None:
    async def trace_id() -> str:
        await asyncio.sleep(0)
        context = current_trace()
        assert context is not None
        return context.trace_id

    async def traced() -> tuple[str, str]:
        with tracing(None) as context:
            return context.trace_id, await trace_id()

    first, second = await asyncio.gather(traced(), traced())
    assert first[0] == first[1]
    assert second[0] == second[1]
    assert first[0] != second[0]
