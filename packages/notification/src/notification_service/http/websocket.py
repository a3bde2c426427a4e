"""WebSocket: ``GET /ws``.

RFC 6455. aiohttp does the handshake, ``websocket_reader`` parses inbound frames, ``push.encoding`` makes outbound ones.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web

from service_common.auth import PRINCIPAL, Principal, check_origin, scope_of
from service_common.errors import InvalidError, MalformedError
from service_common.http_server import quota_address

from ..notification import NotificationFilter, Position, Selection
from ..push import (
    Broadcaster,
    ByeReason,
    Framing,
    PushConnection,
    Subscription,
    TokenBucket,
    close_frame,
    error_frame,
    pong_frame,
    subscribe,
    take_over,
)
from . import schemas
from .app_keys import BROADCASTER
from .websocket_reader import (
    BinaryMessage,
    ClientFrame,
    CloseCode,
    CloseFrame,
    PingFrame,
    TextMessage,
    WebSocketReader,
    WebSocketViolationError,
)

__all__ = ["WebSocketConnection", "websocket"]

MAX_MESSAGE_BYTES = 4096
# tokens of the rate limit: an invalid message costs the most, to parse it and to say what is wrong
INVALID_MESSAGE_COST = 5
REFUSAL_LIMIT_S = 2.0
_VERSION = "13"
_CLOSE_REASONS: Mapping[CloseCode, str] = {
    CloseCode.PROTOCOL_ERROR: "protocol-error",
    CloseCode.INVALID_TEXT: "invalid-text",
    CloseCode.MESSAGE_TOO_BIG: "too-big",
    CloseCode.POLICY_VIOLATION: "flood",
}
_BYE_CODES: Mapping[ByeReason, CloseCode] = {
    ByeReason.TOKEN_EXPIRED: CloseCode.TOKEN_EXPIRED,
    ByeReason.DISCONNECTED: CloseCode.DISCONNECTED,
}


async def websocket(
    request: web.Request,
    *,
    customer: str | None,
    orders: Sequence[int],
    kinds: Sequence[str],
    after: Position | None,
    heartbeat_s: int | None,
) -> web.StreamResponse:
    """Notifications as they come, over a WebSocket."""
    check_origin(request)
    _check_version(request)
    wanted = Selection(scope_of(request, customer), schemas.filter_of(orders, kinds))
    if request.headers.get("Upgrade", "").strip().lower() != "websocket":
        raise MalformedError("This path is for a WebSocket: the header Upgrade has to be websocket.")
    broadcaster = request.app[BROADCASTER]
    address = quota_address(request)
    refusal, cursor = await broadcaster.admit(address, after)
    response = _Handshake(timeout=REFUSAL_LIMIT_S, compress=False)
    await response.prepare(request)
    transport = request.transport
    if transport is None:
        broadcaster.counters.refused("gone")
        return response
    if refusal is not None:
        transport.write(broadcaster.refuse(Framing.WS, refusal))
        await response.close(code=CloseCode.TRY_AGAIN_LATER, message=b"try again later")
        return response
    subscription = subscribe(Framing.WS, transport, wanted)
    connection = WebSocketConnection(broadcaster, transport, address, request[PRINCIPAL], subscription)
    take_over(request, connection)
    broadcaster.attach(connection, after, cursor, heartbeat_s)
    return response


class _Handshake(web.WebSocketResponse):
    """Leaves the connection open when the handler returns: a `WebSocketConnection` has taken it over."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Write nothing."""


@dataclass(slots=True)
class _Inbound:
    """What is kept of a client that sends something."""

    rate_limit: TokenBucket
    reader: WebSocketReader = field(default_factory=lambda: WebSocketReader(MAX_MESSAGE_BYTES))


class WebSocketConnection(PushConnection):
    """A client that may change its filter, and is closed when it breaks the protocol or a limit.

    After the server's close frame only the client's is awaited; `Heartbeats` aborts a connection whose client does not
    send it (RFC 6455, section 7.1.1: the server closes the connection, the client waits for that).
    """

    __slots__ = ("_broadcaster", "_closing", "_inbound")

    def __init__(
        self,
        broadcaster: Broadcaster,
        transport: asyncio.Transport,
        address: str,
        principal: Principal,
        subscription: Subscription,
    ) -> None:
        super().__init__(transport, address, principal, subscription)
        self._broadcaster = broadcaster
        self._inbound: _Inbound | None = None  # most clients only listen
        self._closing = False

    def data_received(self, data: bytes) -> None:
        """Handle the frames that *data* completes."""
        if self._closing:
            return
        answers: list[bytes] = []  # in one write, however many frames were sent at once
        close = None
        try:
            for frame in self._sender().reader.feed(data):
                self._consume_tokens(1)
                if isinstance(frame, CloseFrame):
                    close = partial(self._answer_close, frame)
                else:
                    answers += self._answer(frame)
        except WebSocketViolationError as violation:
            # not the exception: it refers to this frame, and only the garbage collector would free both
            close = partial(self._fail, violation.code, violation.reason)
        if answers:
            self.subscription.write(b"".join(answers))
        if close is not None:
            close()

    def close(self, reason: ByeReason) -> None:
        """Send a close frame; the client answers it."""
        self.transport.write(close_frame(_BYE_CODES.get(reason, CloseCode.SERVICE_RESTART), reason.value))

    def _answer(self, frame: ClientFrame) -> Iterator[bytes]:
        if self.closing_at is not None:
            return
        # a client that does not read gets no pongs: they would pile up in the buffer
        if isinstance(frame, PingFrame) and self.paused_at is None:
            yield pong_frame(frame.data)
        elif isinstance(frame, TextMessage | BinaryMessage):
            yield self._handle_message(frame)

    def _sender(self) -> _Inbound:
        if self._inbound is None:
            limits = self._broadcaster.limits
            self._inbound = _Inbound(TokenBucket(limits.message_burst, limits.messages_per_s, time.monotonic()))
        return self._inbound

    def _consume_tokens(self, tokens: int) -> None:
        if not self._sender().rate_limit.take(time.monotonic(), tokens):
            raise WebSocketViolationError(CloseCode.POLICY_VIOLATION, "too many messages")

    def _handle_message(self, message: TextMessage | BinaryMessage) -> bytes:
        try:
            return self._broadcaster.change_filter(self, _filter_in(message))
        except (InvalidError, MalformedError) as error:
            self._consume_tokens(INVALID_MESSAGE_COST - 1)
            self._broadcaster.counters.invalid_message()
            return error_frame(error.detail)

    def _answer_close(self, frame: CloseFrame) -> None:
        self._closing = True
        if self.closing_at is None:
            self._broadcaster.stop_delivery(self)
            self.transport.write(close_frame(frame.code))
        self.transport.close()

    def _fail(self, code: CloseCode, reason: str) -> None:
        self._closing = True
        self._broadcaster.counters.closed(_CLOSE_REASONS[code])
        if self.closing_at is None:
            self._broadcaster.stop_delivery(self)
            self.transport.write(close_frame(code, reason))
        # not close(): unread inbound data would make it a TCP reset, which can overtake the close frame
        self.transport.write_eof()


def _filter_in(message: TextMessage | BinaryMessage) -> NotificationFilter:
    if isinstance(message, BinaryMessage):
        raise MalformedError("A message has to be text.")
    return schemas.subscribe(message.text)


def _check_version(request: web.Request) -> None:
    # RFC 6455, 4.4; aiohttp refuses other versions without saying which it takes
    version = request.headers.get("Sec-WebSocket-Version", _VERSION)
    if version.strip() != _VERSION:
        raise web.HTTPUpgradeRequired(
            text=f"The WebSocket has to be of version {_VERSION}, not {version}.",
            headers={"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": _VERSION},
        )
