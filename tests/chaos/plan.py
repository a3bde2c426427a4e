"""When which fault strikes what: made from a seed, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.faults import Fault

__all__ = ["Planned", "plan"]

# load before the first fault
CALM_S = 2.0


@dataclass(frozen=True, slots=True)
class Planned:
    """One fault to come; times are in seconds, from the start of the load."""

    number: int
    at_s: float
    for_s: float
    fault: Fault
    target: str

    def __str__(self) -> str:
        return f"{self.at_s:6.1f} s  {self.fault.name} of {self.target} for {self.for_s:.1f} s"


def plan(seed: int, seconds: float, faults: Sequence[Fault], overlap: int) -> list[Planned]:
    """Return the faults of a run, at most *overlap* at a time, each kind before any strikes again if time allows.

    No target is struck by two faults at a time.
    """
    chance = random.Random(seed)
    found: list[Planned] = []
    free_at = [CALM_S + 2.0 * lane for lane in range(overlap)]
    busy_until: dict[str, float] = {}
    deck: list[Fault] = []
    while faults:
        lane = min(range(overlap), key=free_at.__getitem__)
        at_s = free_at[lane] + chance.uniform(0.2, 1.5)
        deck = deck or chance.sample(faults, len(faults))
        free = [
            (fault, target)
            for fault in deck
            for target in chance.sample(list(fault.targets), len(fault.targets))
            if busy_until.get(target, 0.0) <= at_s
        ]
        if at_s > seconds:
            break
        if not free:
            free_at[lane] = min(until for until in busy_until.values() if until > at_s)
            continue
        fault, target = free[0]
        deck.remove(fault)
        for_s = chance.uniform(*fault.seconds)
        free_at[lane] = at_s + for_s
        if at_s + for_s > seconds:
            continue
        busy_until[target] = free_at[lane]
        found.append(Planned(len(found) + 1, round(at_s, 2), round(for_s, 2), fault, target))
    return found
