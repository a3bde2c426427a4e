"""A balancer of connections for the replicas of a service, in a process of its own: ``balancer PORT URL...``."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sys
from collections.abc import Iterable

import uvloop
from yarl import URL


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def balance(port: int, urls: Iterable[str]) -> None:
    """Give connections to the replicas in turn."""
    turns = itertools.cycle([URL(url) for url in urls])

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        replica = next(turns)
        try:
            to_reader, to_writer = await asyncio.open_connection(replica.host, replica.port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, to_writer), _pump(to_reader, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(balance(int(sys.argv[1]), sys.argv[2:]))
