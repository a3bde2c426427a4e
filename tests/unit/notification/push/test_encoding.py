from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest

from notification_service.notification import EventId, Notification
from notification_service.push import ByeReason, Framing, encoding
from order_contracts import EventType

POSITION = EventId("e", 7)
WELCOME: Any = {
    "position": POSITION,
    "head": EventId("e", 9),
    "resumed": True,
    "retry_ms": 5,
    "heartbeat_ms": 15_000,
}
CLOSED = Notification(
    7, EventType.ORDER_PROCESSED, 12, 2, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "t" * 32, customer_id="alice"
)


def text_of_frame(frame: bytes) -> bytes:
    """Parse an unmasked text frame as RFC 6455 says."""
    assert frame[0] == 0x81
    length, start = frame[1], 2
    if length == 126:
        length, start = int.from_bytes(frame[2:4], "big"), 4
    elif length == 127:
        length, start = int.from_bytes(frame[2:10], "big"), 10
    assert len(frame) == start + length
    return frame[start:]


def text_of_chunk(chunk: bytes) -> bytes:
    size, _, rest = chunk.partition(b"\r\n")
    assert rest.endswith(b"\r\n")
    assert len(rest) == int(size, 16) + 2
    return rest[:-2]


def test_payload_is_the_document_of_the_contract() -> None:
    assert encoding.payload(CLOSED, "e") == {
        "id": "e-7",
        "type": "order-processed",
        "kind": "CLOSED",
        "orderId": 12,
        "customerId": "alice",
        "version": 2,
        "message": "Notification CLOSED for order 12",
        "occurredAt": "2026-01-02T03:04:05.000000Z",
        "traceId": "t" * 32,
    }


def test_appended_and_read_notification_have_the_same_bytes() -> None:
    read = replace(CLOSED, recorded_at=datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC))
    assert encoding.encode(read, "e") == encoding.encode(CLOSED, "e")


def test_time_is_converted_to_utc() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=2)))
    notification = Notification(1, EventType.ORDER_CREATED, 1, 1, moment)
    assert encoding.payload(notification, "e")["occurredAt"] == "2026-01-02T01:04:05.000006Z"


def test_every_framing_carries_the_same_document() -> None:
    entry = encoding.encode(CLOSED, "e")
    document = encoding.payload(CLOSED, "e")
    assert orjson.loads(text_of_frame(entry.ws)) == {"type": "event", "id": "e-7", "data": document}
    sse = text_of_chunk(entry.sse)
    assert sse == b"id: e-7\ndata: %s\n\n" % orjson.dumps(document)
    assert encoding.join([entry], Framing.SSE_UNCHUNKED) == sse


def test_join_concatenates_frames_and_copies_none_for_one_entry() -> None:
    entry = encoding.encode(CLOSED, "e")
    assert encoding.join([entry, entry], Framing.WS) == 2 * entry.ws
    assert encoding.join([entry, entry], Framing.SSE) == 2 * entry.sse
    assert encoding.join([entry], Framing.WS) is entry.ws


@pytest.mark.parametrize("size", [0, 80, 200, 70_000])
def test_frame_length_has_the_shortest_form(size: int) -> None:
    assert orjson.loads(text_of_frame(encoding.error_frame("x" * size))) == {"type": "error", "detail": "x" * size}


def test_control_frames_of_the_event_stream() -> None:
    unchunked = Framing.SSE_UNCHUNKED
    welcome = encoding.welcome_frame(unchunked, **WELCOME)
    assert welcome == (
        b"retry: 5\nevent: welcome\nid: e-7\n"
        b'data: {"type":"welcome","id":"e-7","head":"e-9","resumed":true,"heartbeatMs":15000}\n\n'
    )
    heartbeat = encoding.heartbeat_frame(unchunked, POSITION)
    assert heartbeat == b'event: heartbeat\nid: e-7\ndata: {"type":"heartbeat","id":"e-7"}\n\n'
    delayed = encoding.heartbeat_frame(unchunked, POSITION, 9_000)
    assert delayed == b'event: heartbeat\nid: e-7\ndata: {"type":"heartbeat","id":"e-7","delayedMs":9000}\n\n'
    assert encoding.reset_frame(unchunked, POSITION) == b'event: reset\nid: e-7\ndata: {"type":"reset","id":"e-7"}\n\n'
    bye = b'retry: 1234\nevent: bye\ndata: {"type":"bye","reason":"age","retryMs":1234}\n\n'
    assert encoding.bye_frame(unchunked, ByeReason.AGE, 1234) == bye
    assert text_of_chunk(encoding.bye_frame(Framing.SSE, ByeReason.AGE, 1234)) == bye


def test_control_frames_of_the_websocket() -> None:
    def document(frame: bytes) -> object:
        return orjson.loads(text_of_frame(frame))

    welcome = encoding.welcome_frame(Framing.WS, **WELCOME)
    assert document(welcome) == {"type": "welcome", "id": "e-7", "head": "e-9", "resumed": True, "heartbeatMs": 15_000}
    assert document(encoding.heartbeat_frame(Framing.WS, POSITION)) == {"type": "heartbeat", "id": "e-7"}
    delayed = encoding.heartbeat_frame(Framing.WS, POSITION, 9_000)
    assert document(delayed) == {"type": "heartbeat", "id": "e-7", "delayedMs": 9_000}
    assert document(encoding.welcome_frame(Framing.WS, **WELCOME, delayed_ms=9_000)) == {
        **orjson.loads(text_of_frame(welcome)),
        "delayedMs": 9_000,
    }
    assert document(encoding.reset_frame(Framing.WS, POSITION)) == {"type": "reset", "id": "e-7"}
    bye = encoding.bye_frame(Framing.WS, ByeReason.FULL, 1234)
    assert document(bye) == {"type": "bye", "reason": "full", "retryMs": 1234}


def test_line_breaks_in_a_reason_are_escaped_in_the_event_stream() -> None:
    failed = Notification(1, EventType.ORDER_FAILED, 1, 1, CLOSED.occurred_at, None, "a\n\ndata: b\r\n\u2028")
    sse = text_of_chunk(encoding.encode(failed, "e").sse)
    assert sse.count(b"\n") == 3
    assert b"\r" not in sse


@pytest.mark.parametrize(
    "notification",
    [CLOSED, replace(CLOSED, traceparent="00-1-2-01", reason="Two lines:\n\n and \u2603", customer_id="a b")],
)
def test_other_replicas_send_the_same_bytes(notification: Notification) -> None:
    entry = encoding.encode(notification, "e")
    record = encoding.record_of(entry)
    assert b"\n" not in record
    assert encoding.entry_of(record) == entry


@pytest.mark.parametrize(
    "record", [b"", b"-", b"- {", b"- 7", b"- {}", b'- {"id":7}', b'- {"id":"e"}', b'- {"id":"e-7"}']
)
def test_what_is_no_record_is_an_error(record: bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        encoding.entry_of(record)
