from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_common.backoff import Backoff
from service_common.errors import PermanentError, TransientError, UnavailableError
from service_common.events import UnreadableEventError
from service_common.sqs.delivery import MAX_REASON_CHARACTERS, Acknowledge, DeadLetter, Delay, decide
from service_common.sqs.limits import MAX_VISIBILITY_S

BACKOFF = Backoff(1.0, 300.0)


def test_handler_that_returned_is_acknowledged() -> None:
    assert decide(None, 7, BACKOFF) == Acknowledge()


def test_permanent_error_is_dead_lettered_with_its_reason() -> None:
    assert decide(UnreadableEventError("not JSON"), 1, BACKOFF) == DeadLetter("unreadable-event: not JSON")


@pytest.mark.parametrize(
    "error", [TransientError("later"), ValueError("a defect"), asyncio.CancelledError(), TimeoutError()]
)
def test_any_other_error_is_retried(error: BaseException) -> None:
    assert isinstance(decide(error, 1, BACKOFF), Delay)


def test_delay_is_at_least_a_second() -> None:
    assert decide(TransientError(""), 1, Backoff(0.0, 0.0)) == Delay(1)


def test_retry_after_of_the_error_is_the_least_delay() -> None:
    assert decide(UnavailableError("", retry_after_s=7.2), 1, BACKOFF) == Delay(8)


@given(st.integers(-1, 10**9), st.floats(0.001, 10**6), st.floats(0.001, 10**6), st.floats(0, 10**9))
def test_delay_is_always_one_sqs_accepts(count: int, base_s: float, cap_s: float, retry_after_s: float) -> None:
    error = UnavailableError("", retry_after_s=retry_after_s)
    decision = decide(error, count, Backoff(base_s, cap_s))
    assert isinstance(decision, Delay)
    assert 1 <= decision.visibility_s <= MAX_VISIBILITY_S


@given(st.integers(1, 50))
def test_delay_is_the_back_off_of_the_receive_count_rounded_up(count: int) -> None:
    decision = decide(TransientError(""), count, BACKOFF)
    assert isinstance(decision, Delay)
    assert 1 <= decision.visibility_s <= BACKOFF.bound_s(count)


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=30))
def test_reason_has_only_characters_that_sqs_accepts(detail: str) -> None:
    decision = decide(PermanentError(detail * 100), 1, BACKOFF)
    assert isinstance(decision, DeadLetter)
    assert 0 < len(decision.reason) <= MAX_REASON_CHARACTERS
    assert all(
        character in "\t\n\r"
        or "\x20" <= character <= "\ud7ff"
        or "\ue000" <= character <= "\ufffd"
        or character >= "\U00010000"
        for character in decision.reason
    )
