"""Which names of a host a service without authentication answers to.

A page whose name a hostile DNS server has pointed at the loopback address (DNS rebinding) can read the answers of a
service there as those of its own origin; the header ``Host`` still has its name.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from ipaddress import ip_address

__all__ = ["is_served"]

# RFC 9110, 7.2: name or address, and a port
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^:\[\]]+?))\.?(?::\d*)?")


def is_served(host: str | None, names: Collection[str]) -> bool:
    """Whether a request with the header ``Host: <host>`` is for the loopback or one of *names* (``*`` for any).

    Every browser sends the header: a request without it is served.
    """
    return host is None or "*" in names or (name := _name(host)) in names or _is_loopback(name)


@lru_cache(256)
def _name(host: str) -> str:
    match = _HOST.fullmatch(host.lower())
    return (match[1] or match[2]) if match else ""


@lru_cache(256)
def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761, 6.3
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
