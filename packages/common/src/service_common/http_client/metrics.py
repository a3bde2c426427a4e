"""Metrics of the calls of a client."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

from ..observability import Metrics
from .call import Call
from .circuit_breaker import CircuitState

__all__ = ["ClientMetrics"]


class ClientMetrics:
    """The metrics of the client of one service, which is the label ``client``.

    The count of the histogram is the number of calls by outcome; attempts beyond it are retries.
    """

    def __init__(self, metrics: Metrics, client: str) -> None:
        self._client = client
        self._attempts = metrics.counter(
            "client_attempts_total", "Attempts to call another service.", ("client", "call", "outcome")
        )
        self._calls = metrics.histogram(
            "client_call_seconds", "Time of a call with all its attempts.", ("client", "call", "outcome")
        )
        self._state = metrics.gauge("client_circuit_state", "0 closed, 1 half open, 2 open.", ("client",)).labels(
            client
        )
        # looking up labels costs more than counting
        self._known_attempts: dict[tuple[str, str, str], Counter] = {}
        self._known_calls: dict[tuple[str, str, str], Histogram] = {}

    def attempt(self, call: Call, outcome: str) -> None:
        """Count an attempt."""
        key = (call.method, call.path, outcome)
        counter = self._known_attempts.get(key)
        if counter is None:
            counter = self._known_attempts[key] = self._attempts.labels(self._client, str(call), outcome)
        counter.inc()

    def call(self, call: Call, outcome: str, seconds: float) -> None:
        """Count a call that ended after *seconds*."""
        key = (call.method, call.path, outcome)
        histogram = self._known_calls.get(key)
        if histogram is None:
            histogram = self._known_calls[key] = self._calls.labels(self._client, str(call), outcome)
        histogram.observe(seconds)

    def circuit(self, state: CircuitState) -> None:
        """Show the state of the circuit."""
        self._state.set(state.value)
