"""A circuit breaker as a value: each transition gives the next one.

It counts over the last attempts, not over time, so that its memory is one integer and a healthy circuit never changes.
The states are those of https://martinfowler.com/bliki/CircuitBreaker.html.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

__all__ = ["Circuit", "CircuitPolicy", "CircuitState"]


@dataclass(frozen=True, slots=True)
class CircuitPolicy:
    """When to stop asking, and when to ask again.

    Attributes:
        window: how many of the last attempts count.
        minimum: fewer attempts than this say nothing.
        failure_ratio: this part of them, 0 to 1, or more having failed opens the circuit.
        open_s: seconds until an open circuit lets probes through.
        probes: so many at a time; when so many in a row succeeded, the circuit closes.
    """

    window: int = 20
    minimum: int = 10
    failure_ratio: float = 0.5
    open_s: float = 1.0
    probes: int = 2


class CircuitState(Enum):
    """Whether attempts are let through; the value is what the metric shows."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


@dataclass(frozen=True, slots=True)
class Circuit:
    """The circuit at one moment.

    Attributes:
        era: rises whenever the state changes. An attempt carries that of its admission as its permit, and
            what it reports counts in that era only.
        opened_at_s: when it opened last, on the clock that the caller passes in.
        probing: permits that are out while half open.
        passed: probes that succeeded.
    """

    policy: CircuitPolicy
    state: CircuitState = CircuitState.CLOSED
    era: int = 0
    opened_at_s: float = 0.0
    probing: int = 0
    passed: int = 0
    seen: int = 0
    failures: int = 0  # a bit for each of the last attempts, the newest lowest

    def wait_s(self, now_s: float) -> float:
        """Return the seconds until it is worth asking for a permit; 0 when it is now."""
        if self.state is CircuitState.OPEN:
            return max(0.0, self.opened_at_s + self.policy.open_s - now_s)
        if self.state is CircuitState.HALF_OPEN and self.probing >= self.policy.probes:
            return self.policy.open_s
        return 0.0

    def admit(self, now_s: float) -> tuple[Circuit, int | None]:
        """Ask for a permit; there is none while the circuit is open or all probes are out.

        Each permit comes back by exactly one of :meth:`record` and :meth:`release`.
        """
        if self.state is CircuitState.CLOSED:
            return self, self.era
        if self.wait_s(now_s) > 0:
            return self, None
        half_open = self if self.state is CircuitState.HALF_OPEN else self._enter(CircuitState.HALF_OPEN)
        return replace(half_open, probing=half_open.probing + 1), half_open.era

    def record(self, permit: int, now_s: float, *, healthy: bool) -> Circuit:
        """Report how the attempt with *permit* went."""
        if permit != self.era:
            return self
        if self.state is CircuitState.CLOSED:
            return self._counted(now_s, healthy=healthy)
        if not healthy:
            return self._enter(CircuitState.OPEN, now_s)
        if self.passed + 1 >= self.policy.probes:
            return self._enter(CircuitState.CLOSED)
        return replace(self, probing=self.probing - 1, passed=self.passed + 1)

    def release(self, permit: int) -> Circuit:
        """Give *permit* back with nothing to report: the attempt was cancelled."""
        if permit != self.era or self.state is not CircuitState.HALF_OPEN:
            return self
        return replace(self, probing=self.probing - 1)

    def _counted(self, now_s: float, *, healthy: bool) -> Circuit:
        policy = self.policy
        if healthy and not self.failures and self.seen == policy.window:
            return self
        seen = min(self.seen + 1, policy.window)
        failures = (self.failures << 1 | (not healthy)) & ((1 << policy.window) - 1)
        if not healthy and seen >= policy.minimum and failures.bit_count() >= policy.failure_ratio * seen:
            return self._enter(CircuitState.OPEN, now_s)
        return replace(self, seen=seen, failures=failures)

    def _enter(self, state: CircuitState, now_s: float = 0.0) -> Circuit:
        return Circuit(self.policy, state, self.era + 1, opened_at_s=now_s)
