"""What a client received, and what is wrong with it. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Faults", "Ledger", "Scanner", "faults", "percentiles_ms"]

NUMBER_DIGITS = 20
# what is the same for all clients is short; the parts of a long replay are as many as the clients
REMEMBERED = 4096
REMEMBERED_BYTES = 4096


class Ledger:
    """The numbers that one client received, in their order, as runs that rise by one."""

    __slots__ = ("runs",)

    def __init__(self) -> None:
        self.runs: list[list[int]] = []

    def take(self, number: int) -> None:
        """Note the next one."""
        if self.runs and self.runs[-1][1] + 1 == number:
            self.runs[-1][1] = number
        else:
            self.runs.append([number, number])

    def __iter__(self) -> Iterator[int]:
        for first, last in self.runs:
            yield from range(first, last + 1)


@dataclass(frozen=True, slots=True)
class Faults:
    """What should not have been.

    Attributes:
        lost: that were wanted and did not come.
        doubled: that came again, or were not wanted at all.
        disordered: that came after a later one.
    """

    lost: int = 0
    doubled: int = 0
    disordered: int = 0

    def __add__(self, other: Faults) -> Faults:
        return Faults(self.lost + other.lost, self.doubled + other.doubled, self.disordered + other.disordered)


def faults(received: Ledger, wanted: Sequence[int], known: Collection[int]) -> Faults:
    """Hold what was *received* against the rising numbers *wanted*; *known* is the same for a quick look-up."""
    if not wanted:
        return Faults(doubled=sum(1 for _ in received))
    if received.runs == [[wanted[0], wanted[-1]]] and len(wanted) == wanted[-1] - wanted[0] + 1:
        return Faults()
    seen = Counter(received)
    right = sum(1 for number in seen if number in known)
    disordered = sum(1 for before, after in pairwise(received) if after < before)
    return Faults(len(wanted) - right, seen.total() - right, disordered)


class Scanner:
    """Finds the numbers in what comes over a socket; all clients get the same bytes, so results are remembered."""

    def __init__(self, number_after: bytes) -> None:
        self._pattern = re.compile(re.escape(number_after) + rb"(\d+)(?=\D)")
        self._kept = len(number_after) + NUMBER_DIGITS
        self._known: dict[bytes, tuple[tuple[int, ...], bytes]] = {}

    def scan(self, data: bytes) -> tuple[tuple[int, ...], bytes]:
        """Return the whole numbers in *data*, and what the next bytes of the same client have to be added to."""
        if len(data) > REMEMBERED_BYTES:
            return self._find(data)
        found = self._known.get(data)
        if found is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            found = self._known[data] = self._find(data)
        return found

    def _find(self, data: bytes) -> tuple[tuple[int, ...], bytes]:
        matches = list(self._pattern.finditer(data))
        rest = data[matches[-1].end() :] if matches else data
        return tuple(int(match[1]) for match in matches), rest[-self._kept :]


def percentiles_ms(durations_ns: Sequence[int]) -> dict[str, float]:
    """Return p50, p99 and the maximum, in milliseconds; zeros when there is nothing."""
    ordered = sorted(durations_ns)
    if not ordered:
        return {"p50_ms": 0.0, "p99_ms": 0.0, "max_ms": 0.0}
    last = len(ordered) - 1
    cut = {"p50_ms": ordered[last * 50 // 100], "p99_ms": ordered[last * 99 // 100], "max_ms": ordered[-1]}
    return {name: round(value / 1e6, 2) for name, value in cut.items()}
