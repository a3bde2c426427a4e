"""The push servers that ours is held against, each a process of its own on a free port of the loopback.

Messages come to all of them from outside, one wake-up a message or burst: by HTTP to nchan, by a pipe to the others.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .peer_servers import message
from .peer_servers.handover import publishing
from .peer_servers.nchan import nchan
from .peer_servers.unavailable import UnavailableError, require_packages
from .servers import Publish, Target

__all__ = ["PEERS", "Peer", "UnavailableError", "nchan", "python_peer"]

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Peer:
    """One server of the comparison.

    Attributes:
        name: for the table.
        protocol: "sse" or "ws".
        open: runs it; raises UnavailableError when that is not possible here.
    """

    name: str
    protocol: str
    open: Callable[[], AbstractAsyncContextManager[Target]]


@asynccontextmanager
async def python_peer(name: str, protocol: str, module: str, *needs: str) -> AsyncIterator[Target]:
    """Run a module of `peer_servers`, which is told the protocol.

    Raises:
        UnavailableError: a package that it *needs* is not installed.
    """
    require_packages(needs)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"{__package__}.peer_servers.{module}", protocol), stdin=PIPE, stdout=PIPE, cwd=_ROOT
    )
    try:
        yield Target(
            name=name,
            protocol=protocol,
            port=await _port(process, name),
            path="/stream",
            pids=(process.pid,),
            number_after=message.NUMBER_AFTER,
            publish=_pipe(process),
        )
    finally:
        if process.returncode is None:
            process.kill()  # it keeps nothing, and to say goodbye to thousands of clients takes long
        await process.communicate()


async def _port(process: Process, name: str) -> int:
    assert process.stdout is not None
    told = await process.stdout.readline()
    if not told:
        raise RuntimeError(f"{name} did not start; what it said stands above")
    return int(told)


def _pipe(process: Process) -> Publish:
    assert process.stdin is not None
    pipe = process.stdin

    def send(numbers: Sequence[int]) -> None:
        pipe.write(b"%s\n" % b" ".join([b"%d" % number for number in numbers]))

    return publishing(send)


def _python(name: str, protocol: str, module: str, *needs: str) -> Peer:
    return Peer(name, protocol, partial(python_peer, name, protocol, module, *needs))


PEERS = (
    Peer("nchan", "sse", partial(nchan, "sse")),
    Peer("nchan", "ws", partial(nchan, "ws")),
    _python("websockets broadcast", "ws", "websockets_broadcast", "websockets"),
    _python("aiohttp, a queue a client", "ws", "aiohttp_queues"),
    _python("sse-starlette", "sse", "starlette_sse", "sse_starlette", "uvicorn", "httptools"),
    _python("aiohttp-sse", "sse", "aiohttp_queues", "aiohttp_sse"),
)
