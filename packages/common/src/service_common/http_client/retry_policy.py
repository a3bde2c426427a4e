"""Whether and after what delay a failed call is retried: values in, a decision out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

from ..backoff import Backoff

__all__ = [
    "AttemptOutcome",
    "Failure",
    "RetryBudget",
    "RetryPolicy",
    "Stop",
    "may_have_had_effect",
    "next_delay",
    "retry_after_s",
]

# RFC 9110, 15.5.9, 15.6.3-15.6.5 and RFC 6585, 4: the server says that another attempt may do better
_RETRYABLE = frozenset({408, 429, 502, 503, 504})
# longest Retry-After that is obeyed, in case of a wrong clock or header
MAX_RETRY_AFTER_S = 300.0
_BACKOFF = Backoff(base_s=0.05, cap_s=1.0)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Limits of the attempts and retries of a client.

    Attributes:
        attempts: maximum attempts of one call, the first included; 1 means no retry.
        backoff: delays between them; a longer ``Retry-After`` of the server takes precedence.
        min_attempt_s: least time left for an attempt to be started.
        connect_timeout_s: time limit for opening a connection.
        budget_ratio: retries per call that the whole client may make in the long run.
        budget_burst: retries that it may make beyond that after a calm time.
    """

    attempts: int = 3
    backoff: Backoff = _BACKOFF
    min_attempt_s: float = 0.01
    connect_timeout_s: float = 0.5
    budget_ratio: float = 0.1
    budget_burst: float = 10.0


class AttemptOutcome(Enum):
    """How an attempt failed."""

    BARRED = "barred"
    """The circuit is open: nothing was sent."""
    UNREACHED = "unreached"
    """There was no connection: nothing was sent."""
    LOST = "lost"
    """The request was sent and no whole answer came: time-out, reset, closed connection."""
    GARBLED = "garbled"
    """The answer is not one of the service: it can't be read, or a proxy gave it."""
    REFUSED = "refused"
    """Answered by a problem document of the operation; the same request would be refused again."""
    BUSY = "busy"
    """Answered, after a wait, that another transaction holds what the request needs: the caller may try again later."""
    FAILED = "failed"
    """Answered 408, 429, 5xx, or by another problem document, such as the one for a wrong token."""


_NO_ANSWER = frozenset({AttemptOutcome.LOST, AttemptOutcome.GARBLED})


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt.

    Attributes:
        reason: what happened, for the message of an error.
        status: status code of the answer; 0 without one.
        retry_after_s: ``Retry-After`` of the answer, in seconds.
        body: body of the answer.
    """

    outcome: AttemptOutcome
    reason: str
    status: int = 0
    retry_after_s: float | None = None
    body: bytes = b""

    @property
    def healthy(self) -> bool:
        """Whether the server did its part: it answered, and blames the caller (4xx but 429) or another transaction."""
        if self.outcome is AttemptOutcome.BUSY:
            return True
        return self.outcome is not AttemptOutcome.GARBLED and 400 <= self.status < 500 and self.status != 429


class Stop(Enum):
    """Why there is no further attempt."""

    FINAL = "another attempt would not help or might repeat an effect"
    ATTEMPTS = "no attempt is left"
    DEADLINE = "no time is left"
    CIRCUIT = "the circuit is open"
    BUDGET = "the retry budget is spent"


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """A token bucket: each call adds *ratio* of a token, each retry takes one.

    It bounds the load that retries add to an overloaded server: https://sre.google/sre-book/handling-overload/.
    """

    ratio: float
    burst: float
    tokens: float

    @classmethod
    def of(cls, policy: RetryPolicy) -> RetryBudget:
        """Return a full bucket."""
        return cls(policy.budget_ratio, policy.budget_burst, policy.budget_burst)

    @property
    def spent(self) -> bool:
        """Whether no retry is left."""
        return self.tokens < 1

    def call(self) -> RetryBudget:
        """Account for a call."""
        if self.tokens >= self.burst:
            return self
        return RetryBudget(self.ratio, self.burst, min(self.burst, self.tokens + self.ratio))

    def retry(self) -> RetryBudget:
        """Account for a retry."""
        return RetryBudget(self.ratio, self.burst, self.tokens - 1)


def next_delay(
    policy: RetryPolicy,
    failure: Failure,
    *,
    attempt: int,
    idempotent: bool,
    delay_s: float,
    left_s: float,
    circuit_wait_s: float,
    budget: RetryBudget,
) -> float | Stop:
    """Decide what follows *failure* of the *attempt*-th attempt (the first is 1).

    Args:
        policy: the limits.
        failure: what happened.
        attempt: number of attempts so far.
        idempotent: whether the call may be repeated.
        delay_s: delay unless the server asked for a longer one, in seconds.
        left_s: seconds until the deadline of the call.
        circuit_wait_s: seconds until the circuit admits an attempt.
        budget: budget of the client.

    Returns:
        Seconds to wait before the next attempt, or why there is none.
    """
    if not _retryable(failure, idempotent=idempotent):
        return Stop.FINAL
    if attempt >= policy.attempts:
        return Stop.ATTEMPTS
    delay_s = max(delay_s, failure.retry_after_s or 0.0)
    if delay_s + policy.min_attempt_s > left_s:
        return Stop.DEADLINE
    if circuit_wait_s > delay_s:
        return Stop.CIRCUIT
    return Stop.BUDGET if budget.spent else delay_s


def may_have_had_effect(failure: Failure) -> bool:
    """Whether the server may have carried out the request, so that a retry might repeat its effect."""
    return failure.outcome in _NO_ANSWER or failure.status >= 500


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Read a ``Retry-After`` header (RFC 9110, 10.2.3): seconds or an HTTP date.

    Args:
        value: of the header, None when there is none.
        now: the aware time that a date is compared with.

    Returns:
        0 to 300 seconds; None when it is neither form.
    """
    if value is None:
        return None
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,10}", value):
        return min(float(value), MAX_RETRY_AFTER_S)
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    seconds = (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds()
    return min(max(0.0, seconds), MAX_RETRY_AFTER_S)


def _retryable(failure: Failure, *, idempotent: bool) -> bool:
    if failure.outcome is AttemptOutcome.UNREACHED:
        return True
    if failure.outcome is AttemptOutcome.BUSY:
        return False
    return idempotent and (failure.outcome in _NO_ANSWER or failure.status in _RETRYABLE)
