"""The connection of one push client, once HTTP has done its part, and what it says of itself: full, free, gone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from aiohttp import web

from .hub import Subscription

__all__ = ["Peer", "take_over"]


class Peer(asyncio.Protocol):
    """The protocol of a connection from the end of its response's headers on.

    Attributes:
        transport: the connection.
        address: the client's, for the limits.
        subscription: its place in the hub.
        paused_at: since when the transport wants no more, on the monotonic clock; None when it takes more.
        expires_at: when the connection is old enough to be ended.
        ending_at: when it was told to go; None before.
        cut: the reason it was aborted for; None when it was not.
        pumped: whether a pump serves it.
        slice: in which part of a sweep it is visited.
    """

    __slots__ = (
        "_lost",
        "_paused",
        "_waiter",
        "address",
        "cut",
        "ending_at",
        "expires_at",
        "paused_at",
        "pumped",
        "slice",
        "subscription",
        "transport",
    )

    def __init__(self, transport: asyncio.Transport, address: str, subscription: Subscription) -> None:
        self.transport = transport
        self.address = address
        self.subscription = subscription
        self.paused_at: float | None = None
        self.expires_at = 0.0
        self.ending_at: float | None = None
        self.cut: str | None = None
        self.pumped = False
        self.slice = 0
        self._waiter: asyncio.Future[None] | None = None

    def leave(self) -> None:
        """End the connection in order, after everything that was written."""
        raise NotImplementedError

    def attach(self, paused: Callable[[Peer], None], lost: Callable[[Peer], None]) -> None:
        """Say who is to be told when the transport wants a pause, and when it is lost."""
        self._paused, self._lost = paused, lost

    async def writable(self) -> None:
        """Return when the transport takes bytes, or is lost."""
        while self.paused_at is not None:
            if self._waiter is None:
                self._waiter = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._waiter)

    def pause_writing(self) -> None:
        """The transport has more than its high-water mark in hand."""
        self.paused_at = time.monotonic()
        self._paused(self)

    def resume_writing(self) -> None:
        """The transport got rid of enough."""
        self.paused_at = None
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        self._waiter = None

    def connection_lost(self, _exc: Exception | None) -> None:
        """There is no connection any more."""
        self.resume_writing()
        self._lost(self)


def take_over(request: web.Request, peer: Peer) -> None:
    """Make *peer* the protocol of the connection of *request*, whose response is prepared.

    aiohttp is told that the connection is lost, and lets go of all it keeps for one: the parser, the request, the task
    and the frames of its handler, together more than half of the memory of a connection. From here on the transport
    itself tells when it wants a pause, takes bytes again or is lost; aiohttp would not pass it on.
    """
    http, transport = request.protocol, peer.transport
    transport.set_protocol(peer)
    http.transport = None  # it would close it
    http.connection_lost(None)
    if not transport.is_reading():
        transport.resume_reading()
