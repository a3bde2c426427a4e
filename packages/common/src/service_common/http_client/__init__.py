"""Calls to other services: deadline, circuit breaker, retry budget, retries.

`RetryingClient` is the client, `Call` describes an operation, `RetryPolicy` and `CircuitPolicy` are its limits. The
decisions (`retry_policy`, `circuit_breaker`) are pure; `transport` does the I/O.
"""

from __future__ import annotations

from .call import Call, OutcomeUnknownError, RefusedError, Reply
from .circuit_breaker import CircuitPolicy
from .client import RetryingClient
from .retry_policy import RetryPolicy

__all__ = ["Call", "CircuitPolicy", "OutcomeUnknownError", "RefusedError", "Reply", "RetryPolicy", "RetryingClient"]
