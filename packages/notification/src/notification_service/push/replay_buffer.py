"""The most recent notifications, encoded, bounded by size and age. Pure."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from ..notification import Selection

__all__ = ["Entry", "ReplayBuffer"]

K = TypeVar("K")

# memory of an entry besides its two encodings
ENTRY_OVERHEAD_BYTES = 400


@dataclass(frozen=True, slots=True)
class Entry:
    """One notification as the bytes that clients receive.

    Attributes:
        sse: an event of ``text/event-stream`` as one chunk of a chunked HTTP/1.1 body.
        ws: a WebSocket text frame.
        traceparent: the W3C trace context in which it was stored.
    """

    seq: int
    order_id: int
    customer_id: str
    kind: str
    sse: bytes
    ws: bytes
    traceparent: str | None = None

    @property
    def size_bytes(self) -> int:
        """Its approximate memory."""
        return len(self.sse) + len(self.ws) + ENTRY_OVERHEAD_BYTES


class ReplayBuffer:
    """Entries ``first`` to ``head`` without a gap; empty when ``first`` is ``head + 1``.

    Args:
        head: the position before the first entry.
        max_bytes: the oldest entries are evicted beyond this size.
        max_age_s: :meth:`trim` evicts older entries.
    """

    def __init__(self, head: int, *, max_bytes: int, max_age_s: float) -> None:
        self._max_bytes = max_bytes
        self._max_age_s = max_age_s
        self._entries: deque[Entry] = deque()
        self._times: deque[float] = deque()
        self._by_order: defaultdict[int, deque[Entry]] = defaultdict(deque)
        self._by_customer: defaultdict[str, deque[Entry]] = defaultdict(deque)
        self.size_bytes = 0
        self.head = head

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def first(self) -> int:
        """The oldest position in the buffer."""
        return self.head + 1 - len(self._entries)

    def extend(self, entries: Sequence[Entry], now: float) -> None:
        """Append *entries*; *now* is the time in seconds, on any clock.

        Raises:
            ValueError: they don't directly follow the head.
        """
        for entry in entries:
            if entry.seq != self.head + 1:
                raise ValueError(f"{entry.seq} does not follow {self.head}")
            self.head = entry.seq
            self._entries.append(entry)
            self._times.append(now)
            self._by_order[entry.order_id].append(entry)
            self._by_customer[entry.customer_id].append(entry)
            self.size_bytes += entry.size_bytes
        self.trim(now)

    def trim(self, now: float) -> None:
        """Evict by size and age."""
        while self._entries and (self.size_bytes > self._max_bytes or now - self._times[0] > self._max_age_s):
            self._evict_oldest()

    def clear(self, head: int) -> None:
        """Evict everything and continue after *head*."""
        self._entries.clear()
        self._times.clear()
        self._by_order.clear()
        self._by_customer.clear()
        self.size_bytes = 0
        self.head = head

    def after(self, seq: int, wanted: Selection, max_entries: int) -> Sequence[Entry]:
        """Return the oldest entries after *seq* that are *wanted*, at most *max_entries*."""
        newer = (entry for entry in self._candidates(seq, wanted) if entry.seq > seq)
        selected = (entry for entry in newer if wanted.has(entry.customer_id, entry.order_id, entry.kind))
        return list(islice(selected, max_entries))

    def _candidates(self, seq: int, wanted: Selection) -> Iterable[Entry]:
        """Return those that may be wanted, in feed order."""
        if wanted.filter.orders is not None:
            of_orders = [entry for order in wanted.filter.orders for entry in self._by_order.get(order, ())]
            return sorted(of_orders, key=lambda entry: entry.seq)
        if wanted.scope.customer_id is not None:
            return self._by_customer.get(wanted.scope.customer_id, ())
        # by index: islice would step through everything before
        return (self._entries[at] for at in range(max(0, seq + 1 - self.first), len(self._entries)))

    def _evict_oldest(self) -> None:
        entry = self._entries.popleft()
        self._times.popleft()
        _pop_first(self._by_order, entry.order_id)
        _pop_first(self._by_customer, entry.customer_id)
        self.size_bytes -= entry.size_bytes


def _pop_first(index: dict[K, deque[Entry]], key: K) -> None:
    index[key].popleft()
    if not index[key]:
        del index[key]
