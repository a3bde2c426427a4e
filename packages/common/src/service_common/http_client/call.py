"""A call to another service over HTTP: its description, its reply, and the two ways it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import PermanentError, UnavailableError
from ..http_server import Problem

__all__ = ["Call", "OutcomeUnknownError", "RefusedError", "Reply"]


def _any(_: object) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Call:
    """One operation of another service, and the answers by which it is recognised.

    Any other answer, such as the 404 of a proxy, is not an answer of the operation: its outcome is unknown.

    Attributes:
        method: HTTP method, in capitals.
        path: template such as ``/inventory/{product_id}``.
        idempotent: whether repeating it has no further effect, by its method or by an operation id in it.
        attempt_timeout_s: time limit of one attempt, from connecting to the last byte of the answer.
        deadline_s: time limit of all attempts and the delays between them.
        refusals: slugs of the problem documents by which it refuses a request.
        shape: whether the JSON body of a 2xx answer (None when it is empty) is one of the operation.
    """

    method: str
    path: str
    idempotent: bool
    attempt_timeout_s: float = 1.0
    deadline_s: float = 3.0
    refusals: frozenset[str] = frozenset()
    shape: Callable[[Any], bool] = _any

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Reply:
    """A 2xx answer; *data* is its JSON body, None when the body is empty."""

    status: int
    data: Any


class RefusedError(PermanentError):
    """The other service refused the request: trying it again would not help.

    Attributes:
        problem: its problem document, whose slug is one of the `refusals` of the call.
    """

    slug = "refused"

    def __init__(self, detail: str, problem: Problem) -> None:
        super().__init__(detail, problem.errors)
        self.problem = problem


class OutcomeUnknownError(UnavailableError):
    """The request may have had its effect: no answer said that it had or had not."""

    slug = "outcome-unknown"
