"""Errors of all services: which may be retried, which may not, and the facts of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = [
    "BusyError",
    "ConflictError",
    "ForbiddenError",
    "InvalidError",
    "MalformedError",
    "MisdirectedError",
    "NotFoundError",
    "PermanentError",
    "PreconditionFailedError",
    "PreconditionRequiredError",
    "ServiceError",
    "TooManyRequestsError",
    "TransientError",
    "UnauthorizedError",
    "UnavailableError",
    "Violation",
]


@dataclass(frozen=True, slots=True)
class Violation:
    """One violation in a request: where (RFC 6901 pointer), what, and facts for a program."""

    pointer: str
    detail: str
    facts: Mapping[str, str | int] = field(default_factory=dict)


class ServiceError(Exception):
    """Any expected failure.

    Attributes:
        slug: kind of the problem, the last part of the ``type`` of its problem document; stable, kebab-case.
        challenge: how to authenticate (RFC 9110, 11.6.1), when that would help.
        violations: what is wrong with the request, one by one.
    """

    slug = "error"
    challenge = ""

    def __init__(self, detail: str, violations: Sequence[Violation] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.violations = tuple(violations)


class TransientError(ServiceError):
    """A retry may succeed."""

    slug = "transient"


class UnavailableError(TransientError):
    """A dependency is unavailable.

    Attributes:
        retry_after_s: least delay before a retry, in seconds.
        dependency: its name, all that a client is told; empty when *detail* has no words of a driver.
    """

    slug = "unavailable"
    dependency = ""

    def __init__(self, detail: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class BusyError(UnavailableError):
    """Another transaction holds what the operation needs; the service is available, and other operations succeed."""

    slug = "resource-busy"


class TooManyRequestsError(TransientError):
    """The caller has sent too many requests.

    Attributes:
        retry_after_s: after how many seconds the next one is accepted.
    """

    slug = "too-many-requests"

    def __init__(self, detail: str, *, retry_after_s: float) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class PermanentError(ServiceError):
    """A retry never succeeds."""

    slug = "permanent"


class MalformedError(PermanentError):
    """The input is malformed."""

    slug = "malformed"


class InvalidError(PermanentError):
    """The input is well-formed but not valid."""

    slug = "invalid"


class NotFoundError(PermanentError):
    """The resource does not exist."""

    slug = "not-found"


class ConflictError(PermanentError):
    """The state of the resource does not allow the request."""

    slug = "conflict"


class PreconditionFailedError(PermanentError):
    """The resource has another version than the request is based on."""

    slug = "version-lost"


class PreconditionRequiredError(PermanentError):
    """The request has to name the version that it is based on."""

    slug = "version-required"


class UnauthorizedError(PermanentError):
    """The caller is not authenticated."""

    slug = "unauthorized"
    challenge = "Bearer"


class ForbiddenError(PermanentError):
    """The caller is not authorized."""

    slug = "forbidden"


class MisdirectedError(PermanentError):
    """The request is for a host that is not served here."""

    slug = "misdirected"
