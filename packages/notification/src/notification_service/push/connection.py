"""The connection of a push client after the HTTP handshake."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from aiohttp import web

from service_common.auth import Principal

from ..notification import Selection
from .encoding import ByeReason, Framing
from .hub import Subscription

__all__ = ["PushConnection", "subscribe", "take_over"]


class PushConnection(asyncio.Protocol):
    """The asyncio protocol of a connection once the headers of its response are sent.

    Attributes:
        transport: the transport.
        address: what the connection counts against, for the limits.
        principal: who connected.
        subscription: its subscription in the hub.
        paused_at: since when the transport is paused, on the monotonic clock; None while it is not.
        expires_at: when the connection reaches its maximum age.
        expiry: ends it when the token of its principal expires; None when it ends before by its age.
        closing_at: when the server began to close it; None before.
        abort_reason: why it was aborted; None when it was not.
        catching_up: whether a catch-up task serves it.
        slice: the heartbeat slice it belongs to.
        heartbeat_ticks: from one heartbeat to the next, in ticks.
    """

    __slots__ = (
        "_on_lost",
        "_on_paused",
        "_waiter",
        "abort_reason",
        "address",
        "catching_up",
        "closing_at",
        "expires_at",
        "expiry",
        "heartbeat_ticks",
        "paused_at",
        "principal",
        "slice",
        "subscription",
        "transport",
    )

    def __init__(
        self, transport: asyncio.Transport, address: str, principal: Principal, subscription: Subscription
    ) -> None:
        self.transport = transport
        self.address = address
        self.principal = principal
        self.subscription = subscription
        self.paused_at: float | None = None
        self.expires_at = 0.0
        self.expiry: asyncio.TimerHandle | None = None
        self.closing_at: float | None = None
        self.abort_reason: str | None = None
        self.catching_up = False
        self.slice = 0
        self.heartbeat_ticks = 1
        self._waiter: asyncio.Future[None] | None = None

    def close(self, reason: ByeReason) -> None:
        """Close the connection after everything that was written, the last of it being the bye with *reason*."""
        raise NotImplementedError

    def attach(self, on_paused: Callable[[PushConnection], None], on_lost: Callable[[PushConnection], None]) -> None:
        """Set the callbacks for a paused transport and a lost connection."""
        self._on_paused, self._on_lost = on_paused, on_lost

    async def writable(self) -> None:
        """Return when the transport is not paused, or the connection is lost."""
        while self.paused_at is not None:
            if self._waiter is None:
                self._waiter = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._waiter)

    def pause_writing(self) -> None:
        """The buffer of the transport is above its high-water mark."""
        self.paused_at = time.monotonic()
        self._on_paused(self)

    def resume_writing(self) -> None:
        """The buffer of the transport is below its low-water mark."""
        self.paused_at = None
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        self._waiter = None

    def connection_lost(self, _exc: Exception | None) -> None:
        """The connection is closed."""
        self.resume_writing()
        if self.expiry is not None:
            self.expiry.cancel()
        self._on_lost(self)


def subscribe(framing: Framing, transport: asyncio.Transport, wanted: Selection) -> Subscription:
    """Return a subscription that is written to *transport*; its socket can be written to until it is lost."""
    # asyncio and uvloop close a socket after `connection_lost`, which ends the subscription
    socket = transport.get_extra_info("socket")
    plain = socket is not None and transport.get_extra_info("sslcontext") is None
    number = socket.fileno() if plain else -1
    return Subscription(framing, transport, wanted, number)


def take_over(request: web.Request, connection: PushConnection) -> None:
    """Make *connection* the protocol of the transport of *request*, whose response is prepared.

    aiohttp is told that the connection is lost, and frees what it keeps for one: the parser, the request, the task and
    the frames of its handler, together more than half of the memory of a connection. From here on the transport calls
    `pause_writing`, `resume_writing` and `connection_lost` directly; aiohttp would not pass them on.
    """
    http, transport = request.protocol, connection.transport
    transport.set_protocol(connection)
    http.transport = None  # otherwise aiohttp closes it
    http.connection_lost(None)
    if not transport.is_reading():
        transport.resume_reading()
