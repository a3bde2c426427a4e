"""A client of another service: deadline, retries where they are safe, circuit breaker, typed failures.

Deadline, circuit and retry budget are checked before an attempt, in this order. `retry_policy` and `circuit_breaker`
decide, `transport` sends.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from time import monotonic
from types import MappingProxyType

import orjson
from yarl import URL

from ..errors import ServiceError, UnavailableError
from ..http_server import Problem
from ..observability import Metrics, Span, SpanKind, current_trace, span
from .call import Call, OutcomeUnknownError, RefusedError, Reply
from .circuit_breaker import CircuitBreaker, CircuitPolicy, CircuitState
from .metrics import ClientMetrics
from .retry_policy import AttemptOutcome, Failure, RetryBudget, RetryPolicy, Stop, may_have_had_effect, next_delay
from .transport import PreparedRequest, Transport, expand

__all__ = ["RetryingClient"]

logger = logging.getLogger(__name__)

_EMPTY: Mapping[str, str] = MappingProxyType({})
# they request no effect (RFC 9110, 9.2.1), so none can be unknown
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class RetryingClient:
    """A client of the service *name* at one or more base URLs; an async context manager.

    Args:
        base_urls: replicas of the service. One is used until it can't be reached or fails a call; then the next is.
        name: name of the service in errors, logs and metrics.
        token: bearer token of each request (RFC 6750).
        policy: limits of attempts and retries.
        circuit: limits of the circuit breaker; there is one for all base URLs.
        metrics: where calls and attempts are counted.

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
        self._budget = RetryBudget.of(self._policy)
        self._circuit = CircuitBreaker(circuit or CircuitPolicy())
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
        path: Mapping[str, str | int] = _EMPTY,
        query: Sequence[tuple[str, str]] | Mapping[str, str] = _EMPTY,
        json: object | None = None,
    ) -> Reply:
        """Carry out *call* and return its 2xx answer.

        Args:
            call: what to do.
            path: values for the path template of the call; they are percent-encoded.
            query: parameters of the query string.
            json: the body, anything that orjson encodes; None for no body.

        Raises:
            RefusedError: the service refused the request by one of the problem documents of the call.
            OutcomeUnknownError: the call failed, and may have had its effect.
            UnavailableError: the call failed and had no effect.
        """
        started_s = monotonic()
        body = None if json is None else orjson.dumps(json)
        request = PreparedRequest(call, expand(call.path, path) if path else call.path, query, body)
        outcome = "cancelled"
        try:
            reply = await self._with_retries(request, started_s + call.deadline_s)
            outcome = "answered"
        except ServiceError as error:
            outcome = error.slug
            raise
        finally:
            if self._metrics:
                self._metrics.call(call, outcome, monotonic() - started_s)
        return reply

    async def _with_retries(self, request: PreparedRequest, deadline_s: float) -> Reply:
        self._budget = self._budget.call()
        unknown = False
        attempt = 0
        while True:
            attempt += 1
            replica = self._transport.preferred
            with span(str(request.call), SpanKind.CLIENT) as attempted:
                result = await self._attempt(request, deadline_s)
                if attempted.recorded:
                    _describe(attempted, request, result, attempt, self._transport.url(replica, request))
            if isinstance(result, Reply):
                return result
            unknown = unknown or may_have_had_effect(result)
            decision = self._decide(request, result, attempt, deadline_s)
            if isinstance(decision, Stop):
                raise self._error(request, result, decision, unknown=unknown)
            self._transport.fail_over(replica)
            self._budget = self._budget.retry()
            await asyncio.sleep(decision)

    async def _attempt(self, request: PreparedRequest, deadline_s: float) -> Reply | Failure:
        now_s = monotonic()
        circuit, permit = self._circuit.admit(now_s)
        if permit is None:
            return Failure(AttemptOutcome.BARRED, "the circuit is open")
        self._transition(circuit)
        left_s = deadline_s - now_s
        result = None
        try:
            result = await self._transport.attempt(
                request, _headers(request, left_s), min(request.call.attempt_timeout_s, left_s)
            )
        finally:
            self._record(request, permit, result)
        return result

    def _record(self, request: PreparedRequest, permit: int, result: Reply | Failure | None) -> None:
        if result is None:
            self._transition(self._circuit.release(permit))
            outcome = "cancelled"
        elif isinstance(result, Reply):
            self._transition(self._circuit.record(permit, monotonic(), healthy=True))
            outcome = "answered"
        else:
            self._transition(self._circuit.record(permit, monotonic(), healthy=result.healthy))
            outcome = result.outcome.value
        if self._metrics:
            self._metrics.attempt(request.call, outcome)

    def _transition(self, circuit: CircuitBreaker) -> None:
        if circuit is self._circuit:
            return
        before, self._circuit = self._circuit.state, circuit
        if circuit.state is before:
            return
        level = logging.WARNING if circuit.state is CircuitState.OPEN else logging.INFO
        logger.log(level, "circuit state changed", extra={"client": self._name, "state": circuit.state.name.lower()})
        if self._metrics:
            self._metrics.circuit(circuit.state)

    def _decide(self, request: PreparedRequest, failure: Failure, attempt: int, deadline_s: float) -> float | Stop:
        now_s = monotonic()
        return next_delay(
            self._policy,
            failure,
            attempt=attempt,
            idempotent=request.call.idempotent,
            delay_s=self._policy.backoff.delay_s(attempt),
            left_s=deadline_s - now_s,
            circuit_wait_s=self._circuit.wait_s(now_s),
            budget=self._budget,
        )

    def _error(self, request: PreparedRequest, failure: Failure, stop: Stop, *, unknown: bool) -> ServiceError:
        if failure.outcome is AttemptOutcome.REFUSED:
            problem = Problem.parse(failure.status, failure.body)
            return RefusedError(f"{self._name} answered {failure.status}: {problem.detail or problem.title}", problem)
        kind = OutcomeUnknownError if unknown and request.call.method not in _SAFE_METHODS else UnavailableError
        why = "" if stop is Stop.FINAL else f" ({stop.value})"
        error = kind(
            f"{self._name}: {request.call}: {failure.reason}{why}",
            retry_after_s=max(failure.retry_after_s or 0.0, self._circuit.wait_s(monotonic())) or 1.0,
        )
        error.dependency = self._name
        return error


def _describe(attempted: Span, request: PreparedRequest, result: Reply | Failure, attempt: int, url: URL) -> None:
    # https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span
    attempted.set("http.request.method", request.call.method)
    attempted.set("url.full", str(url))
    attempted.set("url.template", request.call.path)
    attempted.set("server.address", url.host or "")
    attempted.set("server.port", url.port or 0)
    if attempt > 1:
        attempted.set("http.request.resend_count", attempt - 1)
    if result.status:
        attempted.set("http.response.status_code", result.status)
    if isinstance(result, Failure):
        attempted.fail(str(result.status) if result.status else result.outcome.value, result.reason)


def _headers(request: PreparedRequest, left_s: float) -> dict[str, str]:
    headers = {"X-Deadline-Ms": str(max(1, int(left_s * 1000)))}
    if request.body is not None:
        headers["Content-Type"] = "application/json"
    if trace := current_trace():
        headers |= trace.headers
    return headers
