"""Under which address a request counts."""

from __future__ import annotations

from aiohttp import web

from .app_keys import CONFIG
from .client_address import client_address, counted_as

__all__ = ["caller"]


def caller(request: web.Request) -> str:
    """Return what the connection of *request* is counted under: its client's address, for IPv6 the network of it."""
    forwarded = request.headers.getall("X-Forwarded-For", ())
    return counted_as(client_address(request.remote or "", forwarded, request.app[CONFIG].trusted_proxies))
