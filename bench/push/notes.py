"""What a crowd has read. It is noted when nothing waits to be read: the notes of one read do not delay the next."""

from __future__ import annotations

import struct
from array import array
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from .ledger import Ledger, Scanner

__all__ = ["TIMESPEC", "Ancillary", "Notes", "Stream", "Tally"]

TIMESPEC = struct.Struct("qq")
# so many reads at a time; what was read, but not noted, is no more than this
NOTED_AT_ONCE = 64
UNNOTED_BYTES = 16 << 20

# what recvmsg(2) tells beside the data: when it had come, as a struct timespec
Ancillary: TypeAlias = Sequence[tuple[int, int, bytes]]


@dataclass(slots=True, eq=False)
class Stream:
    """What one client receives.

    Attributes:
        rest: the end of what was noted, that may be the beginning of a number.
    """

    group: int
    rest: bytes = b""
    ledger: Ledger = field(default_factory=Ledger)


@dataclass(slots=True)
class Tally:
    """What a group received since the last question, in how many reads; when it was read, and when it had come."""

    deliveries: int = 0
    reads: int = 0
    stamps: list[tuple[int, int]] = field(default_factory=list)
    arrivals: dict[int, array[int]] = field(default_factory=lambda: defaultdict(lambda: array("q")))


class Notes:
    """What all clients read, in the order in which they did.

    Attributes:
        last_ns: when the last was read that has a number, nanoseconds since 1970.
    """

    def __init__(self, number_after: bytes, groups: int) -> None:
        self.last_ns = 0
        self._groups = groups
        self._scan = Scanner(number_after).scan
        self._unnoted: deque[tuple[Stream, bytes, int, Ancillary]] = deque()
        self._unnoted_bytes = 0
        self.begin()

    def begin(self) -> None:
        """Begin anew."""
        self.tallies = [Tally() for _ in range(self._groups)]

    @property
    def deliveries(self) -> int:
        """How many were noted since the beginning."""
        return sum(tally.deliveries for tally in self.tallies)

    @property
    def pending(self) -> bool:
        """Whether something is not noted yet."""
        return bool(self._unnoted)

    @property
    def full(self) -> bool:
        """Whether something has to be noted, even if something waits to be read."""
        return self._unnoted_bytes > UNNOTED_BYTES

    def take(self, stream: Stream, data: bytes, now_ns: int, ancillary: Ancillary = ()) -> None:
        """Keep what was read at *now_ns*."""
        self._unnoted.append((stream, data, now_ns, ancillary))
        self._unnoted_bytes += len(data)

    def note_some(self) -> None:
        """Note the oldest reads."""
        for _ in range(min(NOTED_AT_ONCE, len(self._unnoted))):
            stream, data, now_ns, ancillary = self._unnoted.popleft()
            self._unnoted_bytes -= len(data)
            numbers, stream.rest = self._scan(stream.rest + data)
            if not numbers:
                continue
            tally = self.tallies[stream.group]
            tally.deliveries += len(numbers)
            tally.reads += 1
            self.last_ns = now_ns
            for number in numbers:
                stream.ledger.take(number)
                tally.arrivals[number].append(now_ns)
            for *_kind, stamp in ancillary:  # of the last of them
                seconds, nanoseconds = TIMESPEC.unpack(stamp)
                tally.stamps.append((numbers[-1], seconds * 1_000_000_000 + nanoseconds))
