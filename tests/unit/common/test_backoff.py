from __future__ import annotations

from statistics import fmean

from hypothesis import given
from hypothesis import strategies as st

from service_common.backoff import Backoff

seconds = st.floats(0.001, 10**6)


def at_most(bound_s: float) -> float:
    return bound_s


@given(seconds, seconds, st.integers(-1, 10_000))
def test_delay_lies_between_zero_and_the_cap(base_s: float, cap_s: float, failures: int) -> None:
    assert 0 <= Backoff(base_s, cap_s).delay_s(failures) <= cap_s


@given(seconds, seconds, st.integers(1, 10_000))
def test_bound_never_shrinks_with_more_failures(base_s: float, cap_s: float, failures: int) -> None:
    backoff = Backoff(base_s, cap_s)
    assert backoff.bound_s(failures) <= backoff.bound_s(failures + 1)


def test_bound_doubles_up_to_the_cap() -> None:
    backoff = Backoff(0.5, 15.0)
    assert [backoff.delay_s(failures, jitter=at_most) for failures in range(1, 8)] == [0.5, 1, 2, 4, 8, 15, 15]


def test_ten_thousandth_failure_is_delayed_like_any_at_the_cap() -> None:
    assert Backoff(10.0**300, 15.0).delay_s(10_000, jitter=at_most) == 15.0


def test_delays_fill_the_whole_range_and_grow_on_average() -> None:
    backoff = Backoff(0.1, 0.5)
    means: list[float] = []
    for failures, bound_s in enumerate((0.1, 0.2, 0.4, 0.5), start=1):
        delays = [backoff.delay_s(failures) for _ in range(1000)]
        assert min(delays) < bound_s * 0.1
        assert bound_s * 0.9 < max(delays) <= bound_s
        means.append(fmean(delays))
    assert means == sorted(means)


@given(seconds, seconds, st.integers(1, 10_000), st.floats(0, 10**9))
def test_floor_is_never_undercut(base_s: float, cap_s: float, failures: int, floor_s: float) -> None:
    backoff = Backoff(base_s, cap_s)
    assert floor_s <= backoff.delay_s(failures, floor_s=floor_s) <= max(cap_s, floor_s)
