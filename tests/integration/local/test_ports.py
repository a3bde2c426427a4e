"""The assignment and check of ports."""

from __future__ import annotations

import socket

import pytest

from orderstream_local.ports import LOOPBACK, PortInUseError, Ports, require_free


def test_replicas_are_ten_apart() -> None:
    assigned = Ports.default().assign({"order": 8080, "notification": 8082}, {"notification": 3})
    assert assigned == {"order": (8080,), "notification": (8082, 8092, 8102)}


def test_free_ports_are_distinct() -> None:
    assigned = Ports.free().assign({"order": 8080, "notification": 8082}, {"notification": 3})
    ports = [port for replicas in assigned.values() for port in replicas]
    assert len(set(ports)) == 4
    require_free(ports)


def test_free_port_is_given_to_nobody_else_while_the_ports_are_in_use() -> None:
    ports = Ports.free()
    [port] = ports.assign({"order": 8080}, {})["order"]
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((LOOPBACK, port))  # as the kernel does when it picks one: without SO_REUSEADDR
    with socket.create_server((LOOPBACK, port)) as server:  # with SO_REUSEADDR
        assert server.getsockname()[1] == port
    require_free([port])
    del ports
    with socket.socket() as other:
        other.bind((LOOPBACK, port))


def test_port_in_use_is_reported_with_owner() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortInUseError, match=rf"port {port} \(.*pid \d+\);.* --free-ports") as raised:
            require_free([port, 0])
        assert list(raised.value.taken) == [port]
