"""sse-starlette on uvicorn with its fast loop and parser; it takes an event that is encoded already, once for all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import uvicorn
import uvloop
from sse_starlette.sse import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from .control import BACKLOG, listener, obey
from .message import sse_block


async def main() -> None:
    """Serve until the standard input ends."""
    queues: set[asyncio.Queue[bytes]] = set()

    async def events() -> AsyncIterator[bytes]:
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        queues.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            queues.discard(queue)

    async def stream(_request: Request) -> EventSourceResponse:
        return EventSourceResponse(events(), ping=0)  # a ping is no part of a delivery

    def publish(number: int) -> None:
        block = sse_block(number)
        for queue in queues:
            queue.put_nowait(block)

    config = uvicorn.Config(
        Starlette(routes=[Route("/stream", stream)]),
        http="httptools",
        access_log=False,
        log_level="warning",
        backlog=BACKLOG,
    )
    listening = listener()
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    await obey(listening, publish)
    server.should_exit = server.force_exit = True
    await serving


if __name__ == "__main__":
    uvloop.run(main())
