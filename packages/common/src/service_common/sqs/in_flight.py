"""In-flight messages, their receipt handles, and the limit on how many there may be."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from .messages import Message, Received

__all__ = ["ConcurrencyLimit", "InFlightMessage", "InFlightMessages"]


RECENT_SHARE = 0.125  # of one message in the average of parts


@dataclass(slots=True, eq=False)
class InFlightMessage:
    """A message that was received and is not yet acknowledged, delayed or dead-lettered.

    Attributes:
        parts: what its handler processes one by one: the events of a batch, or the message itself.
        receipt_handle: the newest; an older one may no longer delete the message.
        received_at: time of the receive, on the loop's clock, in seconds.
        extended_at: when its visibility timeout last began, on the same clock.
        working: its handler runs, so its visibility timeout is to be extended.
        heartbeat: done when SQS has answered the extension under way for this message; None without one.
        task: runs the handler.
        overdue: the handler was stopped because it ran too long.
    """

    message: Message
    parts: Sequence[Message]
    receipt_handle: str
    received_at: float
    extended_at: float
    working: bool = True
    heartbeat: asyncio.Future[None] | None = None
    task: asyncio.Task[None] | None = None
    overdue: bool = False

    @property
    def permits(self) -> int:
        """How many permits it holds: one for each part."""
        return max(1, len(self.parts))


class InFlightMessages:
    """The in-flight messages of one poller by message id; iterates over those whose handlers run."""

    def __init__(self) -> None:
        self._by_id: dict[str, InFlightMessage] = {}
        self._some = asyncio.Event()

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[InFlightMessage]:
        return (entry for entry in self._by_id.values() if entry.working)

    def __contains__(self, entry: InFlightMessage) -> bool:
        return self._by_id.get(entry.message.id) is entry

    def add(self, received: Received, parts: Sequence[Message], now_s: float) -> InFlightMessage | None:
        """Add a message, or return None when it is in flight already: then only its receipt handle is replaced.

        SQS delivers at least once, and again when a visibility timeout ran out. A second handler of the same message
        would be of no use, and only the newest handle is sure to delete it.
        """
        known = self._by_id.get(received.message.id)
        if known is not None:
            known.receipt_handle = received.handle
            known.extended_at = now_s
            return None
        entry = InFlightMessage(received.message, parts, received.handle, now_s, now_s)
        self._by_id[received.message.id] = entry
        self._some.set()
        return entry

    def working(self) -> int:
        """Return how many handlers are running."""
        return sum(entry.working for entry in self._by_id.values())

    def remove(self, entry: InFlightMessage) -> None:
        """Remove a message that is done with."""
        del self._by_id[entry.message.id]
        if not self._by_id:
            self._some.clear()

    async def wait_some(self) -> None:
        """Wait until a message is in flight."""
        await self._some.wait()


class ConcurrencyLimit:
    """A semaphore for what is in flight; a receive acquires a permit for each message that it asks for.

    A message of several parts takes more when it has come, which may leave fewer than none free: the next receive waits
    until they are back, and asks for as many messages as there are permits for the parts that messages lately had.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.free = total
        self._parts = 1.0
        self._released = asyncio.Event()

    async def acquire(self, most: int, linger_s: float) -> int:
        """Wait until a permit is free, acquire up to *most* and return how many.

        When fewer are free it waits up to *linger_s* for them: ten receives of one message cost ten times a receive of
        ten.
        """
        wanted = max(1, min(most, int(self.total / self._parts)))
        while True:
            await self._wait_free(1)
            needed = min(self.total, math.ceil(wanted * self._parts))
            if self.free < needed:
                with suppress(TimeoutError):
                    async with asyncio.timeout(linger_s):
                        await self._wait_free(needed)
            if self.free > 0:
                acquired = min(wanted, max(1, int(self.free / self._parts)))
                self.free -= acquired
                return acquired

    def take_more(self, parts: int) -> None:
        """Take the permits of the other *parts* of a message that holds one, without a wait."""
        self._parts += (parts - self._parts) * RECENT_SHARE
        self.free -= parts - 1

    def release(self, count: int) -> None:
        """Release *count* permits."""
        self.free += count
        if self.free > 0:
            self._released.set()

    async def _wait_free(self, count: int) -> None:
        while self.free < count:
            self._released.clear()
            await self._released.wait()
