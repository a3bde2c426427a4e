"""Ports for servers that are started later, elsewhere or again."""

from __future__ import annotations

from orderstream_local.ports import Ports

__all__ = ["free_port"]

_RESERVED = Ports.free()


def free_port() -> int:
    """Return a port of 127.0.0.1 that the kernel gives to nobody else before this process ends.

    A server gets it that asks for it with SO_REUSEADDR.
    """
    return _RESERVED.assign({"server": 0}, {})["server"][0]
