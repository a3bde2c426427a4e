"""Claims of an access token: which are accepted, and whom they describe.

RFC 7519, 4.1 (registered claims); RFC 9068 (access tokens). Those of Amazon Cognito have ``client_id`` instead of
``aud``, and ``token_use``; see "Understanding the access token" in its developer guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from ..errors import ForbiddenError, UnauthorizedError
from .principal import EVERYBODY, Caller, Principal

__all__ = ["LEEWAY_S", "AccessRules", "InsufficientScopeError", "InvalidTokenError", "principal_of"]

# of the clocks of issuer and service
LEEWAY_S = 30.0
MAX_SUBJECT = 255
_KIND_OF_ROLE = {"operator": Caller.OPERATOR, "viewer": Caller.VIEWER}


class InvalidTokenError(UnauthorizedError):
    """The access token is malformed, expired, not from the issuer, or not for this system."""

    slug = "invalid-token"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        # RFC 6750, 3
        self.challenge = f'Bearer error="invalid_token", error_description="{detail}"'


class InsufficientScopeError(ForbiddenError):
    """The caller is known, and may not call this endpoint."""

    slug = "insufficient-scope"
    challenge = 'Bearer error="insufficient_scope"'


@dataclass(frozen=True, slots=True)
class AccessRules:
    """Which tokens are accepted.

    Attributes:
        issuer: exactly the claim ``iss``.
        audiences: one of them is in ``aud``; in a token without ``aud``, it is ``client_id``.
        roles_claim: name of the claim with the roles, or the path to it (``realm_access.roles``).
    """

    issuer: str
    audiences: frozenset[str]
    roles_claim: str


def principal_of(claims: Mapping[str, Any], rules: AccessRules, now: float) -> Principal:
    """Return whom the claims of a token with a valid signature describe; *now* is in seconds since 1970.

    Raises:
        InvalidTokenError: they are not accepted.
    """
    if claims.get("iss") != rules.issuer:
        raise InvalidTokenError("The token is from another issuer.")
    if claims.get("token_use", "access") != "access":
        raise InvalidTokenError("The token is not an access token.")
    if rules.audiences.isdisjoint(_texts(claims["aud"] if "aud" in claims else claims.get("client_id"))):
        raise InvalidTokenError("The token is for another audience.")
    if "nbf" in claims and now < _time(claims, "nbf") - LEEWAY_S:
        raise InvalidTokenError("The token is not valid yet.")
    expires_at = _time(claims, "exp") + LEEWAY_S
    if now >= expires_at:
        raise InvalidTokenError("The token has expired.")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not _is_subject(subject):
        raise InvalidTokenError("The token has no subject.")
    roles = frozenset(_texts(_claim_at(claims, rules.roles_claim)))
    kind = next((kind for role, kind in _KIND_OF_ROLE.items() if role in roles), Caller.CUSTOMER)
    return Principal(kind, subject, roles, expires_at)


def _is_subject(subject: str) -> bool:
    return 0 < len(subject) <= MAX_SUBJECT and subject.isprintable() and subject != EVERYBODY.subject


def _time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise InvalidTokenError(f"The token has no valid {name}.")
    return float(value)


def _claim_at(claims: Mapping[str, Any], path: str) -> object:
    if path in claims:
        return claims[path]
    found: object = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _texts(value: object) -> tuple[str, ...]:
    """Return the strings in *value*, a string or a list."""
    values = value if isinstance(value, list) else [value]
    return tuple(each for each in values if isinstance(each, str))
