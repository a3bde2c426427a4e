from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_contracts import EventType, Item
from processing_service.saga import (
    FailedAttempt,
    FailureKind,
    Refused,
    Saga,
    SagaState,
    SagaStep,
    StepOutcome,
    Succeeded,
    Unanswered,
    Withdrawn,
)
from service_common.errors import UnavailableError
from service_common.http_client import OutcomeUnknownError

NEW = Saga(123, 1, (Item("a", 2),))
AT = datetime(2026, 5, 17, 12, tzinfo=UTC)
LEGAL = {
    SagaState.STARTED: {SagaState.STOCK_TAKEN, SagaState.FAILING, SagaState.RELEASING},
    SagaState.STOCK_TAKEN: {SagaState.DONE, SagaState.RELEASING},
    SagaState.FAILING: {SagaState.FAILED, SagaState.RELEASING},
    SagaState.RELEASING: {SagaState.RELEASED},
    SagaState.DONE: set[SagaState](),
    SagaState.FAILED: set[SagaState](),
    SagaState.RELEASED: set[SagaState](),
}

texts = st.text(max_size=600)
outcomes: st.SearchStrategy[StepOutcome] = st.one_of(
    st.just(Succeeded()),
    st.builds(Refused, texts),
    st.builds(Withdrawn, texts),
    st.builds(Unanswered, texts, st.floats(0, 300)),
)


def run(saga: Saga, *happened: StepOutcome) -> Saga:
    for outcome in happened:
        saga = saga.after(outcome)
    return saga


def test_stock_taken_and_order_closed_is_done() -> None:
    done = run(NEW, Succeeded(), Succeeded())
    assert (done.state, done.event, done.attempts) == (SagaState.DONE, EventType.ORDER_PROCESSED, 2)


def test_refused_stock_fails_the_order_with_the_reason() -> None:
    failed = run(NEW, Refused("short"), Succeeded())
    assert (failed.state, failed.event, failed.reason) == (SagaState.FAILED, EventType.ORDER_FAILED, "short")


@pytest.mark.parametrize("first", [Succeeded(), Refused("short")])
def test_withdrawn_order_has_its_stock_released_without_an_event(first: StepOutcome) -> None:
    releasing = run(NEW, first, Withdrawn("cancelled"))
    assert (releasing.step, releasing.reason) == (SagaStep.RELEASE_STOCK, "cancelled")
    released = releasing.after(Succeeded())
    assert (released.state, released.event) == (SagaState.RELEASED, None)


def test_unanswered_step_leaves_the_saga_in_its_state() -> None:
    tried = run(NEW, Unanswered("timeout"), Unanswered("refused connection"))
    assert (tried.state, tried.step, tried.attempts, tried.failures) == (SagaState.STARTED, SagaStep.TAKE_STOCK, 2, 2)
    assert tried.last_error == "take stock: refused connection"
    taken = tried.after(Succeeded())
    assert (taken.state, taken.attempts, taken.failures) == (SagaState.STOCK_TAKEN, 3, 0)


def test_failed_attempt_is_of_the_step_that_was_unanswered() -> None:
    lost = Unanswered.by(OutcomeUnknownError("no answer", retry_after_s=3))
    assert lost == Unanswered("no answer", 3, FailureKind.OUTCOME_UNKNOWN)
    assert Unanswered.by(UnavailableError("refused connection")).kind is FailureKind.UNAVAILABLE
    assert NEW.failed_attempt(lost, AT, 2.0000004) == FailedAttempt(
        AT, 2.0, SagaStep.TAKE_STOCK, FailureKind.OUTCOME_UNKNOWN, "no answer"
    )


def test_outcome_that_a_step_can_not_have_leaves_it_unanswered() -> None:
    taken = NEW.after(Succeeded())
    failure = taken.failure(Refused("short"))
    assert failure is not None
    assert failure.kind is FailureKind.UNEXPECTED
    assert taken.failure(Succeeded()) is None
    assert taken.after(Refused("short")) == taken.after(failure)


def test_operation_id_is_made_of_order_version_and_attempt() -> None:
    assert NEW.operation_id == "123:1"
    assert [replace(NEW, restarts=count).operation_id for count in (1, 2)] == ["123:1:2", "123:1:3"]


@given(st.lists(outcomes, max_size=12))
def test_any_outcomes_lead_through_legal_states_to_one_final_state(happened: Sequence[StepOutcome]) -> None:
    saga = NEW
    told: list[EventType] = []
    for outcome in happened:
        if saga.ended:
            with pytest.raises(ValueError, match="ended"):
                saga.after(outcome)
            continue
        before, saga = saga, saga.after(outcome)
        assert saga.state is before.state or saga.state in LEGAL[before.state]
        assert saga.attempts == before.attempts + 1
        assert saga.failures == (before.failures + 1 if saga.state is before.state else 0)
        assert (saga.order_id, saga.version, saga.items) == (NEW.order_id, NEW.version, NEW.items)
        if isinstance(outcome, Unanswered):
            assert saga.state is before.state
        if saga.event is not None:
            told.append(saga.event)
    assert len(told) == (saga.state in {SagaState.DONE, SagaState.FAILED})
    assert (saga.state is SagaState.FAILED) <= (saga.reason is not None)


@given(st.lists(outcomes, max_size=12))
def test_texts_of_other_services_fit_the_columns(happened: Sequence[StepOutcome]) -> None:
    saga = NEW
    for outcome in happened:
        if not saga.ended:
            saga = saga.after(outcome)
    for said in (saga.reason, saga.last_error):
        if said is not None:
            assert len(said.encode()) <= 4 * 500
            assert "\0" not in said


def test_lone_surrogates_are_replaced() -> None:
    assert NEW.after(Refused("a\0b\ud800c")).reason == "ab?c"


def test_ended_saga_has_no_step() -> None:
    with pytest.raises(ValueError, match="123:1 has ended"):
        _ = run(NEW, Succeeded(), Succeeded()).step
