"""The saga of one version of an order: its states, steps and transitions. No I/O.

::

    STARTED --stock taken--> STOCK_TAKEN --order closed--> DONE
       | refused                  | order cancelled or changed
       v                          v
    FAILING --order cancelled or changed--> RELEASING --stock released--> RELEASED
       | order failed
       v
    FAILED

An unanswered step leaves the state unchanged and is retried without limit. A saga that was RELEASED is started again
when its order is announced again: the order service does so for an order that is still CREATED in that version. As the
event may also be a late duplicate, such a saga first has the order confirmed: STARTED --withdrawn--> RELEASING.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import TypeAlias

from order_contracts import EventType, Item
from service_common.backoff import Backoff
from service_common.errors import ConflictError, NotFoundError, UnavailableError
from service_common.scope import ANONYMOUS

__all__ = [
    "LATE_AFTER_S",
    "MAX_FAILED_ATTEMPTS",
    "FailedAttempt",
    "FailureKind",
    "Refused",
    "Saga",
    "SagaEndedError",
    "SagaNotFoundError",
    "SagaState",
    "SagaStep",
    "StepOutcome",
    "Succeeded",
    "Unanswered",
    "Withdrawn",
    "operation_id",
]

LATE_AFTER_S = 30.0
RETRY_BACKOFF = Backoff(base_s=0.5, cap_s=15.0)
MAX_TEXT = 500
MAX_FAILED_ATTEMPTS = 20


class SagaNotFoundError(NotFoundError):
    """The order has no saga yet, or does not exist."""

    slug = "saga-not-found"

    def __init__(self, order_id: int | str) -> None:
        super().__init__(f"There is no saga of order {order_id}.")


class SagaEndedError(ConflictError):
    """The saga has ended, so there is nothing to retry."""

    slug = "saga-ended"

    def __init__(self, order_id: int, state: SagaState) -> None:
        super().__init__(f"The saga of order {order_id} has ended: it is {state}.")


class SagaState(StrEnum):
    """The state of a saga; the last three are final."""

    STARTED = "STARTED"
    STOCK_TAKEN = "STOCK_TAKEN"
    FAILING = "FAILING"
    RELEASING = "RELEASING"
    DONE = "DONE"
    FAILED = "FAILED"
    RELEASED = "RELEASED"

    @property
    def ended(self) -> bool:
        """Whether the state is final."""
        return self not in _STEPS


class SagaStep(Enum):
    """A call to another service."""

    TAKE_STOCK = "take stock"
    CLOSE_ORDER = "close order"
    FAIL_ORDER = "fail order"
    RELEASE_STOCK = "release stock"


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The step was carried out, by this or an earlier attempt."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The inventory refuses the stock, finally."""

    reason: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The order service refuses the version: the order was cancelled or changed, or does not exist."""

    reason: str


class FailureKind(StrEnum):
    """Why the outcome of a step is unknown."""

    UNAVAILABLE = "unavailable"
    """The other service is away, or can't do it now; the attempt had no effect."""
    OUTCOME_UNKNOWN = "outcome-unknown"
    """No answer said whether the attempt had its effect."""
    UNEXPECTED = "unexpected"
    """The answer is none that this step can have."""
    CRASHED = "crashed"
    """A defect of this service; its words are in the log."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The outcome is unknown; *retry_after_s* is the shortest delay before the next attempt."""

    error: str
    retry_after_s: float = 0.0
    kind: FailureKind = FailureKind.UNAVAILABLE

    @classmethod
    def by(cls, error: UnavailableError) -> Unanswered:
        """Return it for the *error* of a call."""
        unknown = error.slug == FailureKind.OUTCOME_UNKNOWN
        kind = FailureKind.OUTCOME_UNKNOWN if unknown else FailureKind.UNAVAILABLE
        return cls(error.detail, error.retry_after_s, kind)


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """An attempt of a step that was unanswered.

    Attributes:
        at: when it ended.
        seconds: how long it took, with the retries of the HTTP client.
    """

    at: datetime
    seconds: float
    step: SagaStep
    kind: FailureKind
    error: str


StepOutcome: TypeAlias = Succeeded | Refused | Withdrawn | Unanswered

_STEPS: Mapping[SagaState, SagaStep] = MappingProxyType(
    {
        SagaState.STARTED: SagaStep.TAKE_STOCK,
        SagaState.STOCK_TAKEN: SagaStep.CLOSE_ORDER,
        SagaState.FAILING: SagaStep.FAIL_ORDER,
        SagaState.RELEASING: SagaStep.RELEASE_STOCK,
    }
)
_TRANSITIONS: Mapping[tuple[SagaState, type[StepOutcome]], SagaState] = MappingProxyType(
    {
        (SagaState.STARTED, Succeeded): SagaState.STOCK_TAKEN,
        (SagaState.STARTED, Refused): SagaState.FAILING,
        (SagaState.STARTED, Withdrawn): SagaState.RELEASING,
        (SagaState.STOCK_TAKEN, Succeeded): SagaState.DONE,
        (SagaState.STOCK_TAKEN, Withdrawn): SagaState.RELEASING,
        (SagaState.FAILING, Succeeded): SagaState.FAILED,
        (SagaState.FAILING, Withdrawn): SagaState.RELEASING,
        (SagaState.RELEASING, Succeeded): SagaState.RELEASED,
    }
)
_EVENTS: Mapping[SagaState, EventType] = MappingProxyType(
    {SagaState.DONE: EventType.ORDER_PROCESSED, SagaState.FAILED: EventType.ORDER_FAILED}
)


def operation_id(order_id: int, version: int, restarts: int) -> str:
    """Return the operation id of a run of a saga."""
    first = f"{order_id}:{version}"
    return f"{first}:{restarts + 1}" if restarts else first


@dataclass(frozen=True, slots=True)
class Saga:
    """The processing of one version of an order.

    Attributes:
        reason: why the order is not fulfilled.
        attempts: of all steps together.
        failures: of the current step in a row.
        last_error: the error of the last failure.
        restarts: how often the saga was started again after it had been RELEASED.
        customer_id: whose order it is.
    """

    order_id: int
    version: int
    items: tuple[Item, ...]
    traceparent: str | None = None
    state: SagaState = SagaState.STARTED
    reason: str | None = None
    attempts: int = 0
    failures: int = 0
    last_error: str | None = None
    restarts: int = 0
    customer_id: str = ANONYMOUS
    tracestate: str | None = None

    @property
    def operation_id(self) -> str:
        """The operation id of its calls to the inventory: a new one after each release, which is final."""
        return operation_id(self.order_id, self.version, self.restarts)

    @property
    def facts(self) -> Mapping[str, str | int]:
        """What a log line says of it."""
        return {
            "orderId": self.order_id,
            "version": self.version,
            "customerId": self.customer_id,
            "state": self.state.value,
        }

    @property
    def ended(self) -> bool:
        """Whether the state is final."""
        return self.state.ended

    @property
    def step(self) -> SagaStep:
        """The next step.

        Raises:
            ValueError: the saga has ended.
        """
        if self.ended:
            raise ValueError(f"the saga of {self.operation_id} has ended")
        return _STEPS[self.state]

    @property
    def event(self) -> EventType | None:
        """The event of its final state: none when the order service withdrew the order, or while the saga is open."""
        return _EVENTS.get(self.state)

    def after(self, outcome: StepOutcome) -> Saga:
        """Return the saga after *outcome* of its step; one that the step can't have counts as unanswered.

        Raises:
            ValueError: the saga has ended.
        """
        step, failure = self.step, self.failure(outcome)
        if failure is not None:
            last_error = _text(f"{step.value}: {failure.error}")
            return replace(self, attempts=self.attempts + 1, failures=self.failures + 1, last_error=last_error)
        reason = _text(outcome.reason) if isinstance(outcome, Refused | Withdrawn) else self.reason
        target = _TRANSITIONS[self.state, type(outcome)]
        return replace(self, state=target, reason=reason, attempts=self.attempts + 1, failures=0)

    def failure(self, outcome: StepOutcome) -> Unanswered | None:
        """Return why *outcome* leaves the step to be repeated; None when it does not."""
        if isinstance(outcome, Unanswered):
            return outcome
        if (self.state, type(outcome)) in _TRANSITIONS:
            return None
        return Unanswered(f"answered by {outcome}", kind=FailureKind.UNEXPECTED)

    def failed_attempt(self, failure: Unanswered, at: datetime, seconds: float) -> FailedAttempt:
        """Return the attempt of its step that had *failure*, ended at *at* and took *seconds*."""
        return FailedAttempt(at, round(seconds, 6), self.step, failure.kind, _text(failure.error))


def _text(text: str) -> str:
    """Make *text* fit for PostgreSQL and JSON: no NUL, no lone surrogate, at most 500 characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:MAX_TEXT]
