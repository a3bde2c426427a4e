"""The recent entries of the feed, encoded once, bounded by bytes and by age. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Entry", "Ring"]

# what an entry costs beside its two encodings
ENTRY_OVERHEAD_BYTES = 300


@dataclass(frozen=True, slots=True)
class Entry:
    """One notification in the bytes that go to the clients.

    Attributes:
        sse: an event of ``text/event-stream`` as one chunk of a chunked HTTP/1.1 body.
        ws: a WebSocket text frame.
    """

    seq: int
    order_id: int
    sse: bytes
    ws: bytes

    @property
    def size_bytes(self) -> int:
        """What it takes in memory, roughly."""
        return len(self.sse) + len(self.ws) + ENTRY_OVERHEAD_BYTES


class Ring:
    """Entries ``first`` to ``head`` without a gap; empty when ``first`` is ``head + 1``.

    Args:
        head: the place that is taken for seen.
        max_bytes: when it holds more, the oldest go.
        max_age_s: those older go when :meth:`trim` is called.
    """

    def __init__(self, head: int, *, max_bytes: int, max_age_s: float) -> None:
        self._max_bytes = max_bytes
        self._max_age_s = max_age_s
        self._entries: deque[Entry] = deque()
        self._times: deque[float] = deque()
        self._of_order: dict[int, deque[Entry]] = {}
        self.size_bytes = 0
        self.head = head

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def first(self) -> int:
        """The oldest place that is here."""
        return self.head + 1 - len(self._entries)

    def extend(self, entries: Sequence[Entry], now: float) -> None:
        """Append *entries*, which go on where the ring ends; *now* is any clock in seconds."""
        for entry in entries:
            if entry.seq != self.head + 1:
                raise ValueError(f"{entry.seq} does not follow {self.head}")
            self.head = entry.seq
            self._entries.append(entry)
            self._times.append(now)
            self._of_order.setdefault(entry.order_id, deque()).append(entry)
            self.size_bytes += entry.size_bytes
        self.trim(now)

    def trim(self, now: float) -> None:
        """Let go of what is too much or too old."""
        while self._entries and (self.size_bytes > self._max_bytes or now - self._times[0] > self._max_age_s):
            self._drop_oldest()

    def clear(self, head: int) -> None:
        """Forget everything and go on from *head*."""
        self._entries.clear()
        self._times.clear()
        self._of_order.clear()
        self.size_bytes = 0
        self.head = head

    def after(self, seq: int, orders: frozenset[int] | None, max_entries: int) -> Sequence[Entry]:
        """Return the oldest entries beyond *seq*, at most *max_entries*, only those of *orders* unless it is None."""
        if orders is None:
            skip = max(0, seq + 1 - self.first)
            return [self._entries[index] for index in range(skip, min(skip + max_entries, len(self._entries)))]
        wanted = [entry for order in orders for entry in self._of_order.get(order, ()) if entry.seq > seq]
        wanted.sort(key=lambda entry: entry.seq)
        return wanted[:max_entries]

    def _drop_oldest(self) -> None:
        entry = self._entries.popleft()
        self._times.popleft()
        of_order = self._of_order[entry.order_id]
        of_order.popleft()
        if not of_order:
            del self._of_order[entry.order_id]
        self.size_bytes -= entry.size_bytes
