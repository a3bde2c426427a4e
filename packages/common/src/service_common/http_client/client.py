"""Calls to another service that mind their deadline, try again where that is safe, and say how they failed.

What comes before an attempt: deadline, circuit, retry budget, in this order. `retry_policy` and
`circuit_breaker` decide, `transport` sends.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from time import monotonic
from types import MappingProxyType

import orjson

from ..errors import ServiceError, UnavailableError
from ..http_server import Problem
from ..observability import Metrics, current_trace
from .call import Call, OutcomeUnknownError, RefusedError, Reply
from .circuit_breaker import Circuit, CircuitPolicy, CircuitState
from .metrics import ClientMetrics
from .retry_policy import Budget, Failure, Outcome, RetryPolicy, Stop, back_off, may_have_had_effect, next_delay
from .transport import Request, Transport, expand

__all__ = ["Call", "CircuitPolicy", "OutcomeUnknownError", "RefusedError", "Reply", "RetryPolicy", "RetryingClient"]

logger = logging.getLogger(__name__)

_NOTHING: Mapping[str, str] = MappingProxyType({})
# they ask for no effect (RFC 9110, 9.2.1), so there is none that could be unknown
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class RetryingClient:
    """A client of the service *name* at one or more base URLs; an async context manager.

    Args:
        base_urls: replicas of the service. One is used until it can't be reached or fails a call; then the next is.
        name: the service, as errors, logs and metrics call it.
        token: goes with each request as bearer token (RFC 6750).
        policy: of the retries.
        circuit: of the circuit breaker; there is one for all base URLs.
        metrics: where to count.

    Raises:
        ValueError: there is no base URL, or one is not an absolute http or https URL.
    """

    def __init__(
        self,
        base_urls: Sequence[str],
        *,
        name: str,
        token: str | None = None,
        policy: RetryPolicy | None = None,
        circuit: CircuitPolicy | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._name = name
        self._policy = policy or RetryPolicy()
        self._budget = Budget.of(self._policy)
        self._circuit = Circuit(circuit or CircuitPolicy())
        self._metrics = ClientMetrics(metrics, name) if metrics else None
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        self._transport = Transport(base_urls, headers=headers, connect_timeout_s=self._policy.connect_timeout_s)

    async def __aenter__(self) -> RetryingClient:
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transport.__aexit__()

    async def request(
        self,
        call: Call,
        *,
        path: Mapping[str, str | int] = _NOTHING,
        query: Sequence[tuple[str, str]] | Mapping[str, str] = _NOTHING,
        json: object | None = None,
    ) -> Reply:
        """Carry out *call* and return its 2xx answer.

        Args:
            call: what to do.
            path: fills the template of the call; values are percent-encoded.
            query: becomes the query string.
            json: the body, anything that orjson takes; None for no body.

        Raises:
            RefusedError: answered 4xx other than 408 and 429.
            OutcomeUnknownError: it failed, and may have had its effect.
            UnavailableError: it failed and had no effect.
        """
        started_s = monotonic()
        body = None if json is None else orjson.dumps(json)
        request = Request(call, expand(call.path, path) if path else call.path, query, body)
        outcome = "cancelled"
        try:
            reply = await self._persist(request, started_s + call.deadline_s)
            outcome = "answered"
        except ServiceError as error:
            outcome = error.slug
            raise
        finally:
            if self._metrics:
                self._metrics.call(call, outcome, monotonic() - started_s)
        return reply

    async def _persist(self, request: Request, deadline_s: float) -> Reply:
        self._budget = self._budget.call()
        delays = None
        unknown = False
        attempt = 0
        while True:
            attempt += 1
            replica = self._transport.preferred
            result = await self._admitted(request, deadline_s)
            if isinstance(result, Reply):
                return result
            unknown = unknown or may_have_had_effect(result)
            delays = delays or back_off(self._policy)
            decision = self._decide(request, result, attempt, next(delays), deadline_s)
            if isinstance(decision, Stop):
                raise self._error(request, result, decision, unknown=unknown)
            self._transport.leave(replica)
            self._budget = self._budget.retry()
            await asyncio.sleep(decision)

    async def _admitted(self, request: Request, deadline_s: float) -> Reply | Failure:
        now_s = monotonic()
        circuit, permit = self._circuit.admit(now_s)
        if permit is None:
            return Failure(Outcome.BARRED, "the circuit is open")
        self._become(circuit)
        left_s = deadline_s - now_s
        result = None
        try:
            result = await self._transport.attempt(
                request, _headers(request, left_s), min(request.call.attempt_timeout_s, left_s)
            )
        finally:
            self._settle(request, permit, result)
        return result

    def _settle(self, request: Request, permit: int, result: Reply | Failure | None) -> None:
        if result is None:
            self._become(self._circuit.release(permit))
            outcome = "cancelled"
        elif isinstance(result, Reply):
            self._become(self._circuit.record(permit, monotonic(), healthy=True))
            outcome = "answered"
        else:
            self._become(self._circuit.record(permit, monotonic(), healthy=result.healthy))
            outcome = result.outcome.value
        if self._metrics:
            self._metrics.attempt(request.call, outcome)

    def _become(self, circuit: Circuit) -> None:
        if circuit is self._circuit:
            return
        before, self._circuit = self._circuit.state, circuit
        if circuit.state is before:
            return
        level = logging.WARNING if circuit.state is CircuitState.OPEN else logging.INFO
        logger.log(level, "circuit changed", extra={"client": self._name, "state": circuit.state.name.lower()})
        if self._metrics:
            self._metrics.circuit(circuit.state)

    def _decide(
        self, request: Request, failure: Failure, attempt: int, delay_s: float, deadline_s: float
    ) -> float | Stop:
        now_s = monotonic()
        return next_delay(
            self._policy,
            failure,
            attempt=attempt,
            idempotent=request.call.idempotent,
            delay_s=delay_s,
            left_s=deadline_s - now_s,
            circuit_wait_s=self._circuit.wait_s(now_s),
            budget=self._budget,
        )

    def _error(self, request: Request, failure: Failure, stop: Stop, *, unknown: bool) -> ServiceError:
        if failure.outcome is Outcome.REFUSED:
            problem = Problem.parse(failure.status, failure.body)
            return RefusedError(f"{self._name} answered {failure.status}: {problem.detail or problem.title}", problem)
        kind = OutcomeUnknownError if unknown and request.call.method not in _SAFE_METHODS else UnavailableError
        why = "" if stop is Stop.FINAL else f" ({stop.value})"
        return kind(
            f"{self._name}: {request.call}: {failure.reason}{why}",
            retry_after_s=max(failure.retry_after_s or 0.0, self._circuit.wait_s(monotonic())) or 1.0,
        )


def _headers(request: Request, left_s: float) -> dict[str, str]:
    headers = {"X-Deadline-Ms": str(max(1, int(left_s * 1000)))}
    if request.body is not None:
        headers["Content-Type"] = "application/json"
    if trace := current_trace():
        headers["traceparent"] = trace.traceparent
    return headers
