"""Who calls, and who may: access tokens of an OpenID Connect issuer, and access control of endpoints.

`Caller` names the kinds of callers, `protect` lets a handler be called by those that its declaration names alone.
`PRINCIPAL` is where a handler finds who calls, and `scope_of` tells whose orders that caller may see; `TICKETS` are
those that a service accepts. `protect` also keeps pages of other origins from changing anything; `check_origin` is for
the WebSockets of a service. `principal`, `claims` and `tokens` decide without I/O; `signing_keys` fetches the public
keys of the issuer.
"""

from __future__ import annotations

from .access_control import PRINCIPAL, protect, scope_of
from .claims import InsufficientScopeError, InvalidTokenError
from .origins import SAFE_METHODS, OriginError, check_origin
from .principal import PUBLIC, Caller, Principal
from .tickets import TICKET_PARAMETER, TICKETS, InvalidTicketError, IssuedTicket, Tickets, TicketTable

__all__ = [
    "PRINCIPAL",
    "PUBLIC",
    "SAFE_METHODS",
    "TICKETS",
    "TICKET_PARAMETER",
    "Caller",
    "InsufficientScopeError",
    "InvalidTicketError",
    "InvalidTokenError",
    "IssuedTicket",
    "OriginError",
    "Principal",
    "TicketTable",
    "Tickets",
    "check_origin",
    "protect",
    "scope_of",
]
