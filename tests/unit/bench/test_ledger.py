from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.push.ledger import Faults, Ledger, Scanner, faults, percentiles_ms

BLOCK = b'id: e-%d\ndata: {"id":"e-%d","orderId":7}\n\n: hb\nid: e-%d\n\n'
STREAM = b"".join(BLOCK % (number, number, number) for number in range(95, 106))


def ledger(*numbers: int) -> Ledger:
    found = Ledger()
    for number in numbers:
        found.take(number)
    return found


@given(cuts=st.lists(st.integers(0, len(STREAM))))
def test_numbers_are_found_once_however_the_stream_is_cut(cuts: list[int]) -> None:
    found: list[int] = []
    scanner, rest = Scanner(b'{"id":"e-'), b""
    for start, end in pairwise([0, *sorted(cuts), len(STREAM)]):
        numbers, rest = scanner.scan(rest + STREAM[start:end])
        found += numbers
    assert found == list(range(95, 106))


@given(st.lists(st.integers(0, 20)))
def test_ledger_keeps_the_sequence(numbers: list[int]) -> None:
    assert list(ledger(*numbers)) == numbers


@pytest.mark.parametrize(
    ("received", "wanted", "found"),
    [
        ([3, 4, 5], [3, 4, 5], Faults()),
        ([3, 7, 9], [3, 7, 9], Faults()),
        ([], [3, 4], Faults(lost=2)),
        ([3, 5], [3, 4, 5], Faults(lost=1)),
        ([3, 4, 4, 5], [3, 4, 5], Faults(doubled=1)),
        ([3, 4, 5, 6], [3, 4, 5], Faults(doubled=1)),
        ([4, 4], [3, 4], Faults(lost=1, doubled=1)),
        ([4, 3, 5], [3, 4, 5], Faults(disordered=1)),
        ([1], [], Faults(doubled=1)),
    ],
)
def test_loss_doubles_and_disorder_are_told_apart(received: list[int], wanted: list[int], found: Faults) -> None:
    assert faults(ledger(*received), wanted, set(wanted)) == found


def test_percentiles_are_of_all_durations() -> None:
    durations = [number * 1_000_000 for number in range(100, -1, -1)]
    assert percentiles_ms(durations) == {"p50_ms": 50.0, "p99_ms": 99.0, "max_ms": 100.0}
    assert percentiles_ms([]) == {"p50_ms": 0.0, "p99_ms": 0.0, "max_ms": 0.0}
