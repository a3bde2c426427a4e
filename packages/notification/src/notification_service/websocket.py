"""WebSocket: ``GET /ws``.

RFC 6455; what goes over it is in ``encode``, written to the transport by the hub. aiohttp's response does the
handshake, reads what the client sends, and closes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from service_common.errors import ForbiddenError, InvalidError, MalformedError, UnavailableError

from . import encode, schemas
from .broadcaster import Broadcaster
from .caller import caller
from .encode import Framing
from .hub import Subscription
from .keys import ALLOWED_ORIGINS, BROADCASTER
from .limits import TokenBucket
from .peer import Peer

__all__ = ["OriginError", "websocket"]

MAX_MESSAGE_BYTES = 4096
CLOSE_LIMIT_S = 2.0
_FAULTS: Mapping[int | None, str] = {
    WSCloseCode.PROTOCOL_ERROR: "protocol-error",
    WSCloseCode.INVALID_TEXT: "invalid-text",
    WSCloseCode.MESSAGE_TOO_BIG: "too-big",
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
    refusal = broadcaster.admission.refusal(address)
    try:
        cursor = await broadcaster.locate(wish.after)
    except UnavailableError:
        refusal = "feed-away"
    # aiohttp takes a message for too long that is as long as its limit
    response = _Socket(timeout=CLOSE_LIMIT_S, autoping=False, compress=False, max_msg_size=MAX_MESSAGE_BYTES + 1)
    await response.prepare(request)
    transport = request.transport
    if refusal is not None or transport is None:
        broadcaster.meter.refused(refusal or "gone")
        await response.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"try again later")
        return response
    peer = Peer(transport, address, Subscription(Framing.WS, transport.write, wish.orders), listening=True)
    closing = _Closing(request, response)
    peer.leave = closing.begin
    response.closing = partial(broadcaster.mute, peer)
    broadcaster.attach(peer, wish.after, cursor)
    await _listen(response, broadcaster, peer)
    await closing.end()
    return response


class _Socket(web.WebSocketResponse):
    """Says when it closes, for whatever reason: no data frame may come after the close frame (RFC 6455, 5.5.1)."""

    closing: Callable[[], None] | None = None

    async def close(self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True) -> bool:
        if self.closing is not None:
            self.closing()
        return await super().close(code=code, message=message, drain=drain)


class _Closing:
    """The closing handshake of a connection that this side ends, beside the handler that reads."""

    __slots__ = ("_request", "_response", "_task")

    def __init__(self, request: web.Request, response: web.WebSocketResponse) -> None:
        self._request = request
        self._response = response
        self._task: asyncio.Task[bool] | None = None

    def begin(self) -> None:
        if self._request.transport is None:
            return
        # its drain is left out: the time limit of close() does not cover it
        close = self._response.close(code=WSCloseCode.SERVICE_RESTART, message=b"come back", drain=False)
        self._task = asyncio.get_running_loop().create_task(close)

    async def end(self) -> None:
        if self._task is not None:
            await self._task


def _check_origin(request: web.Request) -> None:
    # browsers let any page open a WebSocket anywhere and only say whose page it is (RFC 6455, 10.2); others send none
    origin = request.headers.get("Origin")
    allowed = request.app[ALLOWED_ORIGINS]
    if origin is not None and "*" not in allowed and origin not in allowed:
        raise OriginError(f"Pages of {origin} may not connect.")


async def _listen(response: web.WebSocketResponse, broadcaster: Broadcaster, peer: Peer) -> None:
    limits = broadcaster.limits
    patience = TokenBucket(limits.message_burst, limits.messages_per_s, time.monotonic())
    async for message in response:
        if message.type is WSMsgType.ERROR:  # aiohttp has closed already
            broadcaster.meter.closed(_FAULTS.get(getattr(message.data, "code", None), "broken"))
        elif not patience.take(time.monotonic()):
            broadcaster.meter.closed("flood")
            await response.close(code=WSCloseCode.POLICY_VIOLATION, message=b"too many messages", drain=False)
        elif message.type is WSMsgType.PING:
            await response.pong(message.data)
        elif message.type is not WSMsgType.PONG:
            _obey(message, broadcaster, peer)


def _obey(message: WSMessage, broadcaster: Broadcaster, peer: Peer) -> None:
    try:
        broadcaster.narrow(peer, _wanted(message))
    except (InvalidError, MalformedError) as error:
        broadcaster.meter.misunderstood()
        peer.subscription.write(encode.error(error.detail))


def _wanted(message: WSMessage) -> frozenset[int] | None:
    if message.type is not WSMsgType.TEXT:
        raise MalformedError("A message has to be text.")
    return schemas.subscribe(message.data)
