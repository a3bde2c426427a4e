"""The client's address behind proxies, and the address that its requests and connections count against."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp import web

from ..config import Networks
from .app_keys import TRUSTED_PROXIES

__all__ = ["client_address", "from_trusted_proxy", "network_of", "quota_address"]

# a node is an address; some proxies add the port, and brackets around IPv6 (RFC 7239, 6)
_NODE = re.compile(r"\[(?P<bracketed>[^\[\]]+)\](?::\d{1,5})?|(?P<v4>[\d.]+):\d{1,5}|(?P<bare>[^\[\]]+)")
_CACHED = 1024
# a host can use any address of its /64 (RFC 4291, 2.5.1)
_INTERFACE_BITS = 64


def quota_address(request: web.Request) -> str:
    """Return what *request* and its connection count against: its client's address, the /64 network for IPv6."""
    forwarded = request.headers.getall("X-Forwarded-For", ())
    return network_of(client_address(request.remote or "", forwarded, request.app[TRUSTED_PROXIES]))


def from_trusted_proxy(request: web.Request) -> bool:
    """Return whether the connection of *request* comes from a trusted proxy."""
    peer = _address(request.remote or "")
    return peer is not None and _within(peer, request.app[TRUSTED_PROXIES])


def client_address(peer: str, forwarded: Sequence[str], trusted: Networks) -> str:
    """Return the address of the client of a connection.

    Each proxy appends the address that called it, and a client can begin the list with anything (RFC 7239, 8.1): only
    what trusted proxies appended is reliable. So the list is read from the right, up to the first address that is not a
    trusted proxy. https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/X-Forwarded-For

    Args:
        peer: the remote address of the connection.
        forwarded: each ``X-Forwarded-For`` header of the request, in order.
        trusted: networks of the trusted proxies.

    Returns:
        The right-most address of *forwarded* that is not trusted, the left-most when all are; *peer* when it is not
        trusted, sends no header, or passes on something that is not an address.
    """
    nearest = _address(peer)
    if nearest is None or not _within(nearest, trusted):
        return peer
    address = nearest
    for entry in reversed(",".join(forwarded).split(",")):
        node = entry.strip(" \t")
        if not node:  # empty list elements are ignored (RFC 9110, 5.6.1)
            continue
        found = _node(node)
        if found is None:
            return peer
        address = found
        if not _within(address, trusted):
            break
    return str(address)


@lru_cache(_CACHED)
def network_of(address: str) -> str:
    """Return the /64 network of an IPv6 address, and any other *address* as it is."""
    parsed = _address(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((int(parsed) >> _INTERFACE_BITS << _INTERFACE_BITS, _INTERFACE_BITS)))
    return address if parsed is None else str(parsed)


def _node(text: str) -> IPv4Address | IPv6Address | None:
    match = _NODE.fullmatch(text)
    return None if match is None else _address(match["bracketed"] or match["v4"] or match["bare"])


@lru_cache(_CACHED)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # a dual-stack socket reports IPv4 as ::ffff:192.0.2.1
    return getattr(address, "ipv4_mapped", None) or address


def _within(address: IPv4Address | IPv6Address, networks: Networks) -> bool:
    return any(address in network for network in networks)
