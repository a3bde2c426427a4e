"""Every decision of a simulation, drawn from its seed: the order of processes, delays, faults.

A decision is a function of the seed, of its name and of how often that name was decided before. So taking one fault out
leaves the others as they are for as long as the code asks the same, which is what shrinking lives on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeVar
from zlib import crc32

__all__ = ["Decisions"]

T = TypeVar("T")
_RANGE = float(2**64)
_MASK = 2**64 - 1


class Decisions:
    """The decisions of *seed*.

    Args:
        seed: two runs with the same one are the same.
        only: when given, the events that may happen, by their keys: what `happened` had in an earlier run, or a part.

    Attributes:
        happened: the keys of what happened by chance, in their order.
    """

    def __init__(self, seed: int, only: Collection[str] | None = None) -> None:
        self.seed = seed
        self.happened: list[str] = []
        self._only = None if only is None else frozenset(only)
        self._names: dict[str, int] = {}
        self._counts: dict[str, int] = {}

    def number(self, name: str) -> int:
        """Return the next 64 bits of *name*."""
        count = self._counts[name] = self._counts.get(name, 0) + 1
        code = self._names.get(name)
        if code is None:
            code = self._names[name] = crc32(name.encode())
        # splitmix64 (https://prng.di.unimi.it/splitmix64.c) of seed, name and count; hash() differs between Pythons
        bits = (self.seed * 0x9E3779B97F4A7C15 + code * 0xD1B54A32D192ED03 + count * 0x8CB92BA72F3D8DD7) & _MASK
        bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        bits = (bits ^ bits >> 27) * 0x94D049BB133111EB & _MASK
        return bits ^ bits >> 31

    def uniform(self, name: str, low: float, high: float) -> float:
        """Return a number of *name* between *low* and *high*."""
        return low + (high - low) * (self.number(name) / _RANGE)

    def below(self, name: str, limit: int) -> int:
        """Return a number of *name* from 0 to *limit* - 1."""
        return self.number(name) % limit

    def choice(self, name: str, options: Sequence[T]) -> T:
        """Return one of *options*."""
        return options[self.below(name, len(options))]

    def happens(self, name: str, probability: float) -> bool:
        """Return whether the event *name* happens this time."""
        if probability <= 0 or self.number(name) >= probability * _RANGE:
            return False
        key = f"{name}#{self._counts[name]}"
        if self._only is not None and key not in self._only:
            return False
        self.happened.append(key)
        return True
