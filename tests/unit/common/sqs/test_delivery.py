from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_common.backoff import Backoff
from service_common.errors import PermanentError, TransientError, UnavailableError
from service_common.events import UnreadableEventError
from service_common.sqs.delivery import (
    MAX_REASON_CHARACTERS,
    Acknowledge,
    DeadLetter,
    Delay,
    Separate,
    bounded,
    decide,
    decide_batch,
    separates_at,
)
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


def test_batch_whose_parts_were_all_processed_is_acknowledged() -> None:
    assert decide_batch([Acknowledge(), Acknowledge()]) == Acknowledge()
    assert decide_batch([]) == Acknowledge()


def test_batch_of_which_all_is_to_be_retried_is_retried_as_it_is() -> None:
    assert decide_batch([Delay(3), Delay(7)]) == Delay(7)


def test_parts_that_were_not_processed_are_separated_from_the_others() -> None:
    letter = DeadLetter("unreadable-event: not JSON")
    assert decide_batch([Acknowledge(), Delay(3), letter]) == Separate({1: Delay(3), 2: letter})
    assert decide_batch([Delay(3), letter]) == Separate({0: Delay(3), 1: letter})


@pytest.mark.parametrize(("receives", "most", "final"), [(4, 5, False), (5, 5, True), (6, 5, True), (99, None, False)])
def test_part_is_dead_lettered_after_as_many_receives_as_a_message(receives: int, most: int, final: bool) -> None:
    decision = bounded(Delay(3), receives, most, "the database is away")
    expected = DeadLetter(f"received {receives} times: the database is away") if final else Delay(3)
    assert decision == expected


@pytest.mark.parametrize(("most", "count"), [(None, 3), (20, 3), (3, 3), (2, 2), (1, 2)])
def test_batch_is_separated_before_the_queue_gives_it_up(most: int, count: int) -> None:
    assert separates_at(most) == count
