"""The saga of one version of an order: which step comes next and what its outcome leads to. No I/O.

::

    STARTED --stock taken--> STOCK_TAKEN --order closed--> DONE
       | refused                  | order cancelled or changed
       v                          v
    FAILING --order cancelled or changed--> RELEASING --stock given back--> RELEASED
       | order failed
       v
    FAILED

An outcome that is unknown leaves the saga where it is: the same step is tried again, for as long as it takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import TypeAlias

from order_contracts import EventType, Item
from service_common.backoff import Backoff
from service_common.errors import NotFoundError

__all__ = [
    "LATE_AFTER_S",
    "Refused",
    "Saga",
    "SagaNotFoundError",
    "SagaState",
    "SagaStep",
    "StepOutcome",
    "Succeeded",
    "Unanswered",
    "Withdrawn",
]

LATE_AFTER_S = 30.0
RETRY_BACKOFF = Backoff(base_s=0.5, cap_s=15.0)
MAX_TEXT = 500


class SagaNotFoundError(NotFoundError):
    """No version of the order has a saga, at least not yet."""

    slug = "saga-not-found"

    def __init__(self, order_id: int | str) -> None:
        super().__init__(f"There is no saga of order {order_id}.")


class SagaState(StrEnum):
    """How far a saga has come; the last three are ends."""

    STARTED = "STARTED"
    STOCK_TAKEN = "STOCK_TAKEN"
    FAILING = "FAILING"
    RELEASING = "RELEASING"
    DONE = "DONE"
    FAILED = "FAILED"
    RELEASED = "RELEASED"

    @property
    def ended(self) -> bool:
        """Whether nothing follows."""
        return self not in _STEPS


class SagaStep(Enum):
    """What is asked of another service."""

    TAKE_STOCK = "take stock"
    CLOSE_ORDER = "close order"
    FAIL_ORDER = "fail order"
    RELEASE_STOCK = "release stock"


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The step was carried out, now or by an earlier attempt."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The stock can't be had, for good."""

    reason: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The order service does not want this version of the order any more: cancelled, changed, gone."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer that says whether the step was carried out; *retry_after_s* is the least time to wait."""

    error: str
    retry_after_s: float = 0.0


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


@dataclass(frozen=True, slots=True)
class Saga:
    """The work on one version of an order.

    Attributes:
        reason: why the order is not fulfilled, once it is known that it is not.
        attempts: how often a step was tried, all steps together.
        failures: how often the present step was tried without an answer, in a row.
        last_error: what the last of these said.
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

    @property
    def operation_id(self) -> str:
        """What makes taking and releasing its stock happen once."""
        return f"{self.order_id}:{self.version}"

    @property
    def ended(self) -> bool:
        """Whether nothing follows."""
        return self.state.ended

    @property
    def step(self) -> SagaStep:
        """What comes next.

        Raises:
            ValueError: nothing does.
        """
        if self.ended:
            raise ValueError(f"the saga of {self.operation_id} has ended")
        return _STEPS[self.state]

    @property
    def event(self) -> EventType | None:
        """What is told of the end that it has come to: nothing of an order that somebody else brought to its end."""
        return _EVENTS.get(self.state)

    def after(self, outcome: StepOutcome) -> Saga:
        """Return the saga as the outcome of its step leaves it.

        An outcome that its step can't have is as good as unknown.

        Raises:
            ValueError: it has ended.
        """
        step = self.step
        if isinstance(outcome, Unanswered):
            return self._tried_in_vain(step, outcome.error)
        target = _TRANSITIONS.get((self.state, type(outcome)))
        if target is None:
            return self._tried_in_vain(step, f"answered by {outcome}")
        reason = _text(outcome.reason) if isinstance(outcome, Refused | Withdrawn) else self.reason
        return replace(self, state=target, reason=reason, attempts=self.attempts + 1, failures=0)

    def _tried_in_vain(self, step: SagaStep, error: str) -> Saga:
        last_error = _text(f"{step.value}: {error}")
        return replace(self, attempts=self.attempts + 1, failures=self.failures + 1, last_error=last_error)


def _text(said: str) -> str:
    """Cut what others said to what a column and a message take: no NUL, no lone surrogate, 500 characters."""
    return said.replace("\0", "").encode("utf-8", "replace").decode()[:MAX_TEXT]
