"""The TCP ports of the processes: the fixed ones of the documentation, or free ones."""

from __future__ import annotations

import os
import socket
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psutil

__all__ = ["LOOPBACK", "PortInUseError", "Ports", "require_free"]

LOOPBACK = "127.0.0.1"
_REPLICA_STEP = 10


class PortInUseError(Exception):
    """Another process listens on a required port.

    Attributes:
        taken: the ports, each with its owner (empty if unknown).
    """

    def __init__(self, taken: Mapping[int, str]) -> None:
        ports = ", ".join(f"{port} ({owner})" if owner else str(port) for port, owner in sorted(taken.items()))
        super().__init__(
            f"already in use on {LOOPBACK}: port {ports}; stop the process that uses it, or start with --free-ports"
        )
        self.taken = dict(taken)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Ports:
    """Assigns ports: the fixed ones of compose.yaml, or free ones, which nobody else is given while this is in use."""

    fixed: bool = True

    @classmethod
    def default(cls) -> Ports:
        """The ports of the documentation; each further replica of a service is ten above the one before."""
        return cls(fixed=True)

    @classmethod
    def free(cls) -> Ports:
        """Ports that the kernel picks."""
        return cls(fixed=False)

    def assign(self, wanted: Mapping[str, int], scale: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
        """Return the ports of each name's replicas; *wanted* is name to port, *scale* name to replicas (default 1)."""
        if self.fixed:
            return {
                name: tuple(port + _REPLICA_STEP * replica for replica in range(scale.get(name, 1)))
                for name, port in wanted.items()
            }
        found = iter(self._reserve(sum(scale.get(name, 1) for name in wanted)))
        return {name: tuple(next(found) for _ in range(scale.get(name, 1))) for name in wanted}

    def _reserve(self, count: int) -> list[int]:
        # A bound socket keeps the kernel from picking its port for others. One that does not listen, with SO_REUSEADDR,
        # is in nobody's way who asks for the port with SO_REUSEADDR, as servers do.
        ports = []
        for _ in range(count):
            holder = socket.socket()
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            holder.bind((LOOPBACK, 0))
            ports.append(holder.getsockname()[1])
            weakref.finalize(self, os.close, holder.detach())
        return ports


def require_free(ports: Iterable[int]) -> None:
    """Check that all *ports* are free.

    Raises:
        PortInUseError: with all ports in use.
    """
    taken = [port for port in ports if not _can_listen(port)]
    if taken:
        raise PortInUseError({port: _owner(port) for port in taken})


def _can_listen(port: int) -> bool:
    with socket.socket() as probe:
        # like the servers: a port in TIME_WAIT counts as free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen()
        except OSError:
            return False
    return True


def _owner(port: int) -> str:
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.laddr and connection.laddr[1] == port and connection.status == psutil.CONN_LISTEN:
                return f"{psutil.Process(connection.pid).name()}, pid {connection.pid}" if connection.pid else ""
    except psutil.Error:
        return ""
    return ""
