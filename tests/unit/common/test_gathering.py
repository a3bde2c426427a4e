"""Batches wait under load only."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_common.gathering import GatheringPolicy, RecentRate

POLICY = GatheringPolicy(bound_s=0.08, full_at=16)


@pytest.mark.parametrize("rate_per_s", [0, 1, 10, 12.5])
def test_at_a_low_rate_nothing_waits(rate_per_s: float) -> None:
    assert POLICY.delay_s(rate_per_s) == 0


def test_wait_rises_with_the_rate_up_to_the_bound() -> None:
    assert POLICY.delay_s(50) == pytest.approx(0.016)
    assert POLICY.delay_s(150) == pytest.approx(0.0587, rel=0.01)
    assert POLICY.delay_s(200) == POLICY.delay_s(1e9) == pytest.approx(0.08)


def test_while_a_request_is_in_flight_the_wait_for_its_end_is_bounded() -> None:
    assert POLICY.delay_s(0, in_flight=1) == 0.08


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_higher_rate_never_waits_less(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= POLICY.delay_s(low) <= POLICY.delay_s(high) <= POLICY.bound_s


@pytest.mark.parametrize("rate_per_s", [5, 50, 500])
def test_rate_of_regular_items_is_found(rate_per_s: int) -> None:
    rate = RecentRate(horizon_s=1.0)
    for number in range(10 * rate_per_s):
        rate.add(number / rate_per_s)
    assert rate.per_s(10.0) == pytest.approx(rate_per_s, rel=0.15)


def test_rate_falls_when_nothing_comes() -> None:
    rate = RecentRate(horizon_s=2.0)
    rate.add(5.0, 100)
    assert rate.per_s(5.0) == 50
    assert rate.per_s(7.0) == pytest.approx(50 / math.e)
    assert rate.per_s(1e9) == 0


def test_rate_is_none_before_the_first_item() -> None:
    assert RecentRate().per_s(0.0) == 0
