from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_common.errors import PermanentError, TransientError, UnavailableError
from service_common.events import UnreadableEventError
from service_common.sqs import DelayPolicy
from service_common.sqs.delivery import MAX_REASON_CHARACTERS, MAX_VISIBILITY_S, Acknowledge, DeadLetter, Delay, decide


def upper(_low: float, high: float) -> float:
    return high


def lower(low: float, _high: float) -> float:
    return low


def test_handler_that_returned_is_acknowledged() -> None:
    assert decide(None, 7) == Acknowledge()


def test_permanent_error_is_dead_lettered_with_its_reason() -> None:
    assert decide(UnreadableEventError("not JSON"), 1) == DeadLetter("unreadable-event: not JSON")


@pytest.mark.parametrize(
    "error", [TransientError("later"), ValueError("a defect"), asyncio.CancelledError(), TimeoutError()]
)
def test_anything_else_is_tried_again(error: BaseException) -> None:
    assert isinstance(decide(error, 1), Delay)


def test_longest_delay_doubles_with_each_receive_up_to_the_cap() -> None:
    policy = DelayPolicy(base_s=2.0, cap_s=30.0)
    delays = [decide(TransientError(""), count, policy, upper) for count in range(1, 7)]
    assert delays == [Delay(2), Delay(4), Delay(8), Delay(16), Delay(30), Delay(30)]


def test_delay_is_never_none_at_all() -> None:
    assert decide(TransientError(""), 1, uniform=lower) == Delay(1)


def test_what_is_away_says_when_to_come_back_at_the_earliest() -> None:
    assert decide(UnavailableError("", retry_after_s=7.2), 1, uniform=lower) == Delay(8)


@given(st.integers(-1, 10**9), st.floats(0.001, 10**6), st.floats(0.001, 10**6), st.floats(0, 10**9))
def test_delay_is_always_one_sqs_takes(count: int, base_s: float, cap_s: float, retry_after_s: float) -> None:
    error = UnavailableError("", retry_after_s=retry_after_s)
    decision = decide(error, count, DelayPolicy(base_s, cap_s), upper)
    assert isinstance(decision, Delay)
    assert 1 <= decision.visibility_s <= MAX_VISIBILITY_S


@given(st.integers(1, 50))
def test_delay_lies_within_the_jitter_rounded_up(count: int) -> None:
    decision = decide(TransientError(""), count)
    assert isinstance(decision, Delay)
    assert 1 <= decision.visibility_s <= DelayPolicy().longest_s(count)


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=30))
def test_reason_is_always_a_text_sqs_takes(detail: str) -> None:
    decision = decide(PermanentError(detail * 100), 1)
    assert isinstance(decision, DeadLetter)
    assert 0 < len(decision.reason) <= MAX_REASON_CHARACTERS
    assert all(
        character in "\t\n\r"
        or "\x20" <= character <= "\ud7ff"
        or "\ue000" <= character <= "\ufffd"
        or character >= "\U00010000"
        for character in decision.reason
    )
