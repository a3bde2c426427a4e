"""Server-Sent Events: ``GET /stream``.

https://html.spec.whatwg.org/multipage/server-sent-events.html; the bytes of the stream come from ``push.encoding``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiohttp import HttpVersion11, web
from aiohttp_sse import EventSourceResponse

from service_common.auth import PRINCIPAL, Principal, scope_of
from service_common.http_server import quota_address

from ..notification import EARLIEST, EventId, Position, Selection
from ..push import END_OF_STREAM, Broadcaster, ByeReason, Framing, PushConnection, Subscription, subscribe, take_over
from .app_keys import BROADCASTER
from .schemas import filter_of

__all__ = ["stream"]

MAX_INBOUND_BYTES = 4096


async def stream(
    request: web.Request,
    *,
    customer: str | None,
    orders: Sequence[int],
    kinds: Sequence[str],
    after: Position | None,
    heartbeat_s: int | None,
) -> web.StreamResponse:
    """Notifications as they come, as Server-Sent Events."""
    if last_event_id := request.headers.get("Last-Event-ID"):
        after = EARLIEST if last_event_id == EARLIEST else EventId.parse(last_event_id, "/Last-Event-ID")
    wanted = Selection(scope_of(request, customer), filter_of(orders, kinds))
    broadcaster = request.app[BROADCASTER]
    address = quota_address(request)
    refusal, cursor = await broadcaster.admit(address, after)
    response = _response(age_s=broadcaster.limits.age_s)
    if refusal is not None:
        return await _refuse(request, response, broadcaster.refuse(Framing.SSE_UNCHUNKED, refusal))
    await response.prepare(request)
    async with response:
        if (transport := request.transport) is not None:
            framing = Framing.SSE if request.version >= HttpVersion11 else Framing.SSE_UNCHUNKED
            subscription = subscribe(framing, transport, wanted)
            connection = _SseConnection(broadcaster, transport, address, request[PRINCIPAL], subscription)
            take_over(request, connection)
            broadcaster.attach(connection, after, cursor, heartbeat_s)
    return response


class _SseConnection(PushConnection):
    """A client that only listens."""

    __slots__ = ("_broadcaster", "_inbound_bytes")

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
        self._inbound_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Ignore the data of a client, such as a pipelined request; abort a client that goes on sending."""
        self._inbound_bytes += len(data)
        if self._inbound_bytes > MAX_INBOUND_BYTES:
            self._broadcaster.abort(self, "flood")

    def close(self, _reason: ByeReason) -> None:
        if self.subscription.framing is Framing.SSE:
            self.transport.write(END_OF_STREAM)
        self.transport.close()


async def _refuse(request: web.Request, response: EventSourceResponse, frame: bytes) -> web.StreamResponse:
    # an EventSource gives up for good on any status but 200
    await response.prepare(request)
    async with response:
        await response.write(frame)
    return response


def _response(*, age_s: float) -> EventSourceResponse:
    # without its ping: Heartbeats sends one to all clients
    response = EventSourceResponse(ping_interval=2 * age_s, send_timeout=None)
    response.force_close()
    response.headers["Connection"] = "close"  # instead of aiohttp-sse's keep-alive: a client must not use it again
    return response
