"""Metrics of the calls of a client."""

from __future__ import annotations

from functools import cache, partial

from ..observability import Metrics
from .call import Call
from .circuit_breaker import CircuitState

__all__ = ["ClientMetrics"]


class ClientMetrics:
    """The metrics of the client of one service, which is the label ``client``.

    The count of the histogram is the number of calls by outcome; attempts beyond it are retries.
    """

    def __init__(self, metrics: Metrics, client: str) -> None:
        labels = ("client", "call", "outcome")
        attempts = metrics.counter("client_attempts_total", "Attempts to call another service.", labels)
        calls = metrics.histogram("client_call_seconds", "Time of a call with all its attempts.", labels)
        # cached: looking up labels costs more than counting
        self._attempts = cache(partial(attempts.labels, client))
        self._calls = cache(partial(calls.labels, client))
        circuit = metrics.gauge("client_circuit_state", "0 closed, 1 half open, 2 open.", ("client",))
        self._state = circuit.labels(client)
        self._failure = metrics.gauge(
            "client_last_failure_timestamp_seconds",
            "Unix time of the last call without an answer; 0 for none.",
            ("client",),
        ).labels(client)

    def attempt(self, call: Call, outcome: str) -> None:
        """Count an attempt."""
        self._attempts(str(call), outcome).inc()

    def call(self, call: Call, outcome: str, seconds: float) -> None:
        """Count a call that ended after *seconds*."""
        self._calls(str(call), outcome).observe(seconds)
        if outcome not in {"answered", "refused", "cancelled"}:
            self._failure.set_to_current_time()

    def circuit(self, state: CircuitState) -> None:
        """Record the state of the circuit."""
        self._state.set(state.value)
