"""Puts notifications from several sources into the order of the feed, each once. Pure.

They come from this process's own appends, from a fan-out bus, and from reads of the table. What a bus passes on may be
lost, repeated, reordered or late; the table decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from ..notification import FeedState, Page

__all__ = ["Read", "Sequenced", "Sequencer"]

# held beyond a gap: some megabytes; the table has the others
MAX_HELD = 10_000


class Sequenced(Protocol):
    """What has a position in the feed."""

    @property
    def seq(self) -> int:
        """The position."""


E = TypeVar("E", bound=Sequenced)


@dataclass(frozen=True, slots=True)
class Read:
    """A read of the table after the position *after*, begun while those at *held* were held beyond a gap."""

    after: int
    held: Sequence[int]


class Sequencer(Generic[E]):
    """Passes on what comes next, and holds what lies beyond a gap until the gap is filled.

    Attributes:
        state: the feed as of the last read.
        seq: the position up to which everything was passed on.
    """

    def __init__(self, state: FeedState, *, max_held: int = MAX_HELD) -> None:
        self.state = state
        self.seq = state.head
        self._furthest = state.head
        self._held: dict[int, E] = {}
        self._max_held = max_held

    @property
    def seen(self) -> FeedState:
        """The state with the furthest position that was passed on in this epoch, even if the feed went back since."""
        return replace(self.state, head=max(self._furthest, self.seq))

    @property
    def has_gap(self) -> bool:
        """Whether something is held because what comes before it is missing."""
        return bool(self._held)

    def lacks(self, seq: int) -> bool:
        """Whether what is at *seq* was neither passed on nor is held."""
        return seq > self.seq and seq not in self._held

    def take(self, epoch: str, items: Iterable[E]) -> Sequence[E]:
        """Return what of *items* and of those held comes next; what is of another epoch or was passed on is dropped."""
        following: list[E] = []
        if epoch != self.state.epoch:
            return following
        for item in items:
            if item.seq == self.seq + 1:
                following.append(item)
                self.seq += 1
                while (held := self._held.pop(self.seq + 1, None)) is not None:
                    following.append(held)
                    self.seq += 1
            elif item.seq > self.seq and len(self._held) < self._max_held:
                self._held[item.seq] = item
        return following

    def begin_read(self) -> Read:
        """Return what to read: everything after the position, which may move before :meth:`finish_read`."""
        return Read(self.seq, tuple(self._held))

    def finish_read(self, read: Read, page: Page, items: Iterable[E]) -> Sequence[E] | None:
        """Return what comes next, after the answer *page* to *read*; None when it does not continue what was passed on.

        In that case the position is the head of *page*. *items* are those of its notifications that are lacking.
        """
        state = page.state
        dense = not page.notifications or page.notifications[0].seq == read.after + 1
        if state.epoch != self.state.epoch or not state.floor <= read.after <= state.head or not dense:
            self._furthest = self.seen.head if state.epoch == self.state.epoch else state.head
            self.state, self.seq = state, state.head
            self._held.clear()
            return None
        self.state = state
        # committed before it was announced: what the later snapshot does not have is not of this feed
        for seq in read.held:
            if seq > state.head:
                self._held.pop(seq, None)
        return self.take(state.epoch, items)
