"""Access control of a service: who calls, whether that caller may call that endpoint, and how often.

What is cheap is checked first: the service token, the requests of the address, the access token, the requests of its
principal, the origin of the page.

RFC 6750: https://www.rfc-editor.org/rfc/rfc6750
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from ..config import AuthConfig, ServiceConfig
from ..errors import ForbiddenError, MalformedError, MisdirectedError, UnauthorizedError, UnavailableError
from ..http_server import ALLOWED_ORIGINS, METRICS, READINESS, TRUSTED_PROXIES, RequestLimit, quota_address
from ..lifecycle import background
from ..scope import Scope
from .claims import AccessRules, InsufficientScopeError, InvalidTokenError
from .host_names import is_served
from .origins import require_known_page
from .principal import EVERYBODY, PUBLIC, Caller, Principal
from .signing_keys import SigningKeys, fetch_key_set
from .tickets import TICKET_PARAMETER, TICKETS, InvalidTicketError
from .verifier import TokenVerifier

__all__ = ["PRINCIPAL", "protect", "scope_of"]

logger = logging.getLogger(__name__)

PRINCIPAL = web.RequestKey("principal", Principal)
_ANONYMOUS = Principal(Caller.ANONYMOUS, "")
_SERVICE = Principal(Caller.SERVICE, "")
# requests that a refused token or ticket counts as, besides its own: to verify a signature costs about as much
REFUSED_TOKEN_COST = 9

# returns who sent a token, a ticket, or none, to an endpoint for such callers
_Authenticate: TypeAlias = Callable[[web.Request, str | None, Caller, str | None], Awaitable[Principal]]


def protect(
    app: web.Application,
    config: ServiceConfig,
    access: Mapping[Handler, Caller],
    *,
    unlimited: Collection[Handler] = (),
    by_ticket: Collection[Handler] = (),
) -> None:
    """Let each handler of *app* be called by those that *access* names, and a handler that is not in it by nobody.

    Those of *by_ticket* take a ticket from `TICKETS` of *app* instead of a token. Handlers find the caller in
    `PRINCIPAL`. No limit on requests applies to those in *unlimited*, nor to the services.
    """
    auth, metrics = config.auth, app[METRICS]
    principals: RequestLimit | None = None
    if auth.issuer is None:
        app.on_startup.append(_warn)
        authenticate: _Authenticate = partial(_without_tokens, auth)
    else:
        keys = SigningKeys(partial(fetch_key_set, auth.issuer, auth.discovery_url or auth.issuer, metrics))
        rules = AccessRules(auth.issuer, frozenset(auth.audiences), auth.roles_claim)
        authenticate = partial(_by_token, TokenVerifier(rules, keys))
        principals = RequestLimit("principal", config.principal_limit, metrics, named=False)
        app.cleanup_ctx.append(partial(_refreshing, keys))
    app[TRUSTED_PROXIES], app[ALLOWED_ORIGINS] = config.trusted_proxies, config.allowed_origins
    addresses = RequestLimit("address", config.address_limit, metrics, named=True)
    admission = _Admission(authenticate, addresses, principals, frozenset(unlimited))
    service_tokens = [each.encode() for each in (config.service_token, config.other_service_token) if each]
    app.middlewares.append(_access_control(access, by_ticket, service_tokens, admission.admit))


def scope_of(request: web.Request, customer_id: str | None = None) -> Scope:
    """Return whose orders and notifications the caller may see, of those that belong to *customer_id*, if given.

    Raises:
        InsufficientScopeError: a customer names another.
    """
    scope = request[PRINCIPAL].scope.narrowed(customer_id)
    if scope is None:
        raise InsufficientScopeError("Customers see what belongs to themselves.")
    return scope


def _access_control(
    access: Mapping[Handler, Caller],
    by_ticket: Collection[Handler],
    service_tokens: Sequence[bytes],
    authenticate: _Authenticate,
) -> Middleware:
    @web.middleware
    async def control(request: web.Request, handler: Handler) -> web.StreamResponse:
        token, allowed = _bearer_token(request), _allowed(request, access)
        ticket = _ticket(request, token) if request.match_info.handler in by_ticket else None
        if token is not None and any(hmac.compare_digest(token.encode(), each) for each in service_tokens):
            principal = _SERVICE
        else:
            principal = await authenticate(request, token, allowed, ticket)
        require_known_page(request)
        if principal.kind not in allowed:
            raise _refusal(token, allowed)
        request[PRINCIPAL] = principal
        return await handler(request)

    return control


@dataclass(frozen=True, slots=True)
class _Admission:
    """Authenticates callers within the limits on requests.

    Without access tokens everybody is one principal: *principals* is None then.
    """

    authenticate: _Authenticate
    addresses: RequestLimit
    principals: RequestLimit | None
    unlimited: frozenset[Handler]

    async def admit(self, request: web.Request, token: str | None, allowed: Caller, ticket: str | None) -> Principal:
        """Return who calls.

        Raises:
            TooManyRequestsError: that address, or that principal, has sent too many requests.
        """
        if request.match_info.handler in self.unlimited:
            return await self._admit_unlimited(request, token, allowed)
        address = quota_address(request)
        self.addresses.admit(address)
        principal = await self._identify(request, token, allowed, ticket, address)
        if self.principals is not None and principal.subject:
            self.principals.admit(principal.subject)
        return principal

    async def _admit_unlimited(self, request: web.Request, token: str | None, allowed: Caller) -> Principal:
        # never refused, but no more tokens are verified than elsewhere
        address = quota_address(request) if token is not None else ""
        if token is not None and self.addresses.take(address):
            token = None
        return await self._identify(request, token, allowed, None, address)

    async def _identify(
        self, request: web.Request, token: str | None, allowed: Caller, ticket: str | None, address: str
    ) -> Principal:
        try:
            principal = await self.authenticate(request, token, allowed, ticket)
        except (InvalidTokenError, InvalidTicketError, UnavailableError) as error:
            if not isinstance(error, UnavailableError):
                self.addresses.charge(address, REFUSED_TOKEN_COST)
            if allowed is not PUBLIC:
                raise
            return _ANONYMOUS
        if token is not None and allowed is Caller.SERVICE:
            self.addresses.charge(address, REFUSED_TOKEN_COST)
        return principal


def _allowed(request: web.Request, access: Mapping[Handler, Caller]) -> Caller:
    match = request.match_info
    if match.http_exception is not None:  # 404 or 405: no handler of ours
        return PUBLIC
    allowed = access.get(match.handler)
    if allowed is None and request.method == "OPTIONS":  # a CORS preflight, which has no token (Fetch standard, 4.8)
        return PUBLIC
    if allowed is None:
        raise LookupError(f"{request.method} {request.path} names nobody who may call it")
    return allowed


def _bearer_token(request: web.Request) -> str | None:
    values = request.headers.getall("Authorization", ())
    if len(values) > 1:
        raise MalformedError("There is more than one Authorization header.")
    scheme, _, token = values[0].partition(" ") if values else ("", "", "")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _ticket(request: web.Request, token: str | None) -> str | None:
    tickets = request.query.getall(TICKET_PARAMETER, ())
    if len(tickets) > 1 or (tickets and token is not None):
        raise MalformedError("There is more than one ticket, or a ticket and a bearer token.")
    return tickets[0] if tickets else None


async def _without_tokens(
    auth: AuthConfig, request: web.Request, _token: str | None, _allowed: Caller, ticket: str | None
) -> Principal:
    if not is_served(request.headers.get("Host"), auth.allowed_hosts):
        raise MisdirectedError("The name in the header Host is neither local nor one of ALLOWED_HOSTS.")
    return EVERYBODY if ticket is None else await request.app[TICKETS].take(ticket)


async def _by_token(
    verifier: TokenVerifier, request: web.Request, token: str | None, allowed: Caller, ticket: str | None
) -> Principal:
    if allowed is Caller.SERVICE or (allowed is PUBLIC and token is None):
        return _ANONYMOUS
    if ticket is not None:
        return await request.app[TICKETS].take(ticket)
    if token is None:
        raise UnauthorizedError("This endpoint needs an access token of the issuer, as Authorization: Bearer.")
    return await verifier.verify(token)


def _refusal(token: str | None, allowed: Caller) -> Exception:
    if allowed is not Caller.SERVICE:
        return InsufficientScopeError(f"This endpoint is for: {', '.join(_names(allowed))}.")
    if token is None:
        return UnauthorizedError("This endpoint is for the services themselves: it needs their bearer token.")
    return ForbiddenError("This bearer token is not that of the services.")


def _names(callers: Caller) -> list[str]:
    return [str(each.name).lower() for each in callers]


async def _warn(_: web.Application) -> None:
    logger.warning("authentication disabled", extra={"reason": "AUTH_MODE is open: everybody is an operator"})


async def _refreshing(keys: SigningKeys, app: web.Application) -> AsyncIterator[None]:
    async with background(app[READINESS], "signing keys", keys.run):
        yield
