"""Server-Sent Events: ``GET /stream``.

https://html.spec.whatwg.org/multipage/server-sent-events.html; what goes over it is in ``encode``.
"""

from __future__ import annotations

import asyncio

from aiohttp import HttpVersion11, web
from aiohttp_sse import EventSourceResponse

from ..push import END_OF_STREAM, Broadcaster, Framing, Peer, Subscription, bye, retry_ms, take_over
from . import schemas
from .app_keys import BROADCASTER
from .caller import caller

__all__ = ["stream"]

MAX_SAID_BYTES = 4096


async def stream(request: web.Request) -> web.StreamResponse:
    """``GET /stream``: notifications as they come, or from ``Last-Event-ID`` on."""
    wish = schemas.stream_request(request.query, request.headers.get("Last-Event-ID"))
    broadcaster = request.app[BROADCASTER]
    address = caller(request)
    refusal, cursor = await broadcaster.admit(address, wish.after)
    response = _response(request, age_s=broadcaster.limits.age_s)
    if refusal is not None:
        broadcaster.meter.refused(refusal)
        return await _send_away(request, response)
    await response.prepare(request)
    async with response:
        if (transport := request.transport) is not None:
            framing = Framing.SSE if request.version >= HttpVersion11 else Framing.SSE_UNCHUNKED
            peer = _SsePeer(broadcaster, transport, address, Subscription(framing, transport.write, wish.orders))
            take_over(request, peer)
            broadcaster.attach(peer, wish.after, cursor)
    return response


class _SsePeer(Peer):
    """A client that only listens."""

    __slots__ = ("_broadcaster", "_said_bytes")

    def __init__(
        self, broadcaster: Broadcaster, transport: asyncio.Transport, address: str, subscription: Subscription
    ) -> None:
        super().__init__(transport, address, subscription)
        self._broadcaster = broadcaster
        self._said_bytes = 0

    def data_received(self, data: bytes) -> None:
        """It has nothing to say: more than a mistaken request or two is there to keep us busy."""
        self._said_bytes += len(data)
        if self._said_bytes > MAX_SAID_BYTES:
            self._broadcaster.cut(self, "flood")

    def leave(self) -> None:
        if self.subscription.framing is Framing.SSE:
            self.transport.write(END_OF_STREAM)
        self.transport.close()


async def _send_away(request: web.Request, response: EventSourceResponse) -> web.StreamResponse:
    # an EventSource gives up for good on any status but 200
    await response.prepare(request)
    async with response:
        await response.write(bye(Framing.SSE_UNCHUNKED, retry_ms(full=True)))
    return response


def _response(request: web.Request, *, age_s: float) -> EventSourceResponse:
    # the hub has a heartbeat of its own, for all clients at once
    response = EventSourceResponse(ping_interval=2 * age_s, send_timeout=None)
    response.force_close()
    response.headers["Connection"] = "close" if request.version < HttpVersion11 else "keep-alive"
    return response
