"""WebSocket: ``GET /ws``.

RFC 6455; aiohttp does the handshake, ``inbound`` reads what the client says, what it gets is in ``encode``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from aiohttp import web

from service_common.errors import ForbiddenError, InvalidError, MalformedError

from ..push import (
    Broadcaster,
    Framing,
    Peer,
    Subscription,
    TokenBucket,
    close_frame,
    error_frame,
    pong_frame,
    take_over,
)
from . import schemas
from .app_keys import ALLOWED_ORIGINS, BROADCASTER
from .caller import caller
from .websocket_reader import Binary, Close, CloseCode, Inbound, Message, Ping, Text, ViolationError

__all__ = ["OriginError", "SocketPeer", "websocket"]

MAX_MESSAGE_BYTES = 4096
# a message that is not understood counts as so many: reading it and saying why is most of what a message can cost
NONSENSE_TOKENS = 5
REFUSAL_LIMIT_S = 2.0
_FAULTS: Mapping[CloseCode, str] = {
    CloseCode.PROTOCOL_ERROR: "protocol-error",
    CloseCode.INVALID_TEXT: "invalid-text",
    CloseCode.MESSAGE_TOO_BIG: "too-big",
    CloseCode.POLICY_VIOLATION: "flood",
}


class OriginError(ForbiddenError):
    """A page of another origin may not open this WebSocket."""

    slug = "origin"


async def websocket(request: web.Request) -> web.StreamResponse:
    """``GET /ws``: notifications as they come, or from ``lastEventId`` on."""
    _check_origin(request)
    wish = schemas.stream_request(request.query)
    broadcaster = request.app[BROADCASTER]
    address = caller(request)
    refusal, cursor = await broadcaster.admit(address, wish.after)
    response = _Handshake(timeout=REFUSAL_LIMIT_S, compress=False)
    await response.prepare(request)
    transport = request.transport
    if refusal is not None or transport is None:
        broadcaster.meter.refused(refusal or "gone")
        await response.close(code=CloseCode.TRY_AGAIN_LATER, message=b"try again later")
        return response
    peer = SocketPeer(broadcaster, transport, address, Subscription(Framing.WS, transport.write, wish.orders))
    take_over(request, peer)
    broadcaster.attach(peer, wish.after, cursor)
    return response


class _Handshake(web.WebSocketResponse):
    """Leaves the connection as it is when the handler is done: by then it is a peer's."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Write nothing."""


class SocketPeer(Peer):
    """A client that may say what it wants to hear, and is closed in order when it says what it may not.

    After a close frame of this side nothing but the client's is of interest; whoever does not answer it is cut by the
    sweep (RFC 6455, section 7.1.1: the server closes the connection, the client waits for that).
    """

    __slots__ = ("_broadcaster", "_deaf", "_inbound", "_patience")

    def __init__(
        self, broadcaster: Broadcaster, transport: asyncio.Transport, address: str, subscription: Subscription
    ) -> None:
        super().__init__(transport, address, subscription)
        limits = broadcaster.limits
        self._broadcaster = broadcaster
        self._inbound = Inbound(MAX_MESSAGE_BYTES)
        self._patience = TokenBucket(limits.message_burst, limits.messages_per_s, time.monotonic())
        self._deaf = False

    def data_received(self, data: bytes) -> None:
        """Do what the client says."""
        if self._deaf:
            return
        try:
            for message in self._inbound.feed(data):
                self._obey(message)
        except ViolationError as violation:
            self._fail(violation)

    def leave(self) -> None:
        """Close; the client answers."""
        self.transport.write(close_frame(CloseCode.SERVICE_RESTART, "come back"))

    def _obey(self, message: Message) -> None:
        self._spend(1)
        if isinstance(message, Ping):
            self._answer(message)
        elif isinstance(message, Close):
            self._close(message)
        elif isinstance(message, Text | Binary) and self.ending_at is None:
            self._subscribe(message)

    def _spend(self, tokens: int) -> None:
        if not self._patience.take(time.monotonic(), tokens):
            raise ViolationError(CloseCode.POLICY_VIOLATION, "too many messages")

    def _subscribe(self, message: Text | Binary) -> None:
        try:
            self._broadcaster.narrow(self, _wanted(message))
        except (InvalidError, MalformedError) as error:
            self._spend(NONSENSE_TOKENS - 1)
            self._broadcaster.meter.misunderstood()
            self.transport.write(error_frame(error.detail))

    def _answer(self, ping: Ping) -> None:
        # whoever does not read gets none: the answers would only pile up
        if self.ending_at is None and self.paused_at is None:
            self.transport.write(pong_frame(ping.data))

    def _close(self, theirs: Close) -> None:
        self._deaf = True
        if self.ending_at is None:
            self._broadcaster.mute(self)
            self.transport.write(close_frame(theirs.code))
        self.transport.close()

    def _fail(self, violation: ViolationError) -> None:
        self._deaf = True
        self._broadcaster.meter.closed(_FAULTS[violation.code])
        if self.ending_at is None:
            self._broadcaster.mute(self)
            self.transport.write(close_frame(violation.code, violation.reason))
        # what it said and nobody reads would turn an ordinary end into a reset, which can overtake the close frame
        self.transport.write_eof()


def _wanted(message: Text | Binary) -> frozenset[int] | None:
    if isinstance(message, Binary):
        raise MalformedError("A message has to be text.")
    return schemas.subscribe(message.text)


def _check_origin(request: web.Request) -> None:
    # browsers let any page open a WebSocket anywhere and only say whose page it is (RFC 6455, 10.2); others send none
    origin = request.headers.get("Origin")
    allowed = request.app[ALLOWED_ORIGINS]
    if origin is not None and "*" not in allowed and origin not in allowed:
        raise OriginError(f"Pages of {origin} may not connect.")
