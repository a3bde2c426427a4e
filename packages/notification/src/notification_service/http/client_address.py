"""Whose connection it is: the client's address behind proxies, and what of it is counted. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

__all__ = ["client_address", "counted_as"]

# a node is an address, some proxies add the port; IPv6 in brackets then (RFC 7239, 6)
_NODE = re.compile(r"\[(?P<bracketed>[^\[\]]+)\](?::\d{1,5})?|(?P<v4>[\d.]+):\d{1,5}|(?P<bare>[^\[\]]+)")
# what one host gets by itself has a /64 in common (RFC 4291, 2.5.1): it can come from any address in there
_INTERFACE_BITS = 64


def client_address(peer: str, forwarded: Sequence[str], trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """Return the address of the client of a connection.

    Each proxy appends the address that it was called from, and anybody can begin the list with anything (RFC 7239,
    8.1): only what trusted proxies appended is true, so it is read from the right, up to the first address that is no
    trusted proxy. https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/X-Forwarded-For

    Args:
        peer: where the connection comes from.
        forwarded: each ``X-Forwarded-For`` of the request, in order.
        trusted: networks of the proxies that append the truth.

    Returns:
        The right-most address of *forwarded* that is not trusted, the left-most when all are; *peer* when that itself
        is not trusted, says nothing, or passes on what is no address.
    """
    nearest = _address(peer)
    if nearest is None or not _within(nearest, trusted):
        return peer
    address = nearest
    for entry in reversed(",".join(forwarded).split(",")):
        node = entry.strip(" \t")
        if not node:  # an empty element of a list is none (RFC 9110, 5.6.1)
            continue
        found = _node(node)
        if found is None:
            return peer
        address = found
        if not _within(address, trusted):
            break
    return str(address)


def counted_as(address: str) -> str:
    """Return what connections of *address* are counted under: an IPv6 address by its /64, any other as it is."""
    parsed = _address(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((int(parsed) >> _INTERFACE_BITS << _INTERFACE_BITS, _INTERFACE_BITS)))
    return address if parsed is None else str(parsed)


def _node(text: str) -> IPv4Address | IPv6Address | None:
    match = _NODE.fullmatch(text)
    return None if match is None else _address(match["bracketed"] or match["v4"] or match["bare"])


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # a socket for both protocols gives IPv4 as ::ffff:192.0.2.1
    return getattr(address, "ipv4_mapped", None) or address


def _within(address: IPv4Address | IPv6Address, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    return any(address in network for network in networks)
