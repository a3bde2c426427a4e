"""Which pages may open a WebSocket: browsers let any page try, and only send its origin (RFC 6455, section 10.2)."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web

from service_common.errors import ForbiddenError
from service_common.http_server import from_trusted_proxy

from .app_keys import ALLOWED_ORIGINS

__all__ = ["OriginError", "check_origin", "is_same_origin"]

_DEFAULT_PORTS = {"http": 80, "https": 443}


class OriginError(ForbiddenError):
    """A page of another origin may not open this WebSocket."""

    slug = "origin"


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
        raise OriginError(f"Pages of {origin} may not connect.")


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
