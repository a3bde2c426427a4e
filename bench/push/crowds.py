"""Starts a crowd as a process and asks it what it received."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from .crowd import Job, Question

__all__ = ["Crowd", "Report", "Seen", "connected"]

LINE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the clients of a group received of what was sent, and from then to the read how long it took.

    The times to the arrival at the socket are of those clients that are stamped, 0 without any.
    """

    expected: int
    deliveries: int
    reads: int
    lost: int
    doubled: int
    disordered: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    arrived_p50_ms: float
    arrived_p99_ms: float
    arrived_max_ms: float


@dataclass(frozen=True, slots=True)
class Report:
    """The answer to a question.

    Attributes:
        closed: connections that the server ended, since the beginning.
    """

    closed: int
    groups: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Crowd:
    """Clients that are connected.

    Attributes:
        began_ns: when the first began to connect, nanoseconds since 1970.
        connected_ns: when the last was connected.
    """

    began_ns: int
    connected_ns: int
    process: asyncio.subprocess.Process

    async def settled(self, question: Question) -> int:
        """Return when the last delivery came, after it; to be followed by :meth:`report`."""
        assert self.process.stdin is not None
        self.process.stdin.write(orjson.dumps(asdict(question)) + b"\n")
        return int((await _line(self.process))["last_ns"])

    async def report(self) -> Report:
        """Say how that which came differs from what was sent."""
        facts = await _line(self.process)
        return Report(facts["closed"], tuple(Seen(**each) for each in facts["groups"]))


@asynccontextmanager
async def connected(job: Job) -> AsyncIterator[Crowd]:
    """Have the clients of a *job* connected for the block.

    Raises:
        RuntimeError: they could not be connected; why is on stderr.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.push.crowd"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LINE_BYTES,
    )
    assert process.stdin is not None
    process.stdin.write(orjson.dumps(asdict(job)) + b"\n")
    try:
        facts = await _line(process)
        yield Crowd(facts["began_ns"], facts["connected_ns"], process)
    finally:
        process.stdin.close()
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError(f"the crowd ended with {await process.wait()}")
    facts: dict[str, Any] = orjson.loads(line)
    return facts
