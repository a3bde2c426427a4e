"""When a failed call is tried again, and after what delay: values in, a decision out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

import backoff

__all__ = [
    "Budget",
    "Failure",
    "Outcome",
    "RetryPolicy",
    "Stop",
    "back_off",
    "may_have_had_effect",
    "next_delay",
    "retry_after_s",
]

# RFC 9110, 15.5.9, 15.6.3-15.6.5 and RFC 6585, 4: the server says that another attempt may do better
_RETRYABLE = frozenset({408, 429, 502, 503, 504})
# a server that asks for more is asked again all the same, so that a wrong clock or header stalls no one for ever
MAX_RETRY_AFTER_S = 300.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how soon.

    Attributes:
        attempts: at most so many for one call, the first one included; 1 means no retry.
        first_delay_s: upper bound of the delay before the second attempt; it doubles with each further one.
        max_delay_s: upper bound of any delay that the server did not ask for.
        min_attempt_s: an attempt that would have less time than this is not begun.
        connect_timeout_s: a connection that is not there by then will not come.
        budget_ratio: retries per call that the whole client may make in the long run.
        budget_burst: retries that it may make beyond that after a calm time.
    """

    attempts: int = 3
    first_delay_s: float = 0.05
    max_delay_s: float = 1.0
    min_attempt_s: float = 0.01
    connect_timeout_s: float = 0.5
    budget_ratio: float = 0.1
    budget_burst: float = 10.0


class Outcome(Enum):
    """What became of an attempt that did not succeed."""

    BARRED = "barred"
    """The circuit is open: nothing was tried."""
    UNREACHED = "unreached"
    """There was no connection: nothing was sent."""
    LOST = "lost"
    """The request was sent and no whole answer came: time-out, reset, closed connection."""
    GARBLED = "garbled"
    """What came back can't be read."""
    REFUSED = "refused"
    """Answered 4xx, and the same request would be again."""
    FAILED = "failed"
    """Answered with any other status: 408, 429, 5xx, or a redirection."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that did not succeed.

    Attributes:
        reason: for the reader of an error.
        status: of the answer; 0 when there was none.
        retry_after_s: what the answer asked for, in seconds.
        body: of the answer.
    """

    outcome: Outcome
    reason: str
    status: int = 0
    retry_after_s: float | None = None
    body: bytes = b""

    @property
    def healthy(self) -> bool:
        """Whether the server did its part: it answered, and its answer blames the caller (4xx but 429)."""
        return 400 <= self.status < 500 and self.status != 429


class Stop(Enum):
    """Why there is no further attempt."""

    FINAL = "another attempt would not help or might repeat an effect"
    ATTEMPTS = "no attempt is left"
    DEADLINE = "no time is left"
    CIRCUIT = "the circuit is open"
    BUDGET = "the retry budget is spent"


@dataclass(frozen=True, slots=True)
class Budget:
    """A token bucket: each call puts *ratio* of a token in, each retry takes one out.

    It bounds the load that retries add to a server in trouble: https://sre.google/sre-book/handling-overload/.
    """

    ratio: float
    burst: float
    tokens: float

    @classmethod
    def of(cls, policy: RetryPolicy) -> Budget:
        """Begin with a full bucket."""
        return cls(policy.budget_ratio, policy.budget_burst, policy.budget_burst)

    @property
    def spent(self) -> bool:
        """Whether there is no retry in it."""
        return self.tokens < 1

    def call(self) -> Budget:
        """Account for a call."""
        if self.tokens >= self.burst:
            return self
        return Budget(self.ratio, self.burst, min(self.burst, self.tokens + self.ratio))

    def retry(self) -> Budget:
        """Account for a retry."""
        return Budget(self.ratio, self.burst, self.tokens - 1)


def back_off(policy: RetryPolicy) -> Iterator[float]:
    """Yield the delays before the second, third, … attempt in seconds: exponential with full jitter.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    bounds = backoff.expo(base=2, factor=policy.first_delay_s, max_value=policy.max_delay_s)
    next(bounds)  # the generator's first value is a handshake of its library
    return map(backoff.full_jitter, bounds)


def next_delay(
    policy: RetryPolicy,
    failure: Failure,
    *,
    attempt: int,
    idempotent: bool,
    delay_s: float,
    left_s: float,
    circuit_wait_s: float,
    budget: Budget,
) -> float | Stop:
    """Decide what follows *failure* of the *attempt*-th attempt (the first is 1).

    Args:
        policy: the limits.
        failure: what happened.
        attempt: how many attempts there were.
        idempotent: whether the call may be carried out twice.
        delay_s: the delay to wait unless the server asked for a longer one.
        left_s: seconds until the deadline of the call.
        circuit_wait_s: seconds until the circuit lets an attempt through.
        budget: of the client.

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
    """Whether the server may have done what it was asked to: only then is a repeated effect possible."""
    return failure.outcome in {Outcome.LOST, Outcome.GARBLED} or failure.status >= 500


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
    if failure.outcome is Outcome.UNREACHED:
        return True
    return idempotent and (failure.outcome is Outcome.LOST or failure.status in _RETRYABLE)
