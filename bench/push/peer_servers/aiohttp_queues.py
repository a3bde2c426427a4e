"""What most write on aiohttp: a queue for each client, emptied by its handler."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import uvloop
from aiohttp import ClientConnectionResetError, web
from aiohttp_sse import sse_response

from .control import BACKLOG, listener, obey
from .message import data, event_id, ws_text


class Clients:
    """The queues; each message is made once and put into all of them."""

    def __init__(self, make: Callable[[int], tuple[str, str]]) -> None:
        self._make = make
        self._queues: set[asyncio.Queue[tuple[str, str]]] = set()

    def publish(self, number: int) -> None:
        """Give a message to all."""
        message = self._make(number)
        for queue in self._queues:
            queue.put_nowait(message)

    @contextmanager
    def joined(self) -> Iterator[asyncio.Queue[tuple[str, str]]]:
        """Take part."""
        queue: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)


def sse(clients: Clients) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Serve as the README of aiohttp-sse shows; the id makes the event as long as that of the others."""

    async def follow(request: web.Request) -> web.StreamResponse:
        async with sse_response(request) as response:
            with clients.joined() as queue, suppress(ClientConnectionResetError):  # the client has left
                while response.is_connected():
                    place, text = await queue.get()
                    await response.send(text, id=place)
        return response

    return follow


def ws(clients: Clients) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Serve WebSocket with `send_str`."""

    async def follow(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(compress=False)  # deflate would cost more than all the rest
        await socket.prepare(request)
        with clients.joined() as queue, suppress(ClientConnectionResetError):  # the client has left
            while True:
                _, text = await queue.get()
                await socket.send_str(text)
        return socket

    return follow


async def main(protocol: str) -> None:
    """Serve until the standard input ends."""
    as_event = protocol == "sse"
    clients = Clients(lambda number: (event_id(number), data(number) if as_event else ws_text(number)))
    app = web.Application()
    app.router.add_get("/stream", sse(clients) if as_event else ws(clients))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    listening = listener()
    await web.SockSite(runner, listening, backlog=BACKLOG).start()
    await obey(listening, clients.publish)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
