"""Which messages are ours at the moment, by which handle and until when."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from .client import Message, Received

__all__ = ["Lease", "Leases"]


@dataclass(slots=True, eq=False)
class Lease:
    """A message in flight.

    Attributes:
        handle: the newest receipt handle; an older one may no longer delete the message.
        received_at: when it came, on the loop's clock, in seconds.
        renewed_at: when its visibility timeout last began, on the same clock.
        working: its handler runs, so its visibility is to be extended.
        beat: done when the heartbeat under way that carries this message is answered; None when there is none.
        task: runs the handler.
        overdue: the handler was stopped because it took too long.
    """

    message: Message
    handle: str
    received_at: float
    renewed_at: float
    working: bool = True
    beat: asyncio.Future[None] | None = None
    task: asyncio.Task[None] | None = None
    overdue: bool = False


class Leases:
    """The leases of one poller by message id; iterates over those whose handlers run."""

    def __init__(self) -> None:
        self._by_id: dict[str, Lease] = {}
        self._some = asyncio.Event()

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Lease]:
        return (lease for lease in self._by_id.values() if lease.working)

    def admit(self, received: Received, now_s: float) -> Lease | None:
        """Begin the lease of a message, or return None when it is in flight already: then only its handle is new.

        SQS delivers at least once, and again when a visibility timeout ran out: two handlers of one message at the same
        time help nobody, and only the newest handle is sure to delete it.
        """
        known = self._by_id.get(received.message.id)
        if known is not None:
            known.handle = received.handle
            known.renewed_at = now_s
            return None
        lease = Lease(received.message, received.handle, now_s, now_s)
        self._by_id[received.message.id] = lease
        self._some.set()
        return lease

    def end(self, lease: Lease) -> None:
        """Forget a message that is settled."""
        del self._by_id[lease.message.id]
        if not self._by_id:
            self._some.clear()

    async def wait_some(self) -> None:
        """Wait until there is a lease."""
        await self._some.wait()
