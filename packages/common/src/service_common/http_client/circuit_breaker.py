"""A circuit breaker as a value: each transition returns the next one.

It counts over the last attempts, not over time, so that its memory is one integer and a healthy circuit never changes.
The states are those of https://martinfowler.com/bliki/CircuitBreaker.html.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

__all__ = ["CircuitBreaker", "CircuitPolicy", "CircuitState"]


@dataclass(frozen=True, slots=True)
class CircuitPolicy:
    """When the circuit opens and closes.

    Attributes:
        window: number of the last attempts that count.
        minimum: the circuit stays closed until this many attempts were recorded.
        failure_ratio: share of failed attempts, 0 to 1, that opens the circuit.
        open_s: seconds until an open circuit lets probes through.
        probes: maximum concurrent trial calls while half open; the same number of successes closes the circuit.
    """

    window: int = 20
    minimum: int = 10
    failure_ratio: float = 0.5
    open_s: float = 1.0
    probes: int = 2


class CircuitState(Enum):
    """Whether attempts are admitted; the value is the one of the metric."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


@dataclass(frozen=True, slots=True)
class CircuitBreaker:
    """The state of one circuit.

    Attributes:
        generation: rises with every change of state. It is the permit of an attempt: a result is recorded only in the
            generation that admitted the attempt.
        opened_at_s: when it opened last, on the clock that the caller passes in.
        probing: probes under way while half open.
        passed: probes that succeeded.
    """

    policy: CircuitPolicy
    state: CircuitState = CircuitState.CLOSED
    generation: int = 0
    opened_at_s: float = 0.0
    probing: int = 0
    passed: int = 0
    seen: int = 0
    failures: int = 0  # a bit for each of the last attempts, the newest lowest

    def wait_s(self, now_s: float) -> float:
        """Return the seconds until a permit may be available; 0 when one is available now."""
        if self.state is CircuitState.OPEN:
            return max(0.0, self.opened_at_s + self.policy.open_s - now_s)
        if self.state is CircuitState.HALF_OPEN and self.probing >= self.policy.probes:
            return self.policy.open_s
        return 0.0

    def admit(self, now_s: float) -> tuple[CircuitBreaker, int | None]:
        """Ask for a permit; None while the circuit is open or all probes are under way.

        Return each permit by exactly one of :meth:`record` and :meth:`release`.
        """
        if self.state is CircuitState.CLOSED:
            return self, self.generation
        if self.wait_s(now_s) > 0:
            return self, None
        half_open = self if self.state is CircuitState.HALF_OPEN else self._enter(CircuitState.HALF_OPEN)
        return replace(half_open, probing=half_open.probing + 1), half_open.generation

    def record(self, permit: int, now_s: float, *, healthy: bool) -> CircuitBreaker:
        """Record the result of the attempt with *permit*."""
        if permit != self.generation:
            return self
        if self.state is CircuitState.CLOSED:
            return self._counted(now_s, healthy=healthy)
        if not healthy:
            return self._enter(CircuitState.OPEN, now_s)
        if self.passed + 1 >= self.policy.probes:
            return self._enter(CircuitState.CLOSED)
        return replace(self, probing=self.probing - 1, passed=self.passed + 1)

    def release(self, permit: int) -> CircuitBreaker:
        """Return *permit* without a result: the attempt was cancelled."""
        if permit != self.generation or self.state is not CircuitState.HALF_OPEN:
            return self
        return replace(self, probing=self.probing - 1)

    def _counted(self, now_s: float, *, healthy: bool) -> CircuitBreaker:
        policy = self.policy
        if healthy and not self.failures and self.seen == policy.window:
            return self
        seen = min(self.seen + 1, policy.window)
        failures = (self.failures << 1 | (not healthy)) & ((1 << policy.window) - 1)
        if not healthy and seen >= policy.minimum and failures.bit_count() >= policy.failure_ratio * seen:
            return self._enter(CircuitState.OPEN, now_s)
        return replace(self, seen=seen, failures=failures)

    def _enter(self, state: CircuitState, now_s: float = 0.0) -> CircuitBreaker:
        return CircuitBreaker(self.policy, state, self.generation + 1, opened_at_s=now_s)
