"""The TCP ports of the processes: those of the documentation, or free ones so that several systems run at once."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psutil

__all__ = ["LOOPBACK", "PortInUseError", "Ports", "require_free"]

LOOPBACK = "127.0.0.1"
_NEXT_REPLICA = 10


class PortInUseError(Exception):
    """Something else listens where a process of ours has to.

    Attributes:
        taken: the ports, each with the process that has it as far as that can be seen.
    """

    def __init__(self, taken: Mapping[int, str]) -> None:
        ports = ", ".join(f"{port} ({owner})" if owner else str(port) for port, owner in sorted(taken.items()))
        super().__init__(
            f"already in use on {LOOPBACK}: port {ports}; stop what listens there, or start with --free-ports"
        )
        self.taken = dict(taken)


@dataclass(frozen=True, slots=True)
class Ports:
    """How ports are given out: fixed ones as in compose.yaml, or free ones."""

    fixed: bool = True

    @classmethod
    def default(cls) -> Ports:
        """The ports of the documentation; the second replica of a service is ten above the first, and so on."""
        return cls(fixed=True)

    @classmethod
    def free(cls) -> Ports:
        """Ports that nobody has right now."""
        return cls(fixed=False)

    def assign(self, wanted: Mapping[str, int], scale: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
        """Return for each name of *wanted* (name to port) the ports of its replicas (one unless *scale* says more)."""
        if self.fixed:
            return {
                name: tuple(port + _NEXT_REPLICA * replica for replica in range(scale.get(name, 1)))
                for name, port in wanted.items()
            }
        found = iter(_free_ports(sum(scale.get(name, 1) for name in wanted)))
        return {name: tuple(next(found) for _ in range(scale.get(name, 1))) for name in wanted}


def require_free(ports: Iterable[int]) -> None:
    """Check that all *ports* can be listened on.

    Raises:
        PortInUseError: naming every one that can't.
    """
    taken = [port for port in ports if not _can_listen(port)]
    if taken:
        raise PortInUseError({port: _owner(port) for port in taken})


def _free_ports(count: int) -> list[int]:
    # all are held until the last is found, so that none is found twice
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _can_listen(port: int) -> bool:
    with socket.socket() as probe:
        # as the servers do: a port in TIME_WAIT is free
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
