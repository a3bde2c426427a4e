"""In-flight messages, their receipt handles, and the limit on how many there may be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from .messages import Message, Received

__all__ = ["ConcurrencyLimit", "InFlightMessage", "InFlightMessages"]


@dataclass(slots=True, eq=False)
class InFlightMessage:
    """A message that was received and is not yet acknowledged, delayed or dead-lettered.

    Attributes:
        receipt_handle: the newest; an older one may no longer delete the message.
        received_at: time of the receive, on the loop's clock, in seconds.
        extended_at: when its visibility timeout last began, on the same clock.
        working: its handler runs, so its visibility timeout is to be extended.
        heartbeat: done when SQS has answered the extension under way for this message; None without one.
        task: runs the handler.
        overdue: the handler was stopped because it ran too long.
    """

    message: Message
    receipt_handle: str
    received_at: float
    extended_at: float
    working: bool = True
    heartbeat: asyncio.Future[None] | None = None
    task: asyncio.Task[None] | None = None
    overdue: bool = False


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

    def add(self, received: Received, now_s: float) -> InFlightMessage | None:
        """Add a message, or return None when it is in flight already: then only its receipt handle is replaced.

        SQS delivers at least once, and again when a visibility timeout ran out. A second handler of the same message
        would be of no use, and only the newest handle is sure to delete it.
        """
        known = self._by_id.get(received.message.id)
        if known is not None:
            known.receipt_handle = received.handle
            known.extended_at = now_s
            return None
        entry = InFlightMessage(received.message, received.handle, now_s, now_s)
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
    """A semaphore for the messages in flight; a receive acquires several permits at once."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.free = total
        self._released = asyncio.Event()

    async def acquire(self, most: int, linger_s: float) -> int:
        """Wait until a permit is free, acquire up to *most* and return how many.

        When fewer are free it waits up to *linger_s* for them: ten receives of one message cost ten times a receive of
        ten.
        """
        while True:
            await self._wait_free(1)
            with suppress(TimeoutError):
                async with asyncio.timeout(linger_s):
                    await self._wait_free(min(most, self.total))
            if self.free:
                acquired = min(most, self.free)
                self.free -= acquired
                return acquired

    def release(self, count: int) -> None:
        """Release *count* permits."""
        self.free += count
        if self.free:
            self._released.set()

    async def _wait_free(self, count: int) -> None:
        while self.free < count:
            self._released.clear()
            await self._released.wait()
