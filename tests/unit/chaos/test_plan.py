"""The schedule of faults: repeatable, bounded, complete."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import pytest

from tests.chaos.faults import FAULTS, Fault
from tests.chaos.plan import Planned, plan

ALL: Sequence[Fault] = list(FAULTS.values())


def overlapping(one: Planned, other: Planned) -> bool:
    return one.at_s < other.at_s + other.for_s and other.at_s < one.at_s + one.for_s


def test_a_seed_gives_the_same_schedule_again_and_another_seed_another() -> None:
    assert plan(7, 60, ALL, 2) == plan(7, 60, ALL, 2) != plan(8, 60, ALL, 2)


@pytest.mark.parametrize("seed", range(10))
def test_no_more_faults_overlap_than_allowed_and_none_strike_one_target(seed: int) -> None:
    planned = plan(seed, 300, ALL, 3)
    for one, other in combinations(planned, 2):
        assert not (one.target == other.target and overlapping(one, other))
    assert max(sum(overlapping(one, other) for other in planned if other.at_s <= one.at_s) for one in planned) <= 3
    assert all(each.at_s + each.for_s <= 300.01 for each in planned)


def test_each_fault_strikes_when_there_is_time() -> None:
    assert {each.fault.name for each in plan(1, 300, ALL, 2)} == FAULTS.keys()


def test_without_faults_or_time_nothing_is_planned() -> None:
    assert plan(1, 60, [], 2) == []
    assert plan(1, 1, ALL, 2) == []
