"""The limiter admits what a token bucket of each caller admits, and knows no more callers than it may."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_common.config import RateLimit
from service_common.http_server.rate_limiter import MAX_CALLERS, RateLimiter

# powers of two: floats hold these times and intervals exactly
RATES = st.sampled_from([0.25, 0.5, 1.0, 2.0, 8.0, 64.0])
TICKS = 64
STEPS = st.lists(
    st.tuples(st.integers(0, 10 * TICKS), st.sampled_from("abc"), st.sampled_from([0, 1, 3, 9])), max_size=60
)


class TokenBucket:
    """A bucket of *burst* tokens, refilled at *rate*, in exact numbers."""

    def __init__(self, rate: Fraction, burst: int) -> None:
        self.rate, self.burst = rate, burst
        self.tokens, self.at = Fraction(burst), Fraction(0)

    def refill(self, now: Fraction) -> None:
        self.tokens = min(Fraction(self.burst), self.tokens + (now - self.at) * self.rate)
        self.at = now

    def take(self, now: Fraction) -> Fraction:
        self.refill(now)
        if self.tokens < 1:
            return (1 - self.tokens) / self.rate
        self.tokens -= 1
        return Fraction(0)

    def charge(self, now: Fraction, requests: int) -> None:
        self.refill(now)
        self.tokens = max(Fraction(0), self.tokens - requests)


@given(rate=RATES, burst=st.integers(1, 20), steps=STEPS)
def test_it_is_a_token_bucket_for_each_caller(rate: float, burst: int, steps: list[tuple[int, str, int]]) -> None:
    limiter = RateLimiter(RateLimit(rate, burst))
    model: defaultdict[str, TokenBucket] = defaultdict(lambda: TokenBucket(Fraction(rate), burst))
    ticks = 0
    for passed, caller, charged in steps:
        ticks += passed
        now = Fraction(ticks, TICKS)
        if charged:
            limiter.charge(caller, float(now), charged)
            model[caller].charge(now, charged)
        assert limiter.take(caller, float(now)) == model[caller].take(now)


@given(rate=RATES, burst=st.integers(1, 20), clock=st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=60))
def test_clock_that_is_set_costs_no_more_than_a_burst(rate: float, burst: int, clock: list[int]) -> None:
    limiter = RateLimiter(RateLimit(rate, burst))
    for ticks in clock:
        now = ticks / TICKS
        for _ in range(burst + 1):
            last = limiter.take("a", now)
        assert 0 < last <= 1 / rate
        assert limiter.take("a", now + last) == 0


def test_burst_is_admitted_at_once_and_then_the_rate() -> None:
    limiter = RateLimiter(RateLimit(rate_per_s=10, burst=5))
    assert [limiter.take("a", 100.0) for _ in range(5)] == [0.0] * 5
    assert limiter.take("a", 100.0) == pytest.approx(0.1)
    admitted = sum(limiter.take("a", 100.0 + each / 1000) == 0 for each in range(1, 10_001))
    assert 99 <= admitted <= 101


def test_memory_is_bounded_and_those_that_go_on_are_remembered() -> None:
    limiter = RateLimiter(RateLimit(rate_per_s=0.01, burst=1))
    for number in range(100_000):
        assert limiter.take(f"203.0.113.{number}", 0.0) == 0
        assert (limiter.take("flood", 0.0) > 0) == (number > 0)
    assert len(limiter) == MAX_CALLERS
