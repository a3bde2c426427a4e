"""The transport of one push client, and what it says of itself: full, free, gone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from .hub import Subscription

__all__ = ["Peer"]


class Peer(asyncio.Protocol):
    """Stands between the transport and aiohttp's protocol, from the response's headers on.

    aiohttp does not tell a handler when the transport wants a pause, takes bytes again or is lost: its flag has to be
    asked for at each write, its drain has one waiter whose cancellation hurts others, and with ``handler_cancellation``
    off a handler outlives its client. Here these are calls; everything still reaches aiohttp's protocol as well.

    Attributes:
        address: the peer's, for the limits.
        subscription: its place in the hub.
        leave: ends the handler in order; set by it.
        paused_at: since when the transport wants no more, on the monotonic clock; None when it takes more.
        expires_at: when the connection is old enough to be ended.
        ending_at: when it was told to go; None before.
        cut: the reason it was aborted for; None when it was not.
        pumped: whether a pump serves it.
        slice: in which part of a sweep it is visited.
    """

    __slots__ = (
        "_inner",
        "_listening",
        "_lost",
        "_paused",
        "_waiter",
        "address",
        "cut",
        "ending_at",
        "expires_at",
        "leave",
        "paused_at",
        "pumped",
        "slice",
        "subscription",
        "transport",
    )

    def __init__(
        self, transport: asyncio.Transport, address: str, subscription: Subscription, *, listening: bool
    ) -> None:
        """Wrap *transport*; *listening* says whether what the peer sends is of interest."""
        self.transport = transport
        self.address = address
        self.subscription = subscription
        self.leave: Callable[[], None] = transport.abort
        self.paused_at: float | None = None
        self.expires_at = 0.0
        self.ending_at: float | None = None
        self.cut: str | None = None
        self.pumped = False
        self.slice = 0
        self._listening = listening
        self._inner: asyncio.Protocol | None = None
        self._waiter: asyncio.Future[None] | None = None

    def attach(self, paused: Callable[[Peer], None], lost: Callable[[Peer], None]) -> None:
        """Hear from the transport from now on; *paused* and *lost* are called when it is."""
        inner = self.transport.get_protocol()
        assert isinstance(inner, asyncio.Protocol)
        self._inner, self._paused, self._lost = inner, paused, lost
        self.transport.set_protocol(self)

    async def writable(self) -> None:
        """Return when the transport takes bytes, or is lost."""
        while self.paused_at is not None:
            if self._waiter is None:
                self._waiter = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._waiter)

    def pause_writing(self) -> None:
        """The transport has more than its high-water mark in hand."""
        self.paused_at = time.monotonic()
        if self._inner is not None:
            self._inner.pause_writing()
        self._paused(self)

    def resume_writing(self) -> None:
        """The transport got rid of enough."""
        if self._inner is not None:
            self._inner.resume_writing()
        self._free()

    def data_received(self, data: bytes) -> None:
        """The peer said something."""
        if self._listening and self._inner is not None:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """The peer says no more."""
        return None if self._inner is None else self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """There is no connection any more."""
        if self._inner is not None:
            self._inner.connection_lost(exc)
            self._inner = None
        self._free()
        self._lost(self)

    def _free(self) -> None:
        self.paused_at = None
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        self._waiter = None
