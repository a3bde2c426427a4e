"""Everything a push client receives, as bytes for SSE and WebSocket. Pure.

SSE: https://html.spec.whatwg.org/multipage/server-sent-events.html, chunks: RFC 9112 section 7.1,
WebSocket frames: RFC 6455 section 5.2 (a server does not mask).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, StrEnum
from typing import Any

import orjson

from service_common.timestamps import rfc3339

from ..notification import EventId, Notification
from .replay_buffer import Entry

__all__ = [
    "END_OF_STREAM",
    "ByeReason",
    "Framing",
    "bye_frame",
    "close_frame",
    "encode",
    "entry_of",
    "error_frame",
    "heartbeat_frame",
    "join",
    "payload",
    "pong_frame",
    "record_of",
    "reset_frame",
    "welcome_frame",
]

# the last chunk of a chunked HTTP/1.1 body
END_OF_STREAM = b"0\r\n\r\n"

# around the document in an event of one chunk
_DATA, _END = b"\ndata: ", b"\n\n\r\n"

# FIN and the opcode
_TEXT_FRAME, _CLOSE_FRAME, _PONG_FRAME = 0x81, 0x88, 0x8A


class Framing(Enum):
    """The protocol of a connection; the value is its name in metrics."""

    SSE = "sse"
    SSE_UNCHUNKED = "sse-http10"
    WS = "ws"


class ByeReason(StrEnum):
    """Why the server ends a connection, or refuses it."""

    AGE = "age"
    DISCONNECTED = "disconnected"
    DRAIN = "drain"
    FULL = "full"
    TOKEN_EXPIRED = "token-expired"  # noqa: S105 - no token
    UNAVAILABLE = "unavailable"


def payload(notification: Notification, epoch: str) -> dict[str, Any]:
    """Return the JSON document of a notification."""
    document = {
        "id": f"{epoch}-{notification.seq}",
        "type": notification.type.value,
        "kind": notification.kind,
        "orderId": notification.order_id,
        "customerId": notification.customer_id,
        "version": notification.version,
        "message": notification.message,
        "occurredAt": rfc3339(notification.occurred_at),
        "traceId": notification.trace_id,
    }
    if notification.reason is not None:
        document["reason"] = notification.reason
    return document


def encode(notification: Notification, epoch: str) -> Entry:
    """Encode a notification for both protocols, once for all clients."""
    document = payload(notification, epoch)
    return _entry(notification.seq, document, orjson.dumps(document), notification.traceparent)


def record_of(entry: Entry) -> bytes:
    """Return *entry* as one line, for other replicas: its trace context, or ``-``, and its JSON document."""
    data = entry.sse[entry.sse.index(_DATA) + len(_DATA) : -len(_END)]
    return b"%s %s" % ((entry.traceparent or "-").encode(), data)


def entry_of(record: bytes) -> Entry:
    """Return the entry of a *record* of another replica.

    Raises:
        ValueError: it is not one.
    """
    traceparent, _, data = record.partition(b" ")
    document = orjson.loads(data)
    try:
        seq = int(document["id"].rpartition("-")[2])
        return _entry(seq, document, data, None if traceparent == b"-" else traceparent.decode())
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a notification: {record[:100]!r}") from error


def _entry(seq: int, document: Mapping[str, Any], data: bytes, traceparent: str | None) -> Entry:
    event_id = document["id"].encode()
    return Entry(
        seq,
        document["orderId"],
        document["customerId"],
        document["kind"],
        _chunk(b"id: %s%s%s\n\n" % (event_id, _DATA, data)),
        _ws_frame(b'{"type":"event","id":"%s","data":%s}' % (event_id, data)),
        traceparent,
    )


def join(entries: Sequence[Entry], framing: Framing) -> bytes:
    """Join *entries* into the bytes of one write."""
    if framing is Framing.SSE:
        return entries[0].sse if len(entries) == 1 else b"".join([entry.sse for entry in entries])
    if framing is Framing.WS:
        return entries[0].ws if len(entries) == 1 else b"".join([entry.ws for entry in entries])
    return b"".join([_unchunked(entry.sse) for entry in entries])


def welcome_frame(
    framing: Framing,
    *,
    position: EventId,
    head: EventId,
    resumed: bool,
    retry_ms: int,
    heartbeat_ms: int,
    delayed_ms: int | None = None,
) -> bytes:
    """Encode the first frame of a connection.

    It has the position to resume from, the time from one heartbeat to the next, for SSE the reconnect delay, and what
    a heartbeat has of *delayed_ms*.
    """
    document = {
        "type": "welcome",
        "id": str(position),
        "head": str(head),
        "resumed": resumed,
        "heartbeatMs": heartbeat_ms,
        **_delay(delayed_ms),
    }
    return _control_frame(framing, document, retry_ms)


def heartbeat_frame(framing: Framing, position: EventId, delayed_ms: int | None = None) -> bytes:
    """Encode a heartbeat: it moves the client's last event id, and says for how long the feed can't be read."""
    return _control_frame(framing, {"type": "heartbeat", "id": str(position), **_delay(delayed_ms)})


def reset_frame(framing: Framing, position: EventId) -> bytes:
    """Encode a reset: events may be missing, and the client has to read the history up to *position*."""
    return _control_frame(framing, {"type": "reset", "id": str(position)})


def bye_frame(framing: Framing, reason: ByeReason, retry_ms: int) -> bytes:
    """Encode the last frame of a connection: why it ends, and the request to reconnect after *retry_ms*."""
    return _control_frame(framing, {"type": "bye", "reason": reason.value, "retryMs": retry_ms}, retry_ms)


def error_frame(detail: str) -> bytes:
    """Encode the answer to an invalid WebSocket message."""
    return _json_frame({"type": "error", "detail": detail})


def close_frame(code: int | None, reason: str = "") -> bytes:
    """Encode a WebSocket close frame; *code* is None in the answer to one without a code."""
    return _ws_frame(b"" if code is None else code.to_bytes(2, "big") + reason.encode(), _CLOSE_FRAME)


def pong_frame(data: bytes) -> bytes:
    """Encode the answer to a ping with *data*."""
    return _ws_frame(data, _PONG_FRAME)


def _delay(delayed_ms: int | None) -> dict[str, int]:
    return {} if delayed_ms is None else {"delayedMs": delayed_ms}


def _json_frame(document: dict[str, Any]) -> bytes:
    return _ws_frame(orjson.dumps(document))


def _ws_frame(payload: bytes, first_byte: int = _TEXT_FRAME) -> bytes:
    size = len(payload)
    if size < 126:
        return b"%c%c%s" % (first_byte, size, payload)
    if size < 1 << 16:
        return b"%c\x7e%s%s" % (first_byte, size.to_bytes(2, "big"), payload)
    return b"%c\x7f%s%s" % (first_byte, size.to_bytes(8, "big"), payload)


def _control_frame(framing: Framing, document: dict[str, Any], retry_ms: int | None = None) -> bytes:
    """Encode a frame without a notification: the same document in both protocols.

    In SSE it is a named event with data, because clients differ in what they make of a block without any: some call
    the handler of messages with empty data, others don't learn its id.
    """
    if framing is Framing.WS:
        return _json_frame(document)
    lines = [f"event: {document['type']}", f"data: {orjson.dumps(document).decode()}"]
    if "id" in document:
        lines.insert(1, f"id: {document['id']}")
    if retry_ms is not None:
        lines.insert(0, f"retry: {retry_ms}")
    block = "\n".join((*lines, "", "")).encode()
    return _chunk(block) if framing is Framing.SSE else block


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _unchunked(chunk: bytes) -> bytes:
    return chunk[chunk.index(b"\r\n") + 2 : -2]
