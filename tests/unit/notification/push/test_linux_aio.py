from __future__ import annotations

import errno
import os
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress

import pytest

from notification_service.push.linux_aio import SLOTS, AioContext, LinuxAio

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux's asynchronous I/O")

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture(params=["one thread", "two threads"])
def aio(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[LinuxAio]:
    processors = {"one thread": {0}, "two threads": {0, 1}}[request.param]
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: processors)
    monkeypatch.setattr("notification_service.push.linux_aio.FEWEST_SHARED", 1)
    aio = LinuxAio()
    yield aio
    aio.close()


@pytest.fixture
def pairs() -> Iterator[Sequence[Pair]]:
    with ExitStack() as sockets:
        pairs = [socket.socketpair() for _ in range(2 * SLOTS + 1)]
        for server, client in pairs:
            sockets.enter_context(server).setblocking(False)
            sockets.enter_context(client).setblocking(False)
        yield pairs


def fds(pairs: Sequence[Pair]) -> list[int]:
    return [server.fileno() for server, _client in pairs]


def received(client: socket.socket) -> bytes:
    data = b""
    with suppress(BlockingIOError):
        while True:
            data += client.recv(1 << 16)
    return data


def test_every_socket_takes_the_same_bytes_also_beyond_one_call(aio: LinuxAio, pairs: Sequence[Pair]) -> None:
    assert aio.write(b"one", fds(pairs)) == [3] * len(pairs)
    assert aio.write(b"three", fds(pairs[:2])) == [5, 5]

    assert [received(client) for _server, client in pairs[:2]] == [b"onethree", b"onethree"]
    assert {received(client) for _server, client in pairs[2:]} == {b"one"}


def test_two_threads_write_at_the_same_time(monkeypatch: pytest.MonkeyPatch, pairs: Sequence[Pair]) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: {0, 1})
    monkeypatch.setattr("notification_service.push.linux_aio.FEWEST_SHARED", SLOTS)
    both = threading.Barrier(2, timeout=30.0)
    write, threads = AioContext.write, set()

    def met(self: AioContext, data: bytes, some: Sequence[int], *, shared: bool = False) -> Sequence[int]:
        if threading.get_ident() not in threads:
            threads.add(threading.get_ident())
            both.wait()
        return write(self, data, some, shared=shared)

    monkeypatch.setattr(AioContext, "write", met)
    aio = LinuxAio()
    assert aio.write(b"one", fds(pairs)) == [3] * len(pairs)
    aio.close()

    assert len(threads) == 2
    assert {received(client) for _server, client in pairs} == {b"one"}


def test_without_a_second_context_one_thread_writes(monkeypatch: pytest.MonkeyPatch, pairs: Sequence[Pair]) -> None:
    contexts = [AioContext()]

    def context() -> AioContext:
        if not contexts:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return contexts.pop()

    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: {0, 1})
    monkeypatch.setattr("notification_service.push.linux_aio.FEWEST_SHARED", 1)
    monkeypatch.setattr("notification_service.push.linux_aio.AioContext", context)
    aio = LinuxAio()
    assert aio.write(b"one", fds(pairs)) == [3] * len(pairs)
    aio.close()


def test_a_socket_takes_what_it_has_room_for_and_then_nothing(aio: LinuxAio, pairs: Sequence[Pair]) -> None:
    large = os.urandom(1 << 20)

    results = aio.write(large, fds(pairs[:2]))

    assert aio.write(large, fds(pairs[:2])) == [-errno.EAGAIN, -errno.EAGAIN]
    for taken, (_server, client) in zip(results, pairs[:2], strict=True):
        assert 0 < taken < len(large)
        assert received(client) == large[:taken]


def test_a_client_that_is_gone_leaves_the_others_alone(aio: LinuxAio, pairs: Sequence[Pair]) -> None:
    pairs[1][1].close()

    assert aio.write(b"data", fds(pairs[:3])) == [4, -errno.EPIPE, 4]


def test_from_a_closed_socket_on_nothing_is_written(aio: LinuxAio, pairs: Sequence[Pair]) -> None:
    closed = socket.socket()
    number = closed.fileno()
    closed.close()

    assert aio.write(b"data", [*fds(pairs[:2]), number, *fds(pairs[2:4])]) == [4, 4, 0, 0, 0]
    assert aio.write(b"data", [number]) == [0]


def test_nothing_is_written_to_no_socket(aio: LinuxAio) -> None:
    assert aio.write(b"data", []) == []


def test_an_unknown_processor_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "sparc")
    with pytest.raises(OSError, match="platform"):
        LinuxAio()
