"""How a peer written in Python is told what to publish: a line of numbers on its standard input is one burst."""

from __future__ import annotations

import asyncio
import gc
import resource
import socket
import sys
from collections.abc import Callable

from service_common.http_server.runner import GC_THRESHOLDS

__all__ = ["BACKLOG", "listener", "obey"]

BACKLOG = 4096


def listener() -> socket.socket:
    """Listen on a free port of the loopback, with as many open files as this process may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    listening = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    listening.setblocking(False)
    return listening


async def obey(listening: socket.socket, publish: Callable[[int], None]) -> None:
    """Tell the port on the standard output, then publish what is asked for until the standard input ends.

    All of a burst is published in one turn of the loop, and several bursts are when they have piled up.
    """
    gc.freeze()  # the collector is tuned as the services tune it
    gc.set_threshold(*GC_THRESHOLDS)
    bursts = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(bursts), sys.stdin)
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    async for burst in bursts:
        for number in burst.split():
            publish(int(number))
