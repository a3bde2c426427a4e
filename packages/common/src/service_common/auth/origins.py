"""Pages of which origins may send what changes something, or open a WebSocket.

Browsers let any page try both, and only say which page it is: in `Origin` (RFC 6454, 7), and in `Sec-Fetch-Site`
(https://www.w3.org/TR/fetch-metadata/), which no page can set. Programs that are not browsers send neither.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web

from ..errors import ForbiddenError
from ..http_server import ALLOWED_ORIGINS, from_trusted_proxy

__all__ = ["SAFE_METHODS", "OriginError", "check_origin", "is_same_origin", "require_known_page"]

# RFC 9110, 9.2.1; TRACE is not served
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


class OriginError(ForbiddenError):
    """A page of another origin may not do this."""

    slug = "origin"


def require_known_page(request: web.Request) -> None:
    """Require that a page which sends a request that may change something is of an origin as in `check_origin`.

    Raises:
        OriginError: it is of another.
    """
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site in {"same-origin", "none"}:
        return
    if site is not None and "Origin" not in request.headers and "*" not in request.app[ALLOWED_ORIGINS]:
        raise OriginError("Pages of other origins may not send this.")
    check_origin(request)


def check_origin(request: web.Request) -> None:
    """Require the page of *request* to be of an allowed origin, or of the one that it connects to.

    A program that is not a browser sends no origin, or that of the address it connects to.

    Raises:
        OriginError: it is of another.
    """
    origin, allowed = request.headers.get("Origin"), request.app[ALLOWED_ORIGINS]
    if origin is None or "*" in allowed or origin in allowed:
        return
    forwarded = request.headers.getall("X-Forwarded-Host", ()) if from_trusted_proxy(request) else ()
    hosts = ",".join((request.headers.get("Host", ""), *forwarded)).split(",")
    if not any(is_same_origin(origin, host.strip()) for host in hosts):
        raise OriginError(f"Pages of {origin} may not do this.")


def is_same_origin(origin: str, host: str) -> bool:
    """Return whether *host*, a ``Host`` header, is the authority of *origin*; the port of the scheme may be left out.

    The scheme itself is not compared: whoever ends TLS in front of the service may not tell.
    """
    try:
        page, service = urlsplit(origin), urlsplit(f"//{host}")
        default = _DEFAULT_PORTS.get(page.scheme)
        ports = page.port or default, service.port or default
    except ValueError:
        return False
    return default is not None and ports[0] == ports[1] and page.hostname == service.hostname is not None
