from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_common.http_client import RetryPolicy
from service_common.http_client.retry_policy import (
    MAX_RETRY_AFTER_S,
    AttemptOutcome,
    Failure,
    RetryBudget,
    Stop,
    may_have_had_effect,
    next_delay,
    retry_after_s,
)

POLICY = RetryPolicy()
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
UNREACHED = Failure(AttemptOutcome.UNREACHED, "no connection")
LOST = Failure(AttemptOutcome.LOST, "no answer")
GARBLED = Failure(AttemptOutcome.GARBLED, "no JSON", 200)
FOREIGN = Failure(AttemptOutcome.GARBLED, "by a proxy", 404)
BARRED = Failure(AttemptOutcome.BARRED, "circuit open")


def answered(status: int, retry_after: float | None = None) -> Failure:
    refused = 400 <= status < 500 and status not in {408, 429}
    return Failure(
        AttemptOutcome.REFUSED if refused else AttemptOutcome.FAILED, f"answered {status}", status, retry_after
    )


def decide(
    failure: Failure,
    *,
    attempt: int = 1,
    idempotent: bool = True,
    delay_s: float = 0.05,
    left_s: float = 3.0,
    circuit_wait_s: float = 0.0,
    tokens: float = 10.0,
) -> float | Stop:
    return next_delay(
        POLICY,
        failure,
        attempt=attempt,
        idempotent=idempotent,
        delay_s=delay_s,
        left_s=left_s,
        circuit_wait_s=circuit_wait_s,
        budget=RetryBudget(0.1, 10.0, tokens),
    )


@pytest.mark.parametrize("idempotent", [True, False])
def test_call_that_was_never_sent_is_retried_whatever_it_does(idempotent: bool) -> None:
    assert decide(UNREACHED, idempotent=idempotent) == 0.05


@pytest.mark.parametrize(
    "failure", [LOST, GARBLED, FOREIGN, *map(answered, (408, 429, 502, 503, 504))], ids=lambda f: f.reason
)
def test_call_that_may_have_had_its_effect_is_retried_only_when_idempotent(failure: Failure) -> None:
    assert decide(failure, idempotent=True) == 0.05
    assert decide(failure, idempotent=False) is Stop.FINAL


@pytest.mark.parametrize(
    "failure", [BARRED, *map(answered, (400, 404, 409, 412, 422, 500, 501))], ids=lambda f: f.reason
)
def test_failure_that_a_retry_would_repeat_is_final(failure: Failure) -> None:
    assert decide(failure) is Stop.FINAL


def test_third_attempt_is_the_last() -> None:
    assert decide(LOST, attempt=2) == 0.05
    assert decide(LOST, attempt=3) is Stop.ATTEMPTS


def test_delay_that_leaves_no_time_for_an_attempt_is_not_waited() -> None:
    assert decide(LOST, delay_s=0.05, left_s=0.05 + POLICY.min_attempt_s / 2) is Stop.DEADLINE
    assert decide(answered(503, 4.0), left_s=3.0) is Stop.DEADLINE


def test_delay_after_which_the_circuit_is_still_open_is_not_waited() -> None:
    assert decide(LOST, delay_s=0.05, circuit_wait_s=0.06) is Stop.CIRCUIT
    assert decide(LOST, delay_s=0.05, circuit_wait_s=0.04) == 0.05


def test_spent_budget_stops_retries() -> None:
    assert decide(UNREACHED, tokens=0.99) is Stop.BUDGET


def test_deadline_comes_before_circuit_and_circuit_before_budget() -> None:
    assert decide(LOST, left_s=0.0, circuit_wait_s=9.0, tokens=0.0) is Stop.DEADLINE
    assert decide(LOST, circuit_wait_s=9.0, tokens=0.0) is Stop.CIRCUIT


@given(
    delay_s=st.floats(0, 5),
    asked_s=st.none() | st.floats(0, 5),
    left_s=st.floats(-1, 10),
    attempt=st.integers(1, 5),
)
def test_retry_undercuts_neither_retry_after_nor_outruns_the_deadline(
    delay_s: float, asked_s: float | None, left_s: float, attempt: int
) -> None:
    decision = decide(answered(503, asked_s), delay_s=delay_s, left_s=left_s, attempt=attempt)
    if isinstance(decision, float):
        assert decision >= delay_s
        assert decision >= (asked_s or 0)
        assert decision + POLICY.min_attempt_s <= left_s
        assert attempt < POLICY.attempts


def test_budget_gives_its_ratio_of_retries_once_its_burst_is_used() -> None:
    budget = RetryBudget.of(RetryPolicy(budget_ratio=0.125, budget_burst=2.0))
    retries = 0
    for _ in range(802):
        budget = budget.call()
        if not budget.spent:
            budget = budget.retry()
            retries += 1
    assert retries == pytest.approx(2 + 100, abs=1)


@given(st.lists(st.booleans(), max_size=200))
def test_budget_stays_within_its_bounds(steps: list[bool]) -> None:
    budget = RetryBudget.of(POLICY)
    for is_call in steps:
        if is_call:
            budget = budget.call()
        elif not budget.spent:
            budget = budget.retry()
        assert 0 <= budget.tokens <= POLICY.budget_burst


def test_only_what_was_sent_and_not_refused_may_have_had_its_effect() -> None:
    assert all(map(may_have_had_effect, (LOST, GARBLED, FOREIGN, answered(500), answered(503), answered(504))))
    assert not any(map(may_have_had_effect, (UNREACHED, BARRED, answered(409), answered(429))))


@pytest.mark.parametrize(
    ("status", "healthy"),
    [(400, True), (404, True), (408, True), (409, True), (429, False), (500, False)],
)
def test_refusal_speaks_for_the_health_of_the_server(status: int, healthy: bool) -> None:
    assert answered(status).healthy is healthy


@pytest.mark.parametrize("failure", [UNREACHED, LOST, GARBLED, FOREIGN], ids=lambda f: f.reason)
def test_no_readable_answer_speaks_against_the_health_of_the_server(failure: Failure) -> None:
    assert not failure.healthy


@given(st.integers(0, 10**9))
def test_retry_after_in_seconds_is_read(seconds: int) -> None:
    assert retry_after_s(f" {seconds} ", NOW) == min(seconds, MAX_RETRY_AFTER_S)


@given(st.integers(-(10**6), 10**6))
def test_retry_after_as_date_is_the_time_until_then(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert retry_after_s(date, NOW) == min(max(0, seconds), MAX_RETRY_AFTER_S)


@pytest.mark.parametrize(
    "value",
    [None, "", "soon", "-5", "1.5", "1e3", "\u0663", "9" * 5000, "Fri, 99 Jan 2026 03:04:05 GMT", "Fri, 02 Jan 99999"],
)
def test_retry_after_in_no_known_form_is_ignored(value: str | None) -> None:
    assert retry_after_s(value, NOW) is None


@given(st.text())
def test_retry_after_never_raises(value: str) -> None:
    seconds = retry_after_s(value, NOW)
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER_S


def test_busy_service_is_healthy_and_not_asked_again_at_once() -> None:
    busy = Failure(AttemptOutcome.BUSY, "answered 503", 503, retry_after_s=0.01)
    assert busy.healthy
    assert may_have_had_effect(busy)
    assert decide(busy) is Stop.FINAL
