"""Who calls, and who may: the kinds of callers, and the caller of a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Flag, auto
from math import inf

from ..scope import ALL_CUSTOMERS, ANONYMOUS, OneCustomer, Scope

__all__ = ["EVERYBODY", "PUBLIC", "Caller", "Principal"]


class Caller(Flag):
    """A kind of caller, or several: those who may call an endpoint."""

    ANONYMOUS = auto()
    CUSTOMER = auto()
    OPERATOR = auto()
    VIEWER = auto()
    SERVICE = auto()


# anybody, also with a token that is not valid: it is as none
PUBLIC = ~Caller(0)
_SEES_ALL = Caller.OPERATOR | Caller.VIEWER | Caller.SERVICE


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a request.

    Attributes:
        kind: one kind of caller.
        subject: identifier that the issuer gave to the person, the claim ``sub``.
        roles: groups or roles of the person, as the token has them.
        expires_at: when its token expires, in seconds since 1970.
    """

    kind: Caller
    subject: str
    roles: frozenset[str] = field(default_factory=frozenset)
    expires_at: float = inf

    @property
    def scope(self) -> Scope:
        """Whose orders and notifications it may see.

        Raises:
            LookupError: nobody's.
        """
        if self.kind is Caller.CUSTOMER:
            return OneCustomer(self.subject)
        if self.kind in _SEES_ALL:
            return ALL_CUSTOMERS
        raise LookupError(f"{self.kind} may see nobody's orders")


# who calls a service without authentication
EVERYBODY = Principal(Caller.OPERATOR, ANONYMOUS)
