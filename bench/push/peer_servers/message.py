"""The message that every peer pushes: what the notification service pushes, but for line ends and ids of their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

import orjson

from notification_service.notification import Notification
from notification_service.push import Framing, payload
from notification_service.push.encoding import encode, join
from order_contracts import EventType

__all__ = ["FIRST", "NUMBER_AFTER", "Text", "data", "event_id", "sse_block", "ws_text"]

Text: TypeAlias = Callable[[int], str]

FIRST = 1_000_001  # of seven digits, as are those that follow, so that all messages are of one size
NUMBER_AFTER = b'"orderId":'

_EPOCH = "6921a3f0c41d"
_TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
_FRAME_HEADER_BYTES = 4  # of a text of 126 to 65,535 bytes: RFC 6455 section 5.2


def event_id(number: int) -> str:
    """Return the place of the message in the stream."""
    return f"{_EPOCH}-{number}"


def data(number: int) -> str:
    """Return the message alone, for servers that put it into an event themselves."""
    return orjson.dumps(payload(_notification(number), _EPOCH)).decode()


def sse_block(number: int) -> bytes:
    """Return the message as a whole SSE event."""
    return join([encode(_notification(number), _EPOCH)], Framing.SSE_UNCHUNKED)


def ws_text(number: int) -> str:
    """Return the message as the text of a WebSocket frame."""
    return encode(_notification(number), _EPOCH).ws[_FRAME_HEADER_BYTES:].decode()


def _notification(number: int) -> Notification:
    return Notification(number, EventType.ORDER_CREATED, number, 1, datetime.now(UTC), _TRACE_ID)
