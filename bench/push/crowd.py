"""The clients of a push server, in a process of their own: raw sockets on one epoll loop, no HTTP library in the way.

Reads jobs and writes answers as lines of JSON. The first line is what to connect to (:class:`Job`); the answer comes
when all are connected. Each line after that (:class:`Question`) says which messages were sent, and when; the first
answer comes when all were received or nothing comes any more, the second says what was.
"""

from __future__ import annotations

import errno
import gc
import io
import os
import resource
import select
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from .ledger import Faults, Ledger, faults, percentiles_ms
from .notes import TIMESPEC, Ancillary, Notes, Stream
from .reads import READ_BYTES, TOGETHER, Reads

__all__ = ["Group", "Job", "Question"]

STDIN = 0
# asm-generic/socket.h: the kernel tells when what is read came to the socket
SO_TIMESTAMPNS = 35
# a client that the server's full backlog turned away tries again after 1, 3, 7, 15, 31 s, as TCP does
CONNECT_S = 60.0
# after a read of many sockets: what comes meanwhile is read together again, and the server has the processor
GATHER_S = 0.0005
# what comes after everything has come is one too many
LINGER_S = 0.3
HANDSHAKE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n"


@dataclass(frozen=True, slots=True)
class Group:
    """Clients that do the same.

    Attributes:
        path: what they ask for; ``{client}`` in it is a number of each one's own, from *first* on.
        tokens: the access token of each, in turn; none without sign-in.
    """

    protocol: str
    path: str
    clients: int
    first: int = 0
    tokens: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """Whom to connect, and to what.

    Attributes:
        number_after: see :class:`~bench.push.servers.Target`.
        at_once: connections that are being made at the same time.
        stamp_each: of every so many clients, one asks the kernel when a message came to its socket, which is before
            this process had time to read it; 0 for none.
    """

    port: int
    number_after: str
    groups: Sequence[Group]
    at_once: int = 64
    stamp_each: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """What was sent.

    Attributes:
        sent: number of a message to when it was sent, nanoseconds since 1970.
        of_client: who wants only some of them: client to its numbers; None when everybody wants everything.
        quiet_s: when nothing comes for so long, the rest is lost.
    """

    sent: dict[str, int]
    of_client: dict[str, list[int]] | None = None
    quiet_s: float = 10.0


class Client:
    """One connection.

    Attributes:
        head: of the response, as far as it has come; None when it is complete.
        stamped: whether the kernel tells when something came.
    """

    __slots__ = ("connection", "head", "number", "request", "stamped", "stream")

    def __init__(self, number: int, group: int, request: bytes, *, stamped: bool) -> None:
        self.number = number
        self.stream = Stream(group)
        self.request = request
        self.connection = socket.socket()
        self.connection.setblocking(False)
        self.stamped = stamped
        if stamped:
            self.connection.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.head: bytes | None = b""


class Crowd:
    """All the clients."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.clients: dict[int, Client] = {}
        self.connected = 0
        self.closed = 0
        self.notes = Notes(job.number_after.encode(), len(job.groups))
        self._reads = Reads()
        self._together: list[int] = []  # those of the last turn that were read with one system call
        self._plain: dict[int, Client] = {}  # connected, and without stamps
        self._epoll = select.epoll()
        self._lines = b""
        self._epoll.register(STDIN, select.EPOLLIN)

    def connect(self) -> None:
        """Connect everybody; whoever is not connected in time stays without, and will have lost everything."""
        coming = self._everybody()
        waiting = time.monotonic()
        before = 0
        while time.monotonic() - waiting < CONNECT_S:
            if self.connected > before:
                waiting, before = time.monotonic(), self.connected
            while len(self.clients) - self.connected < self.job.at_once and (client := next(coming, None)):
                self._open(client)
            if self.connected == len(self.clients):
                return
            self.turn(1.0)

    def read_line(self) -> bytes | None:
        """Return the next question, None after the last; clients are served meanwhile."""
        while b"\n" not in self._lines:
            if not self.turn(1.0):
                return None
        line, _, self._lines = self._lines.partition(b"\n")
        return line

    def turn(self, wait_s: float) -> bool:
        """Take what is there; tell whether there may be more questions."""
        ready = self._epoll.poll(0 if self.notes.pending else wait_s)
        if not ready and self._together:
            time.sleep(GATHER_S)
        elif not ready:
            self.notes.note_some()
        self._together = together = []
        for fd, events in ready:
            if events == select.EPOLLIN and fd in self._plain:
                together.append(fd)
            elif fd == STDIN:
                chunk = os.read(STDIN, READ_BYTES)
                if not chunk:
                    return False
                self._lines += chunk
            elif events & select.EPOLLOUT:
                self._ask(self.clients[fd])
            else:
                self._receive(self.clients[fd], ended=events != select.EPOLLIN)
        for start in range(0, len(together), TOGETHER):
            self._receive_together(together[start : start + TOGETHER])
        while self.notes.full:
            self.notes.note_some()
        return True

    def settle(self, expected: int, quiet_s: float) -> None:
        """Return when so many deliveries have come, or none for so long."""
        notes = self.notes
        notes.last_ns = max(notes.last_ns, time.time_ns() if not notes.deliveries else 0)
        while notes.deliveries < expected:
            before = notes.deliveries
            self.turn(0.05)
            if notes.deliveries == before and time.time_ns() - notes.last_ns > quiet_s * 1e9:
                return

    def _everybody(self) -> Iterator[Client]:
        number = 0
        for place, group in enumerate(self.job.groups):
            for own in range(group.first, group.first + group.clients):
                stamped = bool(self.job.stamp_each) and number % self.job.stamp_each == 0
                yield Client(number, place, _request(self.job.port, group, own), stamped=stamped)
                number += 1

    def _open(self, client: Client) -> None:
        self.clients[client.connection.fileno()] = client
        outcome = client.connection.connect_ex(("127.0.0.1", self.job.port))
        if outcome not in {0, errno.EINPROGRESS}:
            raise OSError(outcome, os.strerror(outcome))
        self._epoll.register(client.connection.fileno(), select.EPOLLOUT)

    def _ask(self, client: Client) -> None:
        if outcome := client.connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(outcome, os.strerror(outcome))
        client.connection.sendall(client.request)
        self._epoll.modify(client.connection.fileno(), select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET)

    def _receive_together(self, fds: Sequence[int]) -> None:
        whole = list(self._reads.read(fds))
        now_ns = time.time_ns()
        for fd, data in zip(fds, whole, strict=True):
            client = self._plain[fd]
            self.notes.take(client.stream, data, now_ns)
            if not 0 < len(data) < READ_BYTES:  # the end, or there may be more
                self._receive(client, ended=True)

    def _receive(self, client: Client, *, ended: bool) -> None:
        ancillary: Ancillary = ()
        size_bytes = READ_BYTES
        while ended or size_bytes == READ_BYTES:
            try:
                if client.stamped:
                    data, ancillary, *_ = client.connection.recvmsg(READ_BYTES, socket.CMSG_SPACE(TIMESPEC.size))
                else:
                    data = client.connection.recv(READ_BYTES)
            except BlockingIOError:
                return
            except ConnectionResetError:
                data = b""
            now_ns, size_bytes = time.time_ns(), len(data)
            if not data:
                self._epoll.unregister(client.connection.fileno())
                self._plain.pop(client.connection.fileno(), None)
                client.connection.close()
                self.closed += 1
                return
            if client.head is not None:
                data = self._enter(client, client.head + data)
            self.notes.take(client.stream, data, now_ns, ancillary)

    def _enter(self, client: Client, head: bytes) -> bytes:
        if b"\r\n\r\n" not in head:
            client.head = head
            return b""
        if not head.startswith((b"HTTP/1.1 101", b"HTTP/1.1 200")):
            raise ConnectionRefusedError(f"the server answered {head[:200]!r}")
        client.head = None
        self.connected += 1
        if not client.stamped:
            self._plain[client.connection.fileno()] = client
        return head.partition(b"\r\n\r\n")[2]


def _request(port: int, group: Group, own: int) -> bytes:
    path = group.path.replace("{client}", str(own))
    if group.protocol == "ws":
        own_lines = HANDSHAKE.format("AAAAAAAAAAAAAAAAAAAAAA==")
    else:
        own_lines = "Accept: text/event-stream\r\n"
    if group.tokens:
        own_lines += f"Authorization: Bearer {group.tokens[(own - group.first) % len(group.tokens)]}\r\n"
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{own_lines}\r\n".encode()


def _judge(crowd: Crowd, question: Question) -> Iterator[dict[str, Any]]:
    """Say, for each group, how what it received differs from what was sent; begin anew."""
    sent = {int(number): at for number, at in question.sent.items()}
    everything = sorted(sent)
    found = [Faults() for _ in crowd.job.groups]
    expected = [0 for _ in crowd.job.groups]
    for client in crowd.clients.values():
        wanted = everything if question.of_client is None else question.of_client.get(str(client.number), [])
        known = sent if question.of_client is None else set(wanted)
        found[client.stream.group] += faults(client.stream.ledger, wanted, known)
        expected[client.stream.group] += len(wanted)
        client.stream.ledger = Ledger()
    for place, tally in enumerate(crowd.notes.tallies):
        durations = [at - sent[number] for number, times in tally.arrivals.items() if number in sent for at in times]
        counts = {"expected": expected[place], "deliveries": tally.deliveries, "reads": tally.reads}
        stamped = percentiles_ms([at - sent[number] for number, at in tally.stamps if number in sent])
        arrived = {f"arrived_{name}": value for name, value in stamped.items()}
        yield counts | asdict(found[place]) | percentiles_ms(durations) | arrived
    crowd.notes.begin()


def _expected(crowd: Crowd, question: Question) -> int:
    if question.of_client is None:
        return len(question.sent) * len(crowd.clients)
    return sum(len(numbers) for numbers in question.of_client.values())


def _answer(facts: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(facts) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Connect, then answer until there are no more questions."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    gc.disable()  # nothing here refers to itself
    given = orjson.loads(io.FileIO(STDIN, closefd=False).readline())
    crowd = Crowd(Job(**(given | {"groups": [Group(**each) for each in given["groups"]]})))
    began_ns = time.time_ns()
    crowd.connect()
    _answer({"connected": crowd.connected, "began_ns": began_ns, "connected_ns": time.time_ns()})
    while (line := crowd.read_line()) is not None:
        question = Question(**orjson.loads(line))
        crowd.settle(_expected(crowd, question), question.quiet_s)
        _answer({"last_ns": crowd.notes.last_ns})
        until = time.monotonic() + LINGER_S
        while time.monotonic() < until:
            crowd.turn(0.05)
        while crowd.notes.pending:
            crowd.notes.note_some()
        _answer({"closed": crowd.closed, "groups": list(_judge(crowd, question))})


if __name__ == "__main__":
    main()
